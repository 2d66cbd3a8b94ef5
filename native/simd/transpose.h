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

// Transposes a square of kWidth vectors in place: lane j of vector i becomes lane i of vector j.
template <class V>
struct Transpose {
  CT_INLINE static void Run(typename V::F* rows) {
    constexpr size_t w = V::kWidth;
    float square[w * w];
    float column[w];
    for (size_t i = 0; i < w; ++i) V::Store(square + i * w, rows[i]);
    for (size_t j = 0; j < w; ++j) {
      for (size_t i = 0; i < w; ++i) column[i] = square[i * w + j];
      rows[j] = V::Load(column);
    }
  }
};

#if defined(__aarch64__)
// Pairs of lanes, then pairs of pairs.
template <>
struct Transpose<Neon> {
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
  CT_INLINE static void Run(__m256* r) {
    __m256 t[8];
    for (size_t i = 0; i < 8; i += 2) {
      t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
      t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    for (size_t i = 0; i < 8; i += 4) {
      r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
      r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
      r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
      r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
    for (size_t i = 0; i < 4; ++i) {
      t[i] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x20);
      t[i + 4] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x31);
    }
    for (size_t i = 0; i < 8; ++i) r[i] = t[i];
  }
};
#endif

#if defined(__AVX512F__)
// Pairs, then quads inside 128-bit quarters, then the quarters twice.
template <>
struct Transpose<Avx512> {
  CT_INLINE static void Run(__m512* r) {
    __m512 t[16];
    for (size_t i = 0; i < 16; i += 2) {
      t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
      t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    for (size_t i = 0; i < 16; i += 4) {
      r[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
      r[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
      r[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
      r[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
    // r[4 b + c] holds, in quarter q, rows 4 b .. 4 b + 3 of column 4 q + c.
    for (size_t c = 0; c < 4; ++c) {
      t[c] = _mm512_shuffle_f32x4(r[c], r[c + 4], 0x88);
      t[c + 4] = _mm512_shuffle_f32x4(r[c], r[c + 4], 0xdd);
      t[c + 8] = _mm512_shuffle_f32x4(r[c + 8], r[c + 12], 0x88);
      t[c + 12] = _mm512_shuffle_f32x4(r[c + 8], r[c + 12], 0xdd);
    }
    for (size_t c = 0; c < 4; ++c) {
      r[c] = _mm512_shuffle_f32x4(t[c], t[c + 8], 0x88);
      r[c + 8] = _mm512_shuffle_f32x4(t[c], t[c + 8], 0xdd);
      r[c + 4] = _mm512_shuffle_f32x4(t[c + 4], t[c + 12], 0x88);
      r[c + 12] = _mm512_shuffle_f32x4(t[c + 4], t[c + 12], 0xdd);
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
