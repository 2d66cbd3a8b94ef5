#ifndef CROSSTHINK_KERNELS_LOGPROB_LOGPROB_CUDA_H_
#define CROSSTHINK_KERNELS_LOGPROB_LOGPROB_CUDA_H_

#include <cuda_runtime.h>

#include <cstddef>

#include "kernels/logprob/logprob.h"

// The operations of logprob.h on the GPU: every pointer in `op` is device memory. Safe in CUDA graphs: nothing is
// allocated, nothing waits. `workspace` is device memory of at least the size the function beside it gives, aligned to
// 16 bytes; its contents need not survive.
namespace crossthink::cuda {

size_t LogprobForwardWorkspace(const LogprobForward& op);
cudaError_t RunLogprobForward(const LogprobForward& op, void* workspace, cudaStream_t stream);

// The part of the forward pass behind `top_k` and `listed`, from `state`; RunLogprobForward ends with it.
cudaError_t RunLogprobTop(const LogprobForward& op, cudaStream_t stream);

// Needs no workspace.
cudaError_t RunLogprobMerge(const LogprobMerge& op, void* workspace, cudaStream_t stream);

size_t LogprobBackwardWorkspace(const LogprobBackward& op);
cudaError_t RunLogprobBackward(const LogprobBackward& op, void* workspace, cudaStream_t stream);

}  // namespace crossthink::cuda

#endif  // CROSSTHINK_KERNELS_LOGPROB_LOGPROB_CUDA_H_
