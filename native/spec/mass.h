#ifndef CROSSTHINK_SPEC_MASS_H_
#define CROSSTHINK_SPEC_MASS_H_

#include <cstdint>

#include "spec/annotate.h"

// Probability masses as integers: their sums do not depend on the order of addition, so CPU and GPU may search
// differently and still cut, and draw, at the same token. docs/numerics.md, section 5.
namespace crossthink::spec {
namespace {

// A candidate's mass is trunc(2^(z - R) * 2^40), R = ceil of the row's largest z: at most 2^40 each.
constexpr float kMassScale = 0x1p40F;
// Inside one tile, relative to the tile's reference: at most 2^52 for a whole tile, so float64 adds them exactly.
constexpr float kTileMassScale = 0x1p36F;

CT_HD CT_INLINE uint64_t Mass(float probability) { return static_cast<uint64_t>(probability * kMassScale); }

// High half of a 64 x 64 bit product, in 32-bit steps that every compiler has.
CT_HD CT_INLINE uint64_t MultiplyHigh(uint64_t a, uint64_t b) {
  const uint64_t a0 = static_cast<uint32_t>(a);
  const uint64_t a1 = a >> 32;
  const uint64_t b0 = static_cast<uint32_t>(b);
  const uint64_t b1 = b >> 32;
  const uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
  const uint64_t middle2 = a0 * b1 + static_cast<uint32_t>(middle);
  return a1 * b1 + (middle >> 32) + (middle2 >> 32);
}

// A uniform integer in [0, total) from 64 random bits: floor(bits * total / 2^64).
CT_HD CT_INLINE uint64_t DrawBelow(uint64_t bits, uint64_t total) { return MultiplyHigh(bits, total); }

}  // namespace
}  // namespace crossthink::spec

#endif  // CROSSTHINK_SPEC_MASS_H_
