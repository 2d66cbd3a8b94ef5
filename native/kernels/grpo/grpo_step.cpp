#include "kernels/grpo/grpo_step.h"

#include "kernels/kernel_table.h"
#include "kernels/logprob/run.h"

namespace crossthink {

bool RunGrpoStep(const GrpoStep& op, unsigned threads, const std::atomic<int32_t>* cancel, PolicyLossResult* result) {
  if (!RunLogprobForward(op.forward, threads, cancel)) return false;
  *result = RunPolicyLoss(op.loss, ActiveKernels().policy_loss, threads);
  return RunLogprobBackward(op.backward, threads, cancel);
}

}  // namespace crossthink
