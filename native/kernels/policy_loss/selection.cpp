#include "kernels/policy_loss/selection.h"

#include <algorithm>
#include <vector>

#include "kernels/policy_loss/selection_keys.h"

namespace crossthink {
namespace {

// A token and what it is ordered by: larger first, then by position.
struct Candidate {
  double key;
  size_t token;
  bool operator<(const Candidate& other) const { return key != other.key ? key > other.key : token < other.token; }
};

// Sets the bytes of the first `wanted` candidates to `value`.
void MarkFirst(std::vector<Candidate>* candidates, size_t wanted, uint8_t value, uint8_t* bytes) {
  const size_t n = std::min(wanted, candidates->size());
  std::nth_element(candidates->begin(), candidates->begin() + static_cast<ptrdiff_t>(n), candidates->end());
  for (size_t i = 0; i < n; ++i) bytes[(*candidates)[i].token] = value;
}

}  // namespace

void RunCovarianceSelection(const CovarianceSelection& op) {
  const auto tokens = static_cast<size_t>(op.offsets[op.sequences]);
  const auto advantage = [&](size_t s, size_t t) { return op.advantages[op.token_advantages ? t : s]; };
  const auto for_valid = [&](auto body) {
    for (size_t s = 0; s < op.sequences; ++s) {
      const auto begin = static_cast<size_t>(op.offsets[s]);
      for (size_t t = begin; t < static_cast<size_t>(op.offsets[s + 1]); ++t) {
        if (IsCandidate(op.mask, t)) body(s, t, t - begin);
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
  const auto n = static_cast<double>(count);
  const CovarianceMeans means = {advantage_sum / n, logprob_sum / n};
  std::vector<Candidate> candidates;
  for_valid([&](size_t s, size_t t, size_t position) {
    const double key = CovarianceKey(op, means, s, position, t, advantage(s, t));
    if (key == key) candidates.push_back({key, t});
  });
  MarkFirst(&candidates, ShareOf(op.ratio, count), 1, op.selected);
}

void RunEntropySelection(const EntropySelection& op) {
  std::vector<Candidate> candidates;
  size_t count = 0;
  for (size_t t = 0; t < op.tokens; ++t) {
    const bool valid = IsCandidate(op.mask, t);
    op.selected[t] = valid ? 1 : 0;
    count += valid ? 1 : 0;
    if (valid && op.entropies[t] == op.entropies[t]) candidates.push_back({static_cast<double>(op.entropies[t]), t});
  }
  if (count != 0) MarkFirst(&candidates, ShareOf(op.ratio, count), 0, op.selected);
}

void RunSecondMomentMask(const SecondMomentMask& op) {
  std::vector<Candidate> candidates;
  for (size_t t = 0; t < op.tokens; ++t) {
    op.mask_out[t] = 0;
    if (!IsCandidate(op.mask, t)) continue;
    const double key = SecondMoment(op, t);
    if (key == key) candidates.push_back({key, t});  // Not a number: further off than anything.
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
