#ifndef CROSSTHINK_SPEC_HALF_H_
#define CROSSTHINK_SPEC_HALF_H_

#include <cstdint>

#include "spec/annotate.h"
#include "spec/bits.h"

// bfloat16 and float16. Reading is exact. Rounding is to nearest, ties to even; NaN becomes the canonical one; float32
// subnormals and bfloat16 subnormal results become signed zero (what AVX-512's conversion does); float16 keeps its
// subnormals.
namespace crossthink::spec {
namespace {

CT_HD CT_INLINE float FromBfloat16(uint16_t h) { return BitCast<float>(static_cast<uint32_t>(h) << 16); }

CT_HD CT_INLINE uint16_t ToBfloat16(float x) {
  const uint32_t bits = BitCast<uint32_t>(x);
  const uint32_t magnitude = bits & 0x7fffffffU;
  if (magnitude > 0x7f800000U) return 0x7fc0;
  if (magnitude < 0x00800000U) return static_cast<uint16_t>(bits >> 31 << 15);
  return static_cast<uint16_t>((bits + 0x7fffU + (bits >> 16 & 1U)) >> 16);
}

CT_HD CT_INLINE float FromFloat16(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000U) << 16;
  const uint32_t magnitude = static_cast<uint32_t>(h & 0x7fffU) << 13;
  // As float32 bits the value is 2^112 too small, subnormals included: the product is exact. Infinity and NaN are not.
  const float finite = BitCast<float>(magnitude) * 0x1p112F;
  const uint32_t special = magnitude + 0x70000000U;
  return BitCast<float>(sign | (magnitude >= 0x0f800000U ? special : BitCast<uint32_t>(finite)));
}

CT_HD CT_INLINE uint16_t ToFloat16(float x) {
  const uint32_t bits = BitCast<uint32_t>(x);
  const uint32_t sign = bits >> 16 & 0x8000U;
  const uint32_t magnitude = bits & 0x7fffffffU;
  if (magnitude > 0x7f800000U) return 0x7e00;
  if (magnitude >= 0x477ff000U) return static_cast<uint16_t>(sign | 0x7c00U);  // 65520 and more round to infinity.
  if (magnitude < 0x38800000U) {
    // Below 2^-14: adding 0.5 leaves multiples of 2^-24 in the low bits, rounded to nearest even.
    const float shifted = BitCast<float>(magnitude) + 0.5F;
    return static_cast<uint16_t>(sign | (BitCast<uint32_t>(shifted) - 0x3f000000U));
  }
  return static_cast<uint16_t>(sign | ((magnitude - 0x38000000U + 0xfffU + (magnitude >> 13 & 1U)) >> 13));
}

}  // namespace
}  // namespace crossthink::spec

#endif  // CROSSTHINK_SPEC_HALF_H_
