#ifndef CROSSTHINK_SPEC_PHILOX_H_
#define CROSSTHINK_SPEC_PHILOX_H_

#include <cstdint>

#include "spec/annotate.h"

// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011), keyed by what is drawn, never by
// where in a batch it happens to stand. docs/numerics.md, section 6.
namespace crossthink::spec {
namespace {

// What a draw is for. The numbers are part of the specification: append, never renumber.
enum class Purpose : uint32_t {
  kSample = 0,      // Inverse-CDF draw of a token.
  kGumbel = 1,      // Key of the per-token Gumbel noise.
  kAccept = 2,      // Speculative sampling: accept or reject a draft token.
  kResidual = 3,    // Speculative sampling: draw from the residual distribution.
  kXtc = 4,         // XTC: whether the top choices are excluded.
  kClipCov = 5,     // Clip-Cov: which tokens are left out.
  kShuffle = 6,     // Permutations and blends.
  kInitialise = 7,  // Weights of the reference policy.
};

struct PhiloxWords {
  uint32_t w[4];
};

CT_HD CT_INLINE PhiloxWords Philox4x32(PhiloxWords counter, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53U} * counter.w[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57U} * counter.w[2];
    counter = {{static_cast<uint32_t>(product1 >> 32) ^ counter.w[1] ^ key0, static_cast<uint32_t>(product1),
                static_cast<uint32_t>(product0 >> 32) ^ counter.w[3] ^ key1, static_cast<uint32_t>(product0)}};
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
  return counter;
}

// The 128 random bits of (seed, sequence, position, sample, purpose); sample < 2^24.
CT_HD CT_INLINE PhiloxWords Draw(uint64_t seed, uint64_t sequence, uint32_t position, uint32_t sample,
                                 Purpose purpose) {
  const PhiloxWords counter = {{static_cast<uint32_t>(sequence), static_cast<uint32_t>(sequence >> 32), position,
                                (static_cast<uint32_t>(purpose) << 24) | sample}};
  return Philox4x32(counter, static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32));
}

CT_HD CT_INLINE uint64_t FirstWord64(const PhiloxWords& words) { return uint64_t{words.w[1]} << 32 | words.w[0]; }

// [0, 1) on the grid of 2^-53, exact in float64.
CT_HD CT_INLINE double UnitDouble(uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

// (0, 1) on the grid of 2^-24 + 2^-25, exact in float32: never 0 or 1, so a logarithm is always finite.
CT_HD CT_INLINE float UnitFloatOpen(uint32_t bits) { return static_cast<float>(bits >> 9) * 0x1p-23F + 0x1p-24F; }

}  // namespace
}  // namespace crossthink::spec

#endif  // CROSSTHINK_SPEC_PHILOX_H_
