#include "kernels/policy_loss/policy_loss.h"

#include <algorithm>
#include <vector>

#include "kernels/token_mask.h"
#include "runtime/thread_pool.h"

namespace crossthink {
namespace {

constexpr size_t kTokensPerTask = 16384;

// Sequences per task: enough tokens to be worth a hand-over.
size_t Grain(const PolicyLoss& op) {
  const size_t tokens = static_cast<size_t>(op.offsets[op.sequences]);
  const size_t mean = std::max<size_t>(1, tokens / std::max<size_t>(1, op.sequences));
  return std::max<size_t>(1, kTokensPerTask / mean);
}

// d(loss)/d(token loss) of a sequence with `valid` tokens.
double ScaleOf(Aggregation aggregation, double denominator, uint64_t valid) {
  if (aggregation == Aggregation::kTokenMean) return 1.0 / denominator;
  return 1.0 / (denominator * static_cast<double>(valid));
}

}  // namespace

PolicyLossResult RunPolicyLoss(const PolicyLoss& op, const PolicyLossKernel& kernel, unsigned threads) {
  ThreadPool& pool = ThreadPool::Instance();
  const size_t grain = Grain(op);
  std::vector<SequenceTerms> terms(op.sequences);
  uint64_t tokens = 0;
  uint64_t sequences = 0;
  for (size_t s = 0; s < op.sequences; ++s) {
    const auto begin = static_cast<size_t>(op.offsets[s]);
    const auto end = static_cast<size_t>(op.offsets[s + 1]);
    terms[s].valid = CountValid(op.mask == nullptr ? nullptr : op.mask + begin, end - begin);
    tokens += terms[s].valid;
    sequences += terms[s].valid != 0 ? 1 : 0;
  }
  const uint64_t counted = op.aggregation == Aggregation::kTokenMean ? tokens : sequences;
  const double denominator = op.denominator != 0 ? op.denominator : static_cast<double>(counted);
  for (SequenceTerms& t : terms) {
    if (t.valid != 0) t.scale = static_cast<float>(ScaleOf(op.aggregation, denominator, t.valid));
  }

  std::vector<double> sums(op.sequences * kLossSums);
  pool.ParallelFor(
      op.sequences, grain, [&](size_t begin, size_t end) { kernel.tokens(op, terms.data(), sums.data(), begin, end); },
      threads);

  PolicyLossResult result = {};
  for (size_t s = 0; s < op.sequences; ++s) {
    const double* row = sums.data() + s * kLossSums;
    for (size_t k = 0; k < kLossSums; ++k) result.sums[k] += row[k];
    if (terms[s].valid == 0) continue;
    const double scale = ScaleOf(op.aggregation, denominator, terms[s].valid);
    const auto kl_coef = static_cast<double>(op.params.kl_coef);
    result.loss += scale * (kl_coef != 0 ? row[kPolicyLoss] + kl_coef * row[kKl] : row[kPolicyLoss]);
  }
  return result;
}

}  // namespace crossthink
