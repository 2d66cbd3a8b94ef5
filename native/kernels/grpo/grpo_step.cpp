#include "kernels/grpo/grpo_step.h"

#include <memory>

#include "kernels/kernel_table.h"
#include "kernels/logprob/run.h"

namespace crossthink {

bool RunGrpoStep(GrpoStep op, unsigned threads, const std::atomic<int32_t>* cancel, PolicyLossResult* result) {
  const size_t rows = op.forward.logits.rows;
  const auto states = std::make_unique_for_overwrite<double[]>(rows * (kStateSize + 1));
  op.forward.state = states.get();
  op.loss.d_logprobs = reinterpret_cast<float*>(states.get() + rows * kStateSize);  // And as many for the entropies.
  op.loss.d_entropies = op.forward.entropy_out != nullptr ? op.loss.d_logprobs + rows : nullptr;
  LinkParts(&op);
  if (!RunLogprobForward(op.forward, threads, cancel)) return false;
  *result = RunPolicyLoss(op.loss, ActiveKernels().policy_loss, threads);
  return RunLogprobBackward(op.backward, threads, cancel);
}

}  // namespace crossthink
