#include "kernels/policy_loss/policy_loss.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "kernels/policy_loss/token_terms.h"
#include "kernels/sequences_per_task.h"
#include "kernels/token_mask.h"
#include "runtime/thread_pool.h"
#include "simd/scalar.h"

namespace crossthink {
namespace {

using simd::Scalar;

struct Counts {
  uint64_t tokens = 0;
  uint64_t sequences = 0;
};

Counts CountTokens(const PolicyLoss& op, std::vector<SequenceTerms>* terms) {
  Counts counts;
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

// d(loss)/d(token loss) of every sequence. docs/losses.md, "Aggregation".
void SetScales(const PolicyLoss& op, const Counts& counts, std::vector<SequenceTerms>* terms) {
  const auto over = [&](uint64_t counted) {
    return op.denominator != 0 ? op.denominator : static_cast<double>(counted);
  };
  if (op.aggregation == Aggregation::kPromptMean) {
    std::vector<uint64_t> tokens(op.prompt_count);
    uint64_t prompts = 0;
    for (size_t p = 0; p < op.prompt_count; ++p) {
      for (int32_t s = op.prompts[p]; s < op.prompts[p + 1]; ++s) tokens[p] += (*terms)[s].valid;
      prompts += tokens[p] != 0 ? 1 : 0;
    }
    for (size_t p = 0; p < op.prompt_count; ++p) {
      for (int32_t s = op.prompts[p]; s < op.prompts[p + 1]; ++s) {
        if (tokens[p] != 0) (*terms)[s].scale = 1.0 / (over(prompts) * static_cast<double>(tokens[p]));
      }
    }
    return;
  }
  for (SequenceTerms& term : *terms) {
    if (term.valid == 0) continue;
    switch (op.aggregation) {
      case Aggregation::kTokenMean:
        term.scale = 1.0 / over(counts.tokens);
        break;
      case Aggregation::kTokenSum:
        term.scale = 1.0 / over(1);
        break;
      case Aggregation::kSeqMeanTokenMean:
        term.scale = 1.0 / (over(counts.sequences) * static_cast<double>(term.valid));
        break;
      case Aggregation::kSeqMeanTokenSum:
        term.scale = 1.0 / over(counts.sequences);
        break;
      default:
        term.scale = 1.0 / (over(counts.sequences) * op.horizon);
    }
  }
}

// VESPO's phi(w) = e^(lambda + k ln w - lambda w), ln w clamped to [ln 1e-8, 20].
float GammaWeight(const PolicyLoss& op, float log_weight, float advantage) {
  const float* p = advantage >= 0 ? op.vespo : op.vespo + 2;
  const float clamped = Clamp<Scalar>(log_weight, -18.420681F, 20.0F);
  const float w = spec::Exp<Scalar>(clamped);
  return spec::Exp<Scalar>((p[1] + p[0] * clamped) - p[1] * w);
}

bool IsPlain(const PolicyLoss& op) {
  const float infinity = std::numeric_limits<float>::infinity();
  const LossParams& p = op.params;
  return op.loss == Loss::kClip && p.dual_clip == infinity && p.delta == infinity && p.log_ratio_limit == infinity &&
         !op.sequence_ratio && !op.token_advantages && op.weights == nullptr && op.entropies == nullptr &&
         op.selected == nullptr && op.off_policy_limit == std::numeric_limits<double>::infinity();
}

bool NeedsSequenceSums(const PolicyLoss& op) {
  return op.sequence_ratio || op.loss == Loss::kGmpo || op.loss == Loss::kVespo ||
         op.off_policy_limit != std::numeric_limits<double>::infinity();
}

void FinishSequence(const PolicyLoss& op, size_t s, SequenceTerms* term) {
  if (term->valid == 0) return;
  const auto count = static_cast<double>(term->valid);
  const auto mean = static_cast<float>(term->log_ratio_sum / count);
  const float advantage = op.token_advantages ? 0.0F : op.advantages[s];
  const float limit = op.params.log_ratio_limit;
  if (op.sequence_ratio) {
    const float clamped = Clamp<Scalar>(mean, -limit, limit);
    term->ratio = Ratio<Scalar>(clamped);
    term->limited = mean < -limit || mean > limit;
  }
  if (op.loss == Loss::kGmpo) term->factor = Ratio<Scalar>(mean);
  if (op.loss == Loss::kVespo) term->factor = GammaWeight(op, static_cast<float>(term->log_ratio_sum), advantage);
  term->dropped = advantage < 0 && term->divergence_sum / count > op.off_policy_limit;
}

}  // namespace

PolicyLossResult RunPolicyLoss(const PolicyLoss& op, const PolicyLossKernel& kernel, unsigned threads) {
  ThreadPool& pool = ThreadPool::Instance();
  const size_t grain = SequencesPerTask(op.offsets, op.sequences);
  std::vector<SequenceTerms> terms(op.sequences);
  SetScales(op, CountTokens(op, &terms), &terms);
  if (NeedsSequenceSums(op)) {
    const auto body = [&](size_t begin, size_t end) {
      kernel.sequences(op, terms.data(), begin, end);
      for (size_t s = begin; s < end; ++s) FinishSequence(op, s, &terms[s]);
    };
    pool.ParallelFor(op.sequences, grain, body, threads);
  }

  std::vector<double> sums(op.sequences * kLossSums);
  const auto tokens = IsPlain(op) ? kernel.plain_clip : kernel.tokens[static_cast<size_t>(op.loss)];
  const auto body = [&](size_t begin, size_t end) { tokens(op, terms.data(), sums.data(), begin, end); };
  pool.ParallelFor(op.sequences, grain, body, threads);

  const auto kl_coef = static_cast<double>(op.params.kl_coef);
  const auto entropy_coef = static_cast<double>(op.params.entropy_coef);
  PolicyLossResult result = {};
  for (size_t s = 0; s < op.sequences; ++s) {
    const double* row = sums.data() + s * kLossSums;
    for (size_t k = 0; k < kLossSums; ++k) result.sums[k] += row[k];
    if (terms[s].valid == 0) continue;
    double loss = row[kPolicyLoss];
    if (kl_coef != 0) loss += kl_coef * row[kKl];
    if (entropy_coef != 0) loss -= entropy_coef * row[kEntropy];
    result.loss += terms[s].scale * loss;
  }
  return result;
}

}  // namespace crossthink
