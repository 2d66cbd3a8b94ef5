#include "kernels/policy_loss/policy_loss.h"

#include <vector>

#include "kernels/policy_loss/sequence.h"
#include "kernels/sequences_per_task.h"
#include "kernels/token_mask.h"
#include "runtime/thread_pool.h"

namespace crossthink {
namespace {

LossCounts CountTokens(const PolicyLoss& op, std::vector<SequenceTerms>* terms) {
  LossCounts counts = {};
  for (size_t s = 0; s < op.sequences; ++s) {
    const auto begin = static_cast<size_t>(op.offsets[s]);
    const size_t n = static_cast<size_t>(op.offsets[s + 1]) - begin;
    const uint64_t valid = CountMask(op.mask == nullptr ? nullptr : op.mask + begin, n);
    (*terms)[s].valid = valid;
    counts.tokens += valid;
    counts.sequences += valid != 0 || op.count_empty ? 1 : 0;
  }
  return counts;
}

// d(loss)/d(token loss) of every sequence.
void SetScales(const PolicyLoss& op, LossCounts counts, std::vector<SequenceTerms>* terms) {
  std::vector<uint64_t> prompt_valid;
  if (op.aggregation == Aggregation::kPromptMean) {
    prompt_valid.resize(terms->size());
    for (size_t p = 0; p < op.prompt_count; ++p) {
      uint64_t tokens = 0;
      for (int32_t s = op.prompts[p]; s < op.prompts[p + 1]; ++s) tokens += (*terms)[s].valid;
      for (int32_t s = op.prompts[p]; s < op.prompts[p + 1]; ++s) prompt_valid[s] = tokens;
      counts.prompts += tokens != 0 ? 1 : 0;
    }
  }
  for (size_t s = 0; s < terms->size(); ++s) {
    (*terms)[s].scale = ScaleOf(op, counts, (*terms)[s].valid, prompt_valid.empty() ? 0 : prompt_valid[s]);
  }
}

}  // namespace

PolicyLossResult RunPolicyLoss(const PolicyLoss& op, const PolicyLossKernel& kernel, unsigned threads) {
  ThreadPool& pool = ThreadPool::Instance();
  const size_t grain = SequencesPerTask(op.offsets, op.sequences);
  std::vector<SequenceTerms> terms(op.sequences);
  SetScales(op, CountTokens(op, &terms), &terms);
  std::vector<double> sums(op.sequences * kLossSums);
  const PlainLoss plain = PlainLossOf(op);
  const auto tokens = plain == PlainLoss::kNone
                          ? kernel.tokens[static_cast<size_t>(op.loss)]
                          : kernel.plain[static_cast<size_t>(plain)][op.ref_logprobs != nullptr ? 1 : 0];
  const bool in_two_passes = NeedsSequenceSums(op);
  const auto body = [&](size_t begin, size_t end) {
    if (!in_two_passes) return tokens(op, terms.data(), sums.data(), begin, end);
    for (size_t s = begin; s < end; ++s) {  // The second pass finds in the cache what the first has read.
      kernel.sequences(op, terms.data(), s, s + 1);
      FinishSequence(op, s, &terms[s]);
      tokens(op, terms.data(), sums.data(), s, s + 1);
    }
  };
  pool.ParallelFor(op.sequences, grain, body, threads);

  PolicyLossResult result = {};
  for (size_t s = 0; s < op.sequences; ++s) {
    const double* row = sums.data() + s * kLossSums;
    for (size_t k = 0; k < kLossSums; ++k) result.sums[k] += row[k];
    if (terms[s].valid != 0) result.loss += LossOf(op, row, terms[s].scale);
  }
  return result;
}

}  // namespace crossthink
