#ifndef CROSSTHINK_KERNELS_POLICY_LOSS_ROLLOUT_CORRECTION_H_
#define CROSSTHINK_KERNELS_POLICY_LOSS_ROLLOUT_CORRECTION_H_

#include <cstddef>
#include <cstdint>

namespace crossthink {

// What the mismatch x = logprob - rollout is reduced to before it is judged. A divergence of a token is k1 = -x,
// k2 = x^2 / 2 or k3 = e^x - 1 - x.
enum class RejectLevel : uint8_t { kToken = 0, kSequenceSum, kSequenceMean, kSequenceMax };
enum class RejectForm : uint8_t { kRatio = 0, kK2, kK3 };

// Rejects where the statistic is outside [low, high]; kRatio judges e^x, e^(sum x) or e^(mean x).
struct RejectRule {
  RejectLevel level;
  RejectForm form;
  float low;
  float high;
};
constexpr size_t kMaxRejectRules = 8;

enum class WeightLevel : uint8_t { kNone = 0, kToken, kSequence };

// Correction for the mismatch between the policy that sampled and the one that is trained: weights for the policy term,
// and a mask without what is too far off. docs/losses.md, "Rollout correction".
struct RolloutCorrection {
  size_t tokens = 0;  // Of all sequences.
  size_t sequences = 0;
  const int32_t* offsets = nullptr;
  const float* logprobs = nullptr;  // Of the trained policy.
  const float* rollout_logprobs = nullptr;
  const uint8_t* mask = nullptr;

  WeightLevel weights = WeightLevel::kToken;
  float low = 0;  // Weights outside [low, high] are clamped,
  float high = 2;
  bool zero_outside = false;  // or become 0.
  RejectRule rules[kMaxRejectRules];
  size_t rule_count = 0;
  bool reject_weight = false;  // Rejected tokens keep their mask and get weight 0.
  bool normalize = false;      // Weights are divided by their mean over the batch before the rules,
  double weight_mean = 0;      // or by this, where it is not 0.

  float* weights_out = nullptr;  // 0 at masked tokens.
  uint8_t* mask_out = nullptr;
  double* result = nullptr;  // On a GPU only: kCorrectionSums numbers in its memory.
};

enum CorrectionSum : size_t {
  kCorrectedTokens = 0,  // Valid tokens before the correction.
  kWeightSum,            // Of the weights of what is left, and of their squares: effective sample size.
  kWeightSquareSum,
  kMismatchSum,      // Of x.
  kMismatchK3Sum,    // Of k3, an estimate of KL(rollout, policy).
  kMismatchAbsSum,   // Of |x|.
  kOutside,          // Tokens whose weight was clamped or zeroed.
  kRejected,         // Tokens rejected.
  kNormalizerSum,    // Sum of the weights before the rules, over tokens or sequences, and their number: only where
  kNormalizerCount,  // weights are normalised.
  kCorrectionSums
};

struct CorrectionKernel {
  void (*sequences)(const RolloutCorrection& op, double* sums, size_t begin, size_t end);
};

// `sums`: kCorrectionSums numbers.
void RunRolloutCorrection(const RolloutCorrection& op, const CorrectionKernel& kernel, unsigned threads, double* sums);

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_POLICY_LOSS_ROLLOUT_CORRECTION_H_
