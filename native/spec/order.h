#ifndef CROSSTHINK_SPEC_ORDER_H_
#define CROSSTHINK_SPEC_ORDER_H_

#include <cstdint>

#include "spec/annotate.h"
#include "spec/bits.h"

// Ties: value descending, then token id ascending, everywhere.
namespace crossthink::spec {
namespace {

// Larger key = earlier in the order. Keys of different tokens are never equal.
CT_HD CT_INLINE uint64_t OrderKey(float value, uint32_t token) {
  return uint64_t{OrderedBits(value)} << 32 | static_cast<uint32_t>(~token);
}

CT_HD CT_INLINE uint32_t KeyToken(uint64_t key) { return ~static_cast<uint32_t>(key); }
CT_HD CT_INLINE float KeyValue(uint64_t key) { return FromOrderedBits(static_cast<uint32_t>(key >> 32)); }

}  // namespace
}  // namespace crossthink::spec

#endif  // CROSSTHINK_SPEC_ORDER_H_
