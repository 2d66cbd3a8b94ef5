#include "kernels/policy_loss/selection.h"

#include <algorithm>
#include <vector>

#include "kernels/policy_loss/token_terms.h"
#include "simd/scalar.h"
#include "spec/philox.h"

namespace crossthink {
namespace {

using simd::Scalar;

// A token and what it is ordered by: larger first, then by position.
struct Candidate {
  double key;
  size_t token;
  bool operator<(const Candidate& other) const { return key != other.key ? key > other.key : token < other.token; }
};

bool Valid(const uint8_t* mask, size_t i) { return mask == nullptr || mask[i] != 0; }

bool Clipped(const CovarianceSelection& op, size_t t, float advantage) {
  const float ratio = Ratio<Scalar>(op.logprobs[t] - op.old_logprobs[t]);
  return advantage < 0 ? ratio < op.ratio_low : advantage > 0 && ratio > op.ratio_high;
}

// Random order: the negated draw, so that the smallest comes first. 53 bits of a draw are exact in float64.
double RandomKey(const CovarianceSelection& op, size_t sequence, size_t position) {
  const spec::PhiloxWords words =
      spec::Draw(op.seed, op.first_sequence + sequence, static_cast<uint32_t>(position), 0, spec::Purpose::kClipCov);
  return -spec::UnitDouble(spec::FirstWord64(words));
}

}  // namespace

void RunCovarianceSelection(const CovarianceSelection& op) {
  const auto tokens = static_cast<size_t>(op.offsets[op.sequences]);
  const auto advantage = [&](size_t s, size_t t) { return op.advantages[op.token_advantages ? t : s]; };
  const auto for_valid = [&](auto body) {
    for (size_t s = 0; s < op.sequences; ++s) {
      const auto begin = static_cast<size_t>(op.offsets[s]);
      for (size_t t = begin; t < static_cast<size_t>(op.offsets[s + 1]); ++t) {
        if (Valid(op.mask, t)) body(s, t, t - begin);
      }
    }
  };
  std::fill(op.selected, op.selected + tokens, uint8_t{0});
  size_t count = 0;
  double advantage_sum = 0;
  double logprob_sum = 0;
  for_valid([&](size_t s, size_t t, size_t) {
    ++count;
    advantage_sum += static_cast<double>(advantage(s, t));
    logprob_sum += static_cast<double>(op.logprobs[t]);
  });
  if (count == 0) return;
  const double advantage_mean = advantage_sum / static_cast<double>(count);
  const double logprob_mean = logprob_sum / static_cast<double>(count);
  std::vector<Candidate> candidates;
  for_valid([&](size_t s, size_t t, size_t position) {
    const float a = advantage(s, t);
    const double covariance =
        (static_cast<double>(a) - advantage_mean) * (static_cast<double>(op.logprobs[t]) - logprob_mean);
    if (covariance != covariance) return;
    if (op.largest) {
      candidates.push_back({covariance, t});
    } else if (covariance > op.low && covariance < op.high && !Clipped(op, t, a)) {
      candidates.push_back({RandomKey(op, s, position), t});
    }
  });
  const auto wanted = std::max<size_t>(1, static_cast<size_t>(op.ratio * static_cast<double>(count)));
  const size_t n = std::min(wanted, candidates.size());
  std::nth_element(candidates.begin(), candidates.begin() + static_cast<ptrdiff_t>(n), candidates.end());
  for (size_t i = 0; i < n; ++i) op.selected[candidates[i].token] = 1;
}

void RunSecondMomentMask(const SecondMomentMask& op) {
  std::vector<Candidate> candidates;
  for (size_t t = 0; t < op.tokens; ++t) {
    op.mask_out[t] = 0;
    if (!Valid(op.mask, t)) continue;
    const double d = static_cast<double>(op.rollout_logprobs[t]) - static_cast<double>(op.logprobs[t]);
    if (d != d) continue;  // Not a number: further off than anything.
    candidates.push_back({d * d, t});
  }
  std::sort(candidates.begin(), candidates.end());
  // From the smallest up: the longest tail whose mean is below the threshold.
  double sum = 0;
  size_t kept = candidates.empty() ? 0 : 1;
  for (size_t i = candidates.size(); i-- > 0;) {
    sum += candidates[i].key;
    const size_t n = candidates.size() - i;
    if (sum / static_cast<double>(n) < op.threshold) kept = n;
  }
  for (size_t i = candidates.size() - kept; i < candidates.size(); ++i) op.mask_out[candidates[i].token] = 1;
}

}  // namespace crossthink
