#include "kernels/grpo/grpo_step_cuda.h"

#include <algorithm>

#include "kernels/logprob/logprob_cuda.h"
#include "kernels/policy_loss/policy_loss_cuda.h"
#include "runtime/cuda/workspace.h"

namespace crossthink::cuda {
namespace {

// A step with its parts linked through a workspace.
struct Step {
  GrpoStep op;
  uint8_t* parts = nullptr;  // Working memory of each part in turn: the stream runs them one after another.
  size_t bytes = 0;

  Step(const GrpoStep& given, void* workspace) : op(given) {
    const size_t rows = op.forward.logits.rows;
    WorkspaceCutter cutter(workspace);
    op.forward.state = cutter.Take<double>(rows * kStateSize);
    op.loss.d_logprobs = cutter.Take<float>(rows);
    op.loss.d_entropies = op.forward.entropy_out != nullptr ? cutter.Take<float>(rows) : nullptr;
    LinkParts(&op);
    parts = cutter.Take<uint8_t>(std::max(
        {LogprobForwardWorkspace(op.forward), PolicyLossWorkspace(op.loss), LogprobBackwardWorkspace(op.backward)}));
    bytes = cutter.bytes();
  }
};

}  // namespace

size_t GrpoStepWorkspace(const GrpoStep& op) { return Step(op, nullptr).bytes; }

cudaError_t RunGrpoStep(const GrpoStep& op, void* workspace, cudaStream_t stream) {
  const Step step(op, workspace);
  cudaError_t error = RunLogprobForward(step.op.forward, step.parts, stream);
  if (error == cudaSuccess) error = RunPolicyLoss(step.op.loss, step.parts, stream);
  return error == cudaSuccess ? RunLogprobBackward(step.op.backward, step.parts, stream) : error;
}

}  // namespace crossthink::cuda
