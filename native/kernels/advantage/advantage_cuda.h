#ifndef CROSSTHINK_KERNELS_ADVANTAGE_ADVANTAGE_CUDA_H_
#define CROSSTHINK_KERNELS_ADVANTAGE_ADVANTAGE_CUDA_H_

#include <cuda_runtime.h>

#include <cstddef>

#include "kernels/advantage/advantage.h"

// Group advantages on the GPU; see logprob_cuda.h for what holds of pointers, workspace and graphs.
namespace crossthink::cuda {

size_t GroupAdvantagesWorkspace(const GroupAdvantages& op);
cudaError_t RunGroupAdvantages(const GroupAdvantages& op, void* workspace, cudaStream_t stream);

}  // namespace crossthink::cuda

#endif  // CROSSTHINK_KERNELS_ADVANTAGE_ADVANTAGE_CUDA_H_
