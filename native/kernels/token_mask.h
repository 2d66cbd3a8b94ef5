#ifndef CROSSTHINK_KERNELS_TOKEN_MASK_H_
#define CROSSTHINK_KERNELS_TOKEN_MASK_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "spec/annotate.h"

// Byte masks, one byte per token: 0 = no, anything else = yes. A null mask says `absent` of every token.
namespace crossthink {
namespace {

// The first n lanes; n <= kWidth.
template <class V>
CT_HD CT_INLINE typename V::M FirstLanes(size_t n) {
  return V::FromMaskBits(static_cast<uint32_t>((uint64_t{1} << n) - 1));
}

// Lane i is byte i != 0 for i < n, false above.
template <class V>
CT_HD CT_INLINE typename V::M LoadMask(const uint8_t* p, size_t i, size_t n, bool absent) {
  if (p == nullptr) return FirstLanes<V>(absent ? n : 0);
  if (n == V::kWidth) return V::LoadBytes(p + i);
  uint32_t bits = 0;
  for (size_t j = 0; j < n; ++j) bits |= (p[i + j] != 0 ? 1U : 0U) << j;
  return V::FromMaskBits(bits);
}

// How many of p[0, n) are not 0; n where p is null.
CT_INLINE uint64_t CountMask(const uint8_t* p, size_t n) {
  if (p == nullptr) return n;
  constexpr uint64_t ones = 0x0101010101010101ULL;
  constexpr uint64_t low7 = 0x7f * ones;
  uint64_t count = 0;
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    uint64_t bytes;
    memcpy(&bytes, p + i, sizeof(bytes));
    count += (((((bytes & low7) + low7) | bytes) >> 7) & ones) * ones >> 56;
  }
  for (; i < n; ++i) count += p[i] != 0 ? 1 : 0;
  return count;
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_TOKEN_MASK_H_
