#ifndef CROSSTHINK_SIMD_AVX512BF16_H_
#define CROSSTHINK_SIMD_AVX512BF16_H_

#include "simd/avx512.h"

namespace crossthink::simd {
namespace {

// AVX-512 with AVX512_BF16: rounding to bfloat16 is one instruction, which flushes subnormals as the specification
// does.
struct Avx512Bf16 : Avx512 {
  CT_INLINE static void StoreBfloat16(uint16_t* p, F v) {
    const M nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);  // The instruction keeps a NaN's sign and payload.
    StoreBfloat16Number(p, _mm512_mask_blend_ps(nan, v, FromBits(_mm512_set1_epi32(0x7fc00000))));
  }
  CT_INLINE static void StoreBfloat16Number(uint16_t* p, F v) {
    const __m256bh half = _mm512_cvtneps_pbh(v);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), (__m256i)half);
  }
};

}  // namespace
}  // namespace crossthink::simd

#endif  // CROSSTHINK_SIMD_AVX512BF16_H_
