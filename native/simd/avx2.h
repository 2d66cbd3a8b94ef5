#ifndef CROSSTHINK_SIMD_AVX2_H_
#define CROSSTHINK_SIMD_AVX2_H_

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "spec/annotate.h"

namespace crossthink::simd {
namespace {

// 8 lanes: AVX2, FMA, F16C. Contracts of the operations: scalar.h. A mask is a vector of all-ones or all-zeros lanes.
struct Avx2 {
  static constexpr size_t kWidth = 8;
  using F = __m256;
  using I = __m256i;
  using M = __m256;

  CT_INLINE static F Load(const float* p) { return _mm256_loadu_ps(p); }
  CT_INLINE static F LoadPartial(const float* p, size_t n, float fill) {
    const I lanes = FirstLanes(n);
    return _mm256_blendv_ps(Set(fill), _mm256_maskload_ps(p, lanes), _mm256_castsi256_ps(lanes));
  }
  CT_INLINE static void Store(float* p, F v) { _mm256_storeu_ps(p, v); }
  CT_INLINE static void StorePartial(float* p, size_t n, F v) { _mm256_maskstore_ps(p, FirstLanes(n), v); }
  CT_INLINE static void Stream(float* p, F v) { _mm256_stream_ps(p, v); }
  CT_INLINE static void Prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }
  CT_INLINE static F LoadBfloat16(const uint16_t* p) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(LoadHalf(p)), 16));
  }
  CT_INLINE static void StoreBfloat16(uint16_t* p, F v) {
    const I bits = Bits(v);
    const I odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    I rounded = _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
    const I sign = _mm256_srli_epi32(_mm256_and_si256(bits, _mm256_set1_epi32(INT32_MIN)), 16);
    rounded = Blend(Less(Abs(v), Set(0x1p-126F)), sign, rounded);
    rounded = Blend(_mm256_cmp_ps(v, v, _CMP_UNORD_Q), _mm256_set1_epi32(0x7fc0), rounded);
    const I packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(rounded, rounded), 0x08);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(packed));
  }
  CT_INLINE static void StoreBfloat16Number(uint16_t* p, F v) { StoreBfloat16(p, v); }
  CT_INLINE static F LoadFloat16(const uint16_t* p) { return _mm256_cvtph_ps(LoadHalf(p)); }
  CT_INLINE static void StoreFloat16(uint16_t* p, F v) {
    // A canonical NaN converts to the canonical NaN.
    const F canonical = _mm256_blendv_ps(v, Set(__builtin_nanf("")), _mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(canonical, _MM_FROUND_TO_NEAREST_INT));
  }

  CT_INLINE static F Set(float x) { return _mm256_set1_ps(x); }
  CT_INLINE static F Add(F a, F b) { return _mm256_add_ps(a, b); }
  CT_INLINE static F Sub(F a, F b) { return _mm256_sub_ps(a, b); }
  CT_INLINE static F Mul(F a, F b) { return _mm256_mul_ps(a, b); }
  CT_INLINE static F Div(F a, F b) { return _mm256_div_ps(a, b); }
  CT_INLINE static F Sqrt(F a) { return _mm256_sqrt_ps(a); }
  CT_INLINE static F Fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
  CT_INLINE static F Round(F a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  CT_INLINE static F Truncate(F a) { return _mm256_round_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
  CT_INLINE static F Abs(F a) { return _mm256_andnot_ps(Set(-0.0F), a); }
  CT_INLINE static F CopySign(F a, F sign) { return _mm256_or_ps(Abs(a), _mm256_and_ps(Set(-0.0F), sign)); }

  // The instructions return their second operand where the comparison fails: operands swapped to keep the first.
  CT_INLINE static F Max(F a, F b) { return _mm256_max_ps(b, a); }
  CT_INLINE static F Min(F a, F b) { return _mm256_min_ps(b, a); }
  CT_INLINE static M Less(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
  CT_INLINE static M LessEqual(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
  CT_INLINE static M Equal(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
  CT_INLINE static F Select(M m, F yes, F no) { return _mm256_blendv_ps(no, yes, m); }

  CT_INLINE static M And(M a, M b) { return _mm256_and_ps(a, b); }
  CT_INLINE static M Or(M a, M b) { return _mm256_or_ps(a, b); }
  CT_INLINE static M Not(M a) { return _mm256_xor_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(-1))); }
  CT_INLINE static bool Any(M m) { return _mm256_movemask_ps(m) != 0; }
  CT_INLINE static size_t Count(M m) { return static_cast<size_t>(__builtin_popcount(ToBits(m))); }
  CT_INLINE static uint32_t ToBits(M m) { return static_cast<uint32_t>(_mm256_movemask_ps(m)); }
  CT_INLINE static M FromMaskBits(uint32_t b) {
    const I bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    const I set = _mm256_and_si256(_mm256_set1_epi32(static_cast<int32_t>(b)), bit);
    return _mm256_castsi256_ps(_mm256_cmpeq_epi32(set, bit));
  }
  CT_INLINE static M LoadBytes(const uint8_t* p) {
    const I bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
    return _mm256_castsi256_ps(_mm256_cmpgt_epi32(bytes, _mm256_setzero_si256()));
  }

  CT_INLINE static F ClampExponent(F t) { return Min(t, Set(128.0F)); }
  // Adds n to the exponent field. A NaN p survives: its t is NaN, n converts to INT32_MIN, whose shifted value is 0.
  CT_INLINE static F ScaleExp2(F p, F n, F t) {
    const M normal = _mm256_cmp_ps(t, Set(-126.0F), _CMP_NLT_UQ);
    const I exponent = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
    return _mm256_and_ps(normal, FromBits(_mm256_add_epi32(Bits(p), exponent)));
  }

  CT_INLINE static I Bits(F a) { return _mm256_castps_si256(a); }
  CT_INLINE static F FromBits(I a) { return _mm256_castsi256_ps(a); }
  CT_INLINE static I SetInt(int32_t x) { return _mm256_set1_epi32(x); }
  CT_INLINE static I IntAdd(I a, I b) { return _mm256_add_epi32(a, b); }
  CT_INLINE static I IntSub(I a, I b) { return _mm256_sub_epi32(a, b); }
  CT_INLINE static I ShiftRightArithmetic23(I a) { return _mm256_srai_epi32(a, 23); }
  CT_INLINE static I ShiftLeft23(I a) { return _mm256_slli_epi32(a, 23); }
  CT_INLINE static F ToFloat(I a) { return _mm256_cvtepi32_ps(a); }
  CT_INLINE static I ToInt(F a) { return _mm256_cvttps_epi32(a); }

  CT_INLINE static float TreeSum(F a) {
    const __m128 a4 = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    const __m128 a2 = _mm_add_ps(a4, _mm_movehl_ps(a4, a4));
    return _mm_cvtss_f32(_mm_add_ss(a2, _mm_movehdup_ps(a2)));
  }
  CT_INLINE static float MaxLane(F a) {
    const __m128 a4 = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    const __m128 a2 = _mm_max_ps(a4, _mm_movehl_ps(a4, a4));
    return _mm_cvtss_f32(_mm_max_ss(a2, _mm_movehdup_ps(a2)));
  }
  CT_INLINE static size_t Compress(float* p, M m, F a) {
    alignas(32) float lanes[8];
    _mm256_store_ps(lanes, a);
    size_t count = 0;
    for (uint32_t bits = ToBits(m); bits != 0; bits &= bits - 1) p[count++] = lanes[__builtin_ctz(bits)];
    return count;
  }
  CT_INLINE static size_t CompressIndex(uint32_t* p, M m, uint32_t first) {
    size_t count = 0;
    for (uint32_t bits = ToBits(m); bits != 0; bits &= bits - 1) {
      p[count++] = first + static_cast<uint32_t>(__builtin_ctz(bits));
    }
    return count;
  }
  CT_INLINE static size_t CompressInts(uint32_t* p, M m, const uint32_t* from) {
    alignas(32) uint32_t lanes[8];
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
    size_t count = 0;
    for (uint32_t bits = ToBits(m); bits != 0; bits &= bits - 1) p[count++] = lanes[__builtin_ctz(bits)];
    return count;
  }

  struct D {
    __m256d low, high;
  };
  CT_INLINE static D ZeroDouble() { return {_mm256_setzero_pd(), _mm256_setzero_pd()}; }
  CT_INLINE static D AddToDouble(D sum, F a) {
    return {_mm256_add_pd(sum.low, _mm256_cvtps_pd(_mm256_castps256_ps128(a))),
            _mm256_add_pd(sum.high, _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1)))};
  }
  CT_INLINE static double SumDouble(D sum) {
    alignas(32) double lanes[4];
    _mm256_store_pd(lanes, _mm256_add_pd(sum.low, sum.high));
    return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
  }

 private:
  CT_INLINE static I Blend(M m, I yes, I no) { return Bits(Select(m, FromBits(yes), FromBits(no))); }
  CT_INLINE static I FirstLanes(size_t n) {
    const I lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int32_t>(n)), lane);
  }
  CT_INLINE static __m128i LoadHalf(const uint16_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
};

}  // namespace
}  // namespace crossthink::simd

#endif  // CROSSTHINK_SIMD_AVX2_H_
