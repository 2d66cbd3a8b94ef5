#ifndef CROSSTHINK_KERNELS_GRPO_GRPO_STEP_H_
#define CROSSTHINK_KERNELS_GRPO_GRPO_STEP_H_

#include <atomic>
#include <cstdint>

#include "kernels/logprob/logprob.h"
#include "kernels/policy_loss/policy_loss.h"

namespace crossthink {

// What a trainer does between its model's forward and backward pass: log-probs of the sampled tokens, the policy loss,
// and the loss's gradient to the logits. Two passes over the logits; nothing of their size besides the gradient, which
// may be the logits. The parts are the operations of their own headers, so the bits are theirs; their arrays are linked
// by the caller: forward.logprob is loss.logprobs, loss.d_logprobs is backward.d_logprob, and so on.
struct GrpoStep {
  LogprobForward forward;
  PolicyLoss loss;
  LogprobBackward backward;
};

// `cancel`, where given, is read between chunks of rows. False where it was seen set: the results, and logits that are
// written in place, are then incomplete.
bool RunGrpoStep(const GrpoStep& op, unsigned threads, const std::atomic<int32_t>* cancel, PolicyLossResult* result);

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_GRPO_GRPO_STEP_H_
