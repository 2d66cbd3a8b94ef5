#ifndef CROSSTHINK_KERNELS_POLICY_LOSS_POLICY_LOSS_H_
#define CROSSTHINK_KERNELS_POLICY_LOSS_POLICY_LOSS_H_

#include <cstddef>
#include <cstdint>

namespace crossthink {

// The policy term of a token; docs/losses.md has each formula with its source. The order of this and every other
// enumeration here is shared with lib/kernels/lossSettings.ts.
enum class Loss : uint8_t {
  kClip = 0,   // PPO clip with its variants: clip-higher, dual clip, delta, and Clip-Cov through `selected`.
  kCispo,      // The clipped ratio weighs the log-likelihood.
  kTopr,       // The same, clipped to [0, 1] where the advantage is not positive and 1 where it is.
  kReinforce,  // Weight 1.
  kDppoTv,     // Weight min(r, cap), masked by the change of the token's probability,
  kDppoKl,     // or by the binary KL.
  kVespo,      // Weight phi(w) of the sequence.
  kSapo,       // A sigmoid gate instead of the clip.
  kGmpo,       // Geometric mean over the sequence of clipped ratios.
  kKlCov,      // No clip; |log ratio| is penalised at the `selected` tokens.
  kSquared,    // REINFORCE with a squared log-ratio: DRO, Kimi-1.5.
};
constexpr size_t kLosses = 11;

// Losses that have a loop of their own on the CPU, the first on CUDA too: those of most training, see PlainLossOf.
enum class PlainLoss : uint8_t {
  kClip = 0,      // The clip, clip-higher.
  kLimitedClip,   // With dual clip, delta, limits of log-ratio and KL, the on-policy weight of the KL.
  kSequenceClip,  // With the ratio of the sequence.
  kCispo,
  kNone,
};
constexpr size_t kPlainLosses = 4;

enum class KlForm : uint8_t { kK1 = 0, kK2, kK3, kAbsolute };
// What the KL term is multiplied with, gradient included.
enum class KlCorrection : uint8_t { kNone = 0, kRatio, kOnPolicy };

// Parameters of the per-token formulas.
struct LossParams {
  float ratio_low;        // The ratio is clipped to [ratio_low, ratio_high].
  float ratio_high;       //
  float dual_clip;        // Bound of r |A| where A < 0; inf: none.
  float delta;            // Bound of the unclipped ratio; inf: none.
  float log_ratio_limit;  // The log-ratio is clamped to +- this; inf: none.
  float tau_positive;     // SAPO: temperature where A > 0,
  float tau_negative;     // and elsewhere.
  float cap;              // DPPO: bound of the ratio.
  float coefficient;      // KL-Cov: of |log ratio|. Squared: of (log ratio)^2 / 2.
  float kl_coef;          // Of the KL term in the loss; 0 only measures it.
  float kl_input_limit;   // ref - logprob is clamped to +- this; inf: none.
  float kl_output_limit;  // And the estimate.
  float entropy_coef;     // Of the entropy bonus.
};

enum class Aggregation : uint8_t {
  kTokenMean = 0,
  kTokenSum,
  kSeqMeanTokenMean,
  kSeqMeanTokenSum,
  kSeqMeanTokenSumNorm,
  kPromptMean,
};

// Additive results, per sequence and in total.
enum LossSum : size_t {
  kTokens = 0,   // Valid tokens.
  kSequences,    // Sequences with a valid token.
  kPolicyLoss,   // Sum over tokens of the policy term, weighted, without aggregation.
  kKl,           // Of the KL estimate.
  kEntropy,      // Of the entropies.
  kLogRatio,     // Of logprob - old.
  kRatio,        // Of the ratio.
  kWeight,       // Of the weights.
  kClippedLow,   // Tokens where the low bound acted,
  kClippedHigh,  // the high one,
  kClippedDual,  // the dual clip or delta.
  kDropped,      // Tokens without policy term: selected, or of a sequence that is off-policy.
  kNonFinite,    // Valid tokens whose loss is NaN or infinite.
  kLossSums
};

struct PolicyLossResult {
  double loss;
  double sums[kLossSums];
};

// Policy loss of packed sequences with its gradients. Sequence s holds tokens [offsets[s], offsets[s + 1]). Null arrays
// are absent.
struct PolicyLoss {
  size_t tokens = 0;  // Of all sequences.
  size_t sequences = 0;
  const int32_t* offsets = nullptr;
  const float* logprobs = nullptr;
  const float* old_logprobs = nullptr;
  const float* rollout_logprobs = nullptr;  // For the off-policy limit; absent: old_logprobs.
  const float* ref_logprobs = nullptr;
  const float* entropies = nullptr;
  const float* advantages = nullptr;  // One per sequence, or per token:
  bool token_advantages = false;
  const float* weights = nullptr;     // Of the policy term, per token: rollout correction.
  const uint8_t* mask = nullptr;      // Absent: every token is valid.
  const uint8_t* selected = nullptr;  // Clip-Cov, KL-Cov. Absent: none.
  const int32_t* prompts = nullptr;   // kPromptMean: prompt p has sequences [prompts[p], prompts[p + 1]).
  size_t prompt_count = 0;

  Loss loss = Loss::kClip;
  LossParams params = {};
  bool sequence_ratio = false;  // The ratio of a token is that of its sequence, e^mean(log ratio).
  float vespo[4] = {};          // k, lambda where A >= 0; k, lambda elsewhere.
  double off_policy_limit = 0;  // Drops sequences with A < 0 and mean(rollout - logprob) above it; inf: none.
  KlForm kl_form = KlForm::kK3;
  bool kl_squared_gradient = false;  // "+": the gradient is that of k2.
  KlCorrection kl_correction = KlCorrection::kNone;
  Aggregation aggregation = Aggregation::kTokenMean;
  double denominator = 0;    // Tokens, sequences or prompts to divide by; 0: those of this call.
  double horizon = 1;        // kSeqMeanTokenSumNorm: tokens per sequence to divide by.
  bool count_empty = false;  // Sequences without a valid token count as sequences.

  float* d_logprobs = nullptr;         // Exactly 0 at masked tokens.
  float* d_entropies = nullptr;        // The same.
  PolicyLossResult* result = nullptr;  // On a GPU only: in its memory.
};

// What the token pass is told of a sequence.
struct SequenceTerms {
  uint64_t valid = 0;
  double scale = 0;          // d(loss)/d(token loss), as float32 for the gradients.
  double log_ratio_sum = 0;  // What the loss sums over the sequence first; see SequenceSums.
  double divergence_sum = 0;
  float ratio = 1;       // Of the sequence.
  float factor = 1;      // VESPO: phi. GMPO: the geometric mean.
  bool limited = false;  // The limit of the log-ratio acted on `ratio`.
  bool dropped = false;
};

struct PolicyLossKernel {
  // Fills log_ratio_sum and divergence_sum of sequences [begin, end).
  void (*sequences)(const PolicyLoss& op, SequenceTerms* terms, size_t begin, size_t end);
  // Gradients, and one row of kLossSums per sequence.
  using Tokens = void (*)(const PolicyLoss& op, const SequenceTerms* terms, double* sums, size_t begin, size_t end);
  Tokens tokens[kLosses];
  Tokens plain[kPlainLosses][2];  // Of PlainLossOf: without and with a KL.
};

// Runs on the shared pool, on at most `threads` threads (0: all).
PolicyLossResult RunPolicyLoss(const PolicyLoss& op, const PolicyLossKernel& kernel, unsigned threads);

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_POLICY_LOSS_POLICY_LOSS_H_
