#ifndef CROSSTHINK_SIMD_AVX512_H_
#define CROSSTHINK_SIMD_AVX512_H_

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "spec/annotate.h"

namespace crossthink::simd {
namespace {

// 16 lanes: AVX-512 F, BW, DQ, VL. Contracts of the operations: scalar.h.
struct Avx512 {
  static constexpr size_t kWidth = 16;
  using F = __m512;
  using I = __m512i;
  using M = __mmask16;

  CT_INLINE static F Load(const float* p) { return _mm512_loadu_ps(p); }
  CT_INLINE static F LoadPartial(const float* p, size_t n, float fill) {
    return _mm512_mask_loadu_ps(Set(fill), FirstLanes(n), p);
  }
  CT_INLINE static void Store(float* p, F v) { _mm512_storeu_ps(p, v); }
  CT_INLINE static void StorePartial(float* p, size_t n, F v) { _mm512_mask_storeu_ps(p, FirstLanes(n), v); }
  CT_INLINE static void Stream(float* p, F v) { _mm512_stream_ps(p, v); }
  CT_INLINE static void Prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }
  CT_INLINE static F LoadBfloat16(const uint16_t* p) {
    // One word permutation that puts half i in the upper half of lane i and zeros below.
    const I upper = _mm512_set_epi16(15, 0, 14, 0, 13, 0, 12, 0, 11, 0, 10, 0, 9, 0, 8, 0, 7, 0, 6, 0, 5, 0, 4, 0, 3, 0,
                                     2, 0, 1, 0, 0, 0);
    return _mm512_castsi512_ps(_mm512_maskz_permutexvar_epi16(0xaaaaaaaaU, upper, _mm512_castsi256_si512(LoadHalf(p))));
  }
  CT_INLINE static void StoreBfloat16(uint16_t* p, F v) {
    constexpr int kNanOrSubnormal = 0x01 | 0x80 | 0x20;
    const I bits = _mm512_castps_si512(v);
    const I odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    I rounded = _mm512_srli_epi32(_mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
    if (__builtin_expect(_mm512_fpclass_ps_mask(v, kNanOrSubnormal) != 0, 0)) {
      const M subnormal = _mm512_cmp_ps_mask(Abs(v), Set(0x1p-126F), _CMP_LT_OQ);
      rounded = _mm512_mask_srli_epi32(rounded, subnormal, _mm512_and_si512(bits, _mm512_set1_epi32(INT32_MIN)), 16);
      rounded = _mm512_mask_set1_epi32(rounded, _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), 0x7fc0);
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(rounded));
  }
  CT_INLINE static void StoreBfloat16Number(uint16_t* p, F v) { StoreBfloat16(p, v); }
  CT_INLINE static F LoadFloat16(const uint16_t* p) { return _mm512_cvtph_ps(LoadHalf(p)); }
  CT_INLINE static void StoreFloat16(uint16_t* p, F v) {
    const __m256i half = _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT);
    const M nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm256_mask_set1_epi16(half, nan, 0x7e00));
  }

  CT_INLINE static F Set(float x) { return _mm512_set1_ps(x); }
  CT_INLINE static F Add(F a, F b) { return _mm512_add_ps(a, b); }
  CT_INLINE static F Sub(F a, F b) { return _mm512_sub_ps(a, b); }
  CT_INLINE static F Mul(F a, F b) { return _mm512_mul_ps(a, b); }
  CT_INLINE static F Div(F a, F b) { return _mm512_div_ps(a, b); }
  CT_INLINE static F Sqrt(F a) { return _mm512_sqrt_ps(a); }
  CT_INLINE static F Fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
  CT_INLINE static F Round(F a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  CT_INLINE static F Truncate(F a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
  CT_INLINE static F Abs(F a) { return _mm512_abs_ps(a); }
  CT_INLINE static F CopySign(F a, F sign) {
    const I mask = _mm512_set1_epi32(INT32_MIN);
    // 0xca: mask ? sign : a, bit by bit.
    return FromBits(_mm512_ternarylogic_epi32(mask, Bits(sign), Bits(a), 0xca));
  }

  // The instructions return their second operand where the comparison fails: operands swapped to keep the first.
  CT_INLINE static F Max(F a, F b) { return _mm512_max_ps(b, a); }
  CT_INLINE static F Min(F a, F b) { return _mm512_min_ps(b, a); }
  CT_INLINE static M Less(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
  CT_INLINE static M LessEqual(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
  CT_INLINE static M Equal(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
  CT_INLINE static F Select(M m, F yes, F no) { return _mm512_mask_blend_ps(m, no, yes); }

  CT_INLINE static M And(M a, M b) { return _kand_mask16(a, b); }
  CT_INLINE static M Or(M a, M b) { return _kor_mask16(a, b); }
  CT_INLINE static M Not(M a) { return _knot_mask16(a); }
  CT_INLINE static bool Any(M m) { return m != 0; }
  CT_INLINE static size_t Count(M m) { return static_cast<size_t>(__builtin_popcount(m)); }
  CT_INLINE static uint32_t ToBits(M m) { return m; }
  CT_INLINE static M FromMaskBits(uint32_t b) { return static_cast<M>(b); }
  CT_INLINE static M LoadBytes(const uint8_t* p) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return _mm_test_epi8_mask(bytes, bytes);
  }

  CT_INLINE static F ClampExponent(F t) { return t; }
  CT_INLINE static F ScaleExp2(F p, F n, F t) {
    return _mm512_maskz_scalef_ps(_mm512_cmp_ps_mask(t, Set(-126.0F), _CMP_NLT_UQ), p, n);
  }

  CT_INLINE static I Bits(F a) { return _mm512_castps_si512(a); }
  CT_INLINE static F FromBits(I a) { return _mm512_castsi512_ps(a); }
  CT_INLINE static I SetInt(int32_t x) { return _mm512_set1_epi32(x); }
  CT_INLINE static I IntAdd(I a, I b) { return _mm512_add_epi32(a, b); }
  CT_INLINE static I IntSub(I a, I b) { return _mm512_sub_epi32(a, b); }
  CT_INLINE static I ShiftRightArithmetic23(I a) { return _mm512_srai_epi32(a, 23); }
  CT_INLINE static I ShiftLeft23(I a) { return _mm512_slli_epi32(a, 23); }
  CT_INLINE static F ToFloat(I a) { return _mm512_cvtepi32_ps(a); }
  CT_INLINE static I ToInt(F a) { return _mm512_cvttps_epi32(a); }

  CT_INLINE static float TreeSum(F a) {
    const __m256 a8 = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    const __m128 a4 = _mm_add_ps(_mm256_castps256_ps128(a8), _mm256_extractf128_ps(a8, 1));
    const __m128 a2 = _mm_add_ps(a4, _mm_movehl_ps(a4, a4));
    return _mm_cvtss_f32(_mm_add_ss(a2, _mm_movehdup_ps(a2)));
  }
  CT_INLINE static float MaxLane(F a) {
    const __m256 a8 = _mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    const __m128 a4 = _mm_max_ps(_mm256_castps256_ps128(a8), _mm256_extractf128_ps(a8, 1));
    const __m128 a2 = _mm_max_ps(a4, _mm_movehl_ps(a4, a4));
    return _mm_cvtss_f32(_mm_max_ss(a2, _mm_movehdup_ps(a2)));
  }
  CT_INLINE static size_t Compress(float* p, M m, F a) {
    _mm512_storeu_ps(p, _mm512_maskz_compress_ps(m, a));  // To memory directly it is slow on Zen 4.
    return Count(m);
  }
  CT_INLINE static size_t CompressIndex(uint32_t* p, M m, uint32_t first) {
    const I lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const I index = _mm512_add_epi32(lane, _mm512_set1_epi32(static_cast<int32_t>(first)));
    _mm512_storeu_si512(p, _mm512_maskz_compress_epi32(m, index));
    return Count(m);
  }
  CT_INLINE static size_t CompressInts(uint32_t* p, M m, const uint32_t* from) {
    _mm512_storeu_si512(p, _mm512_maskz_compress_epi32(m, _mm512_loadu_si512(from)));
    return Count(m);
  }

  struct D {
    __m512d low, high;
  };
  CT_INLINE static D ZeroDouble() { return {_mm512_setzero_pd(), _mm512_setzero_pd()}; }
  CT_INLINE static D AddToDouble(D sum, F a) {
    return {_mm512_add_pd(sum.low, _mm512_cvtps_pd(_mm512_castps512_ps256(a))),
            _mm512_add_pd(sum.high, _mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1)))};
  }
  CT_INLINE static double SumDouble(D sum) { return _mm512_reduce_add_pd(_mm512_add_pd(sum.low, sum.high)); }

 private:
  CT_INLINE static M FirstLanes(size_t n) { return static_cast<M>((1U << n) - 1U); }
  CT_INLINE static __m256i LoadHalf(const uint16_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
};

}  // namespace
}  // namespace crossthink::simd

#endif  // CROSSTHINK_SIMD_AVX512_H_
