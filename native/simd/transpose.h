#ifndef CROSSTHINK_SIMD_TRANSPOSE_H_
#define CROSSTHINK_SIMD_TRANSPOSE_H_

#include <cstddef>

#include "spec/annotate.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#include "simd/neon.h"
#endif
#if defined(__AVX2__)
#include <immintrin.h>

#include "simd/avx2.h"
#endif
#if defined(__AVX512F__)
#include "simd/avx512.h"
#endif
#if defined(__AVX512BF16__)
#include "simd/avx512bf16.h"
#endif

namespace crossthink::simd {
namespace {

// Run transposes a square of kWidth vectors in place: lane j of vector i becomes lane i of vector j. RunInside does the
// same in every segment of n lanes of n vectors; n is 4 or a larger power of two, at most kWidth.
template <class V>
struct Transpose {
  static_assert(V::kWidth == 1, "a wider vector has its own");
  CT_INLINE static void Run(typename V::F*) {}
};

#if defined(__aarch64__)
// Pairs of lanes, then pairs of pairs.
template <>
struct Transpose<Neon> {
  template <size_t n>
  CT_INLINE static void RunInside(float32x4_t* r) {
    Run(r);
  }
  CT_INLINE static void Run(float32x4_t* r) {
    const float32x4_t even01 = vtrn1q_f32(r[0], r[1]);
    const float32x4_t odd01 = vtrn2q_f32(r[0], r[1]);
    const float32x4_t even23 = vtrn1q_f32(r[2], r[3]);
    const float32x4_t odd23 = vtrn2q_f32(r[2], r[3]);
    r[0] = vcombine_f32(vget_low_f32(even01), vget_low_f32(even23));
    r[1] = vcombine_f32(vget_low_f32(odd01), vget_low_f32(odd23));
    r[2] = vcombine_f32(vget_high_f32(even01), vget_high_f32(even23));
    r[3] = vcombine_f32(vget_high_f32(odd01), vget_high_f32(odd23));
  }
};
#endif

#if defined(__AVX2__)
// Pairs, then quads inside 128-bit halves, then the halves.
template <>
struct Transpose<Avx2> {
  template <size_t n>
  CT_INLINE static void RunInside(__m256* r) {
    for (size_t i = 0; i < n; i += 4) Quads(r + i);
    if constexpr (n == 8) Halves(r);
  }
  CT_INLINE static void Run(__m256* r) { RunInside<8>(r); }

 private:
  CT_INLINE static void Quads(__m256* r) {
    const __m256 low01 = _mm256_unpacklo_ps(r[0], r[1]);
    const __m256 high01 = _mm256_unpackhi_ps(r[0], r[1]);
    const __m256 low23 = _mm256_unpacklo_ps(r[2], r[3]);
    const __m256 high23 = _mm256_unpackhi_ps(r[2], r[3]);
    r[0] = _mm256_shuffle_ps(low01, low23, 0x44);
    r[1] = _mm256_shuffle_ps(low01, low23, 0xee);
    r[2] = _mm256_shuffle_ps(high01, high23, 0x44);
    r[3] = _mm256_shuffle_ps(high01, high23, 0xee);
  }
  CT_INLINE static void Halves(__m256* r) {
    for (size_t i = 0; i < 4; ++i) {
      const __m256 low = _mm256_permute2f128_ps(r[i], r[i + 4], 0x20);
      r[i + 4] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x31);
      r[i] = low;
    }
  }
};
#endif

#if defined(__AVX512F__)
// Pairs, then quads inside 128-bit quarters, then the quarters twice.
template <>
struct Transpose<Avx512> {
  template <size_t n>
  CT_INLINE static void RunInside(__m512* r) {
    for (size_t i = 0; i < n; i += 4) Quads(r + i);
    if constexpr (n == 8) PairsOfQuarters(r);
    if constexpr (n == 16) Quarters(r);
  }
  CT_INLINE static void Run(__m512* r) { RunInside<16>(r); }

 private:
  CT_INLINE static void Quads(__m512* r) {
    const __m512 low01 = _mm512_unpacklo_ps(r[0], r[1]);
    const __m512 high01 = _mm512_unpackhi_ps(r[0], r[1]);
    const __m512 low23 = _mm512_unpacklo_ps(r[2], r[3]);
    const __m512 high23 = _mm512_unpackhi_ps(r[2], r[3]);
    r[0] = _mm512_shuffle_ps(low01, low23, 0x44);
    r[1] = _mm512_shuffle_ps(low01, low23, 0xee);
    r[2] = _mm512_shuffle_ps(high01, high23, 0x44);
    r[3] = _mm512_shuffle_ps(high01, high23, 0xee);
  }
  CT_INLINE static void PairsOfQuarters(__m512* r) {
    const __m512i even = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13);
    const __m512i odd = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
    for (size_t c = 0; c < 4; ++c) {
      const __m512d a = _mm512_castps_pd(r[c]);
      const __m512d b = _mm512_castps_pd(r[c + 4]);
      r[c] = _mm512_castpd_ps(_mm512_permutex2var_pd(a, even, b));
      r[c + 4] = _mm512_castpd_ps(_mm512_permutex2var_pd(a, odd, b));
    }
  }
  // r[4 b + c] holds, in quarter q, rows 4 b .. 4 b + 3 of column 4 q + c.
  CT_INLINE static void Quarters(__m512* r) {
    for (size_t c = 0; c < 4; ++c) {
      const __m512 low0 = _mm512_shuffle_f32x4(r[c], r[c + 4], 0x88);
      const __m512 low1 = _mm512_shuffle_f32x4(r[c], r[c + 4], 0xdd);
      const __m512 high0 = _mm512_shuffle_f32x4(r[c + 8], r[c + 12], 0x88);
      const __m512 high1 = _mm512_shuffle_f32x4(r[c + 8], r[c + 12], 0xdd);
      r[c] = _mm512_shuffle_f32x4(low0, high0, 0x88);
      r[c + 8] = _mm512_shuffle_f32x4(low0, high0, 0xdd);
      r[c + 4] = _mm512_shuffle_f32x4(low1, high1, 0x88);
      r[c + 12] = _mm512_shuffle_f32x4(low1, high1, 0xdd);
    }
  }
};
#endif

#if defined(__AVX512BF16__)
template <>
struct Transpose<Avx512Bf16> : Transpose<Avx512> {};
#endif

}  // namespace
}  // namespace crossthink::simd

#endif  // CROSSTHINK_SIMD_TRANSPOSE_H_
