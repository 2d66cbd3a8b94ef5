#ifndef CROSSTHINK_KERNELS_TOKEN_MASK_H_
#define CROSSTHINK_KERNELS_TOKEN_MASK_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "spec/annotate.h"

// Byte masks: one byte per token, 0 = masked, anything else = valid.
namespace crossthink {
namespace {

constexpr uint64_t kByteOnes = 0x0101010101010101ULL;

// Eight mask bytes to eight 0/1 bytes.
CT_INLINE uint64_t ValidBytes(uint64_t bytes) {
  constexpr uint64_t low7 = 0x7f * kByteOnes;
  return ((((bytes & low7) + low7) | bytes) >> 7) & kByteOnes;
}

// Bit i = p[i] != 0. The product moves byte i to bit 56 + i.
CT_INLINE uint32_t ValidBits8(const uint8_t* p) {
  uint64_t bytes;
  memcpy(&bytes, p, sizeof(bytes));
  return static_cast<uint32_t>(ValidBytes(bytes) * 0x0102040810204080ULL >> 56);
}

CT_INLINE uint32_t ValidBits(const uint8_t* p, size_t n) {
  uint32_t bits = 0;
  size_t i = 0;
  for (; i + 8 <= n; i += 8) bits |= ValidBits8(p + i) << i;
  for (; i < n; ++i) bits |= (p[i] != 0 ? 1U : 0U) << i;
  return bits;
}

// Lane i is p[i] != 0 for i < n <= kWidth, false above; all n are valid where p is null.
template <class V>
CT_INLINE typename V::M LoadMask(const uint8_t* p, size_t n) {
  const auto all = static_cast<uint32_t>((uint64_t{1} << n) - 1);
  return V::FromMaskBits(p == nullptr ? all : ValidBits(p, n));
}

CT_INLINE uint64_t CountValid(const uint8_t* p, size_t n) {
  if (p == nullptr) return n;
  uint64_t count = 0;
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    uint64_t bytes;
    memcpy(&bytes, p + i, sizeof(bytes));
    count += ValidBytes(bytes) * kByteOnes >> 56;
  }
  for (; i < n; ++i) count += p[i] != 0 ? 1 : 0;
  return count;
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_TOKEN_MASK_H_
