#ifndef CROSSTHINK_KERNELS_POLICY_LOSS_POLICY_LOSS_CUDA_H_
#define CROSSTHINK_KERNELS_POLICY_LOSS_POLICY_LOSS_CUDA_H_

#include <cuda_runtime.h>

#include <cstddef>

#include "kernels/policy_loss/policy_loss.h"

// The policy loss on the GPU; see logprob_cuda.h for what holds of pointers, workspace and graphs. `tokens` and
// `result` must be set.
namespace crossthink::cuda {

size_t PolicyLossWorkspace(const PolicyLoss& op);
cudaError_t RunPolicyLoss(const PolicyLoss& op, void* workspace, cudaStream_t stream);

}  // namespace crossthink::cuda

#endif  // CROSSTHINK_KERNELS_POLICY_LOSS_POLICY_LOSS_CUDA_H_
