#ifndef CROSSTHINK_KERNELS_ADVANTAGE_TOKEN_ADVANTAGES_CUDA_H_
#define CROSSTHINK_KERNELS_ADVANTAGE_TOKEN_ADVANTAGES_CUDA_H_

#include <cuda_runtime.h>

#include <cstddef>

#include "kernels/advantage/token_advantages.h"

// The operations of token_advantages.h on the GPU; see logprob_cuda.h for what holds of pointers, workspace and graphs.
namespace crossthink::cuda {

size_t GaeWorkspace(const Gae& op);
cudaError_t RunGae(const Gae& op, void* workspace, cudaStream_t stream);

size_t WhitenWorkspace(const Whiten& op);
cudaError_t RunWhiten(const Whiten& op, void* workspace, cudaStream_t stream);

size_t OptimalTokenBaselineWorkspace(const OptimalTokenBaseline& op);
cudaError_t RunOptimalTokenBaseline(const OptimalTokenBaseline& op, void* workspace, cudaStream_t stream);

}  // namespace crossthink::cuda

#endif  // CROSSTHINK_KERNELS_ADVANTAGE_TOKEN_ADVANTAGES_CUDA_H_
