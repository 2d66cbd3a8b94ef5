#ifndef CROSSTHINK_KERNELS_GRPO_GRPO_STEP_H_
#define CROSSTHINK_KERNELS_GRPO_GRPO_STEP_H_

#include <atomic>
#include <cstdint>

#include "kernels/logprob/logprob.h"
#include "kernels/policy_loss/policy_loss.h"

namespace crossthink {

// What a trainer does between its model's forward and backward pass: log-probs of the sampled tokens, the policy loss,
// and the loss's gradient to the logits. Two passes over the logits; nothing of their size besides the gradient, which
// may be the logits. The parts are the operations of their own headers, so the bits are theirs.
struct GrpoStep {
  LogprobForward forward;
  PolicyLoss loss;
  LogprobBackward backward;
};

// Makes what one part writes the input of the next, once the arrays of results, `forward.state` and the loss's
// gradients are set.
inline void LinkParts(GrpoStep* op) {
  LogprobForward& forward = op->forward;
  forward.entropy = forward.entropy_out != nullptr;
  op->loss.tokens = forward.logits.rows;
  op->loss.logprobs = forward.logprob;
  op->loss.entropies = forward.entropy_out;
  static_cast<LogprobInput&>(op->backward) = forward;
  op->backward.state = forward.state;
  op->backward.d_logprob = op->loss.d_logprobs;
  op->backward.d_entropy = op->loss.params.entropy_coef != 0 ? op->loss.d_entropies : nullptr;
}

// Runs a step in memory of its own for what one part leaves to the next. `cancel`, where given, is read between chunks
// of rows. False where it was seen set: the results, and logits that are written in place, are then incomplete.
bool RunGrpoStep(GrpoStep op, unsigned threads, const std::atomic<int32_t>* cancel, PolicyLossResult* result);

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_GRPO_GRPO_STEP_H_
