#ifndef CROSSTHINK_KERNELS_POLICY_LOSS_SEQUENCE_H_
#define CROSSTHINK_KERNELS_POLICY_LOSS_SEQUENCE_H_

#include <cstddef>
#include <cstdint>
#include <limits>

#include "kernels/policy_loss/policy_loss.h"
#include "kernels/policy_loss/token_terms.h"
#include "simd/scalar.h"
#include "spec/annotate.h"
#include "spec/bits.h"

// What the token pass of a policy loss must know of a sequence, from its sums and from the counts of the batch, and
// which passes a loss needs: the same on the CPU and on a CUDA thread.
namespace crossthink {
namespace {

constexpr double kNoLimit = std::numeric_limits<double>::infinity();

// Counts of a call: what an aggregation divides by unless a denominator is given.
struct LossCounts {
  uint64_t tokens;     // Valid ones.
  uint64_t sequences;  // With a valid token, or all of them.
  uint64_t prompts;    // With a valid token.
};

// d(loss)/d(token loss) in a sequence of `valid` tokens, `prompt_valid` in all of its prompt. docs/losses.md,
// "Aggregation".
CT_HD CT_INLINE double ScaleOf(const PolicyLoss& op, const LossCounts& counts, uint64_t valid, uint64_t prompt_valid) {
  if (valid == 0) return 0;
  const auto over = [&](uint64_t counted) {
    return op.denominator != 0 ? op.denominator : static_cast<double>(counted);
  };
  switch (op.aggregation) {
    case Aggregation::kTokenMean:
      return 1.0 / over(counts.tokens);
    case Aggregation::kTokenSum:
      return 1.0 / over(1);
    case Aggregation::kSeqMeanTokenMean:
      return 1.0 / (over(counts.sequences) * static_cast<double>(valid));
    case Aggregation::kSeqMeanTokenSum:
      return 1.0 / over(counts.sequences);
    case Aggregation::kSeqMeanTokenSumNorm:
      return 1.0 / (over(counts.sequences) * op.horizon);
    default:
      return 1.0 / (over(counts.prompts) * static_cast<double>(prompt_valid));
  }
}

// VESPO's phi(w) = e^(lambda + k ln w - lambda w), ln w clamped to [ln 1e-8, 20].
CT_HD CT_INLINE float GammaWeight(const PolicyLoss& op, float log_weight, float advantage) {
  const float* p = advantage >= 0 ? op.vespo : op.vespo + 2;
  const float clamped = Clamp<simd::Scalar>(log_weight, -18.420681F, 20.0F);
  const float w = spec::Exp<simd::Scalar>(clamped);
  return spec::Exp<simd::Scalar>((p[1] + p[0] * clamped) - p[1] * w);
}

// The loop of a loss that nothing but log-probs, a mask and a k3 is given to.
inline PlainLoss PlainLossOf(const PolicyLoss& op) {
  const float infinity = spec::Infinity();
  const LossParams& p = op.params;
  const bool kl = op.ref_logprobs != nullptr;
  if (op.token_advantages || op.weights != nullptr || op.entropies != nullptr || op.selected != nullptr ||
      op.off_policy_limit != kNoLimit || op.kl_correction == KlCorrection::kRatio ||
      (kl && (op.kl_form != KlForm::kK3 || op.kl_squared_gradient))) {
    return PlainLoss::kNone;
  }
  const bool limits = p.dual_clip != infinity || p.delta != infinity || p.log_ratio_limit != infinity ||
                      (kl && (p.kl_input_limit != infinity || p.kl_output_limit != infinity ||
                              op.kl_correction == KlCorrection::kOnPolicy));
  if (op.loss == Loss::kClip && !op.sequence_ratio) return limits ? PlainLoss::kLimitedClip : PlainLoss::kClip;
  if (limits) return PlainLoss::kNone;
  if (op.loss == Loss::kClip) return PlainLoss::kSequenceClip;
  return op.loss == Loss::kCispo && !op.sequence_ratio ? PlainLoss::kCispo : PlainLoss::kNone;
}

inline bool NeedsSequenceSums(const PolicyLoss& op) {
  return op.sequence_ratio || op.loss == Loss::kGmpo || op.loss == Loss::kVespo || op.off_policy_limit != kNoLimit;
}

CT_HD CT_INLINE void FinishSequence(const PolicyLoss& op, size_t s, SequenceTerms* term) {
  if (term->valid == 0) return;
  const auto count = static_cast<double>(term->valid);
  const auto mean = static_cast<float>(term->log_ratio_sum / count);
  const float advantage = op.token_advantages ? 0.0F : op.advantages[s];
  const float limit = op.params.log_ratio_limit;
  if (op.sequence_ratio) {
    const float clamped = Clamp<simd::Scalar>(mean, -limit, limit);
    term->ratio = Ratio<simd::Scalar>(clamped);
    term->limited = mean < -limit || mean > limit;
  }
  if (op.loss == Loss::kGmpo) term->factor = Ratio<simd::Scalar>(mean);
  if (op.loss == Loss::kVespo) term->factor = GammaWeight(op, static_cast<float>(term->log_ratio_sum), advantage);
  term->dropped = advantage < 0 && term->divergence_sum / count > op.off_policy_limit;
}

// Whether no token of a tile can have a loss that is not finite, by the tile's sums of policy term, KL and entropy.
CT_HD CT_INLINE bool SumsAreFinite(const PolicyLoss& op, double policy, double kl, double entropy) {
  return policy - policy == 0 && (op.params.kl_coef == 0.0F || kl - kl == 0) &&
         (op.params.entropy_coef == 0.0F || entropy - entropy == 0);
}

// A sequence's part of the loss, from its row of sums.
CT_HD CT_INLINE double LossOf(const PolicyLoss& op, const double* row, double scale) {
  double loss = row[kPolicyLoss];
  if (op.params.kl_coef != 0.0F) loss += static_cast<double>(op.params.kl_coef) * row[kKl];
  if (op.params.entropy_coef != 0.0F) loss -= static_cast<double>(op.params.entropy_coef) * row[kEntropy];
  return scale * loss;
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_POLICY_LOSS_SEQUENCE_H_
