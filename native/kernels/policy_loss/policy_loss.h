#ifndef CROSSTHINK_KERNELS_POLICY_LOSS_POLICY_LOSS_H_
#define CROSSTHINK_KERNELS_POLICY_LOSS_POLICY_LOSS_H_

#include <cstddef>
#include <cstdint>

namespace crossthink {

// Parameters of the per-token formulas; docs/losses.md has each formula with its source.
struct LossParams {
  float ratio_low = 0.8F;  // The ratio is clipped to [ratio_low, ratio_high].
  float ratio_high = 1.2F;
  float kl_coef = 0.0F;  // Of the KL term in the loss; the KL itself is measured wherever there is a reference.
};

enum class Aggregation : uint8_t { kTokenMean = 0, kSeqMeanTokenMean = 1 };

// Additive results, per sequence and in total. The order is shared with lib/kernels/policyLoss.ts.
enum LossSum : size_t {
  kTokens = 0,   // Valid tokens.
  kSequences,    // Sequences with a valid token.
  kPolicyLoss,   // Sum over tokens of the policy term, unscaled.
  kKl,           // Of the KL estimate.
  kLogRatio,     // Of logprob - old.
  kClippedLow,   // Tokens without gradient because ratio < ratio_low and advantage < 0,
  kClippedHigh,  // ratio > ratio_high and advantage > 0.
  kNonFinite,    // Valid tokens whose loss is NaN or infinite.
  kLossSums
};

// Clipped policy loss of packed sequences and dL/dlogprob. Sequence s holds tokens [offsets[s], offsets[s + 1]).
struct PolicyLoss {
  size_t sequences = 0;
  const int32_t* offsets = nullptr;
  const float* logprobs = nullptr;
  const float* old_logprobs = nullptr;
  const float* ref_logprobs = nullptr;  // Null: no KL.
  const float* advantages = nullptr;    // One per sequence.
  const uint8_t* mask = nullptr;        // Null: every token is valid.
  LossParams params;
  Aggregation aggregation = Aggregation::kTokenMean;
  double denominator = 0;  // Tokens or sequences to divide by; 0: those of this call.

  float* d_logprobs = nullptr;  // Exactly 0 at masked tokens.
};

struct PolicyLossResult {
  double loss;
  double sums[kLossSums];
};

// What the token pass is told of a sequence.
struct SequenceTerms {
  uint64_t valid = 0;
  float scale = 0;  // d(loss)/d(token loss).
};

struct PolicyLossKernel {
  void (*tokens)(const PolicyLoss& op, const SequenceTerms* terms, double* sums, size_t begin, size_t end);
};

// Runs on the shared pool, on at most `threads` threads (0: all).
PolicyLossResult RunPolicyLoss(const PolicyLoss& op, const PolicyLossKernel& kernel, unsigned threads);

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_POLICY_LOSS_POLICY_LOSS_H_
