#ifndef CROSSTHINK_KERNELS_GRPO_GRPO_STEP_CUDA_H_
#define CROSSTHINK_KERNELS_GRPO_GRPO_STEP_CUDA_H_

#include <cuda_runtime.h>

#include <cstddef>

#include "kernels/grpo/grpo_step.h"

// The step on the GPU; see logprob_cuda.h for what holds of pointers, workspace and graphs. What the parts only hand on
// to one another (state, gradients to log-probs and entropies) lives in the workspace, whatever `op` says of it.
namespace crossthink::cuda {

size_t GrpoStepWorkspace(const GrpoStep& op);
cudaError_t RunGrpoStep(const GrpoStep& op, void* workspace, cudaStream_t stream);

}  // namespace crossthink::cuda

#endif  // CROSSTHINK_KERNELS_GRPO_GRPO_STEP_CUDA_H_
