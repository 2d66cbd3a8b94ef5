#ifndef CROSSTHINK_KERNELS_POLICY_LOSS_SELECTION_H_
#define CROSSTHINK_KERNELS_POLICY_LOSS_SELECTION_H_

#include <cstddef>
#include <cstdint>

namespace crossthink {

// Which tokens of a batch a loss treats apart. All of them depend on the whole batch, are plain float64 in index order,
// and break ties by position: the same bits everywhere. docs/losses.md, "Selections".

// Clip-Cov and KL-Cov: by the covariance (A - mean A)(logprob - mean logprob).
struct CovarianceSelection {
  size_t tokens = 0;  // Of all sequences.
  size_t sequences = 0;
  const int32_t* offsets = nullptr;
  const float* logprobs = nullptr;
  const float* old_logprobs = nullptr;
  const float* advantages = nullptr;  // One per sequence, or per token.
  bool token_advantages = false;
  const uint8_t* mask = nullptr;

  bool largest = false;  // KL-Cov: those with the largest covariance. Clip-Cov: a random choice from (low, high).
  double ratio = 2e-4;   // Of the valid tokens, at least one.
  double low = 1;
  double high = 5;
  float ratio_low = 0.8F;  // Clip-Cov leaves out what PPO has clipped already.
  float ratio_high = 1.2F;
  uint64_t seed = 0;
  uint64_t first_sequence = 0;  // Sequence s is number first_sequence + s to the random numbers.

  uint8_t* selected = nullptr;  // One byte per token.
};
void RunCovarianceSelection(const CovarianceSelection& op);

// The tokens that a loss of the highest entropies leaves out (arXiv 2506.01939): the valid ones without the `ratio` of
// them, at least one, whose entropy is largest. A NaN is never among those.
struct EntropySelection {
  size_t tokens = 0;
  const float* entropies = nullptr;
  const uint8_t* mask = nullptr;
  double ratio = 0.2;

  uint8_t* selected = nullptr;  // One byte per token.
};
void RunEntropySelection(const EntropySelection& op);

// M2PO: drops the tokens with the largest (rollout - logprob)^2 until the mean of the others is below the threshold;
// one is always left.
struct SecondMomentMask {
  size_t tokens = 0;
  const float* logprobs = nullptr;
  const float* rollout_logprobs = nullptr;
  const uint8_t* mask = nullptr;
  double threshold = 0.04;

  uint8_t* mask_out = nullptr;
};
void RunSecondMomentMask(const SecondMomentMask& op);

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_POLICY_LOSS_SELECTION_H_
