#ifndef CROSSTHINK_KERNELS_POLICY_LOSS_SELECTION_KEYS_H_
#define CROSSTHINK_KERNELS_POLICY_LOSS_SELECTION_KEYS_H_

#include <cstddef>
#include <cstdint>

#include "kernels/policy_loss/selection.h"
#include "kernels/policy_loss/token_terms.h"
#include "simd/scalar.h"
#include "spec/annotate.h"
#include "spec/bits.h"
#include "spec/philox.h"

// What the tokens of a selection are ordered by, on the CPU and on a CUDA thread: larger keys first, then by position.
// A NaN is no candidate. docs/losses.md, "Selections".
namespace crossthink {
namespace {

CT_HD CT_INLINE bool IsCandidate(const uint8_t* mask, size_t t) { return mask == nullptr || mask[t] != 0; }

// How many tokens a share of `count` is.
CT_HD CT_INLINE size_t ShareOf(double ratio, size_t count) {
  const auto share = static_cast<size_t>(ratio * static_cast<double>(count));
  return share == 0 ? 1 : share;
}

CT_HD CT_INLINE bool IsClipped(const CovarianceSelection& op, size_t t, float advantage) {
  const float ratio = Ratio<simd::Scalar>(op.logprobs[t] - op.old_logprobs[t]);
  return advantage < 0 ? ratio < op.ratio_low : advantage > 0 && ratio > op.ratio_high;
}

// Random order: the negated draw, so that the smallest comes first. 53 bits of a draw are exact in float64.
CT_HD CT_INLINE double RandomKey(const CovarianceSelection& op, size_t sequence, size_t position) {
  const spec::PhiloxWords words =
      spec::Draw(op.seed, op.first_sequence + sequence, static_cast<uint32_t>(position), 0, spec::Purpose::kClipCov);
  return -spec::UnitDouble(spec::FirstWord64(words));
}

struct CovarianceMeans {
  double advantage;
  double logprob;
};

// Of a valid token t, at `position` of its sequence.
CT_HD CT_INLINE double CovarianceKey(const CovarianceSelection& op, const CovarianceMeans& means, size_t sequence,
                                     size_t position, size_t t, float advantage) {
  const double covariance =
      (static_cast<double>(advantage) - means.advantage) * (static_cast<double>(op.logprobs[t]) - means.logprob);
  if (op.largest) return covariance;
  const bool eligible = covariance > op.low && covariance < op.high && !IsClipped(op, t, advantage);
  return eligible ? RandomKey(op, sequence, position) : static_cast<double>(spec::QuietNan());
}

// Of a valid token.
CT_HD CT_INLINE double SecondMoment(const SecondMomentMask& op, size_t t) {
  const double d = static_cast<double>(op.rollout_logprobs[t]) - static_cast<double>(op.logprobs[t]);
  return d * d;
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_POLICY_LOSS_SELECTION_KEYS_H_
