#ifndef CROSSTHINK_KERNELS_POLICY_LOSS_ROLLOUT_CORRECTION_CUDA_H_
#define CROSSTHINK_KERNELS_POLICY_LOSS_ROLLOUT_CORRECTION_CUDA_H_

#include <cuda_runtime.h>

#include <cstddef>

#include "kernels/policy_loss/rollout_correction.h"

// The rollout correction on the GPU; see logprob_cuda.h for what holds of pointers, workspace and graphs. `tokens` and
// `result` must be set.
namespace crossthink::cuda {

size_t RolloutCorrectionWorkspace(const RolloutCorrection& op);
cudaError_t RunRolloutCorrection(const RolloutCorrection& op, void* workspace, cudaStream_t stream);

}  // namespace crossthink::cuda

#endif  // CROSSTHINK_KERNELS_POLICY_LOSS_ROLLOUT_CORRECTION_CUDA_H_
