#ifndef CROSSTHINK_KERNELS_SAMPLING_SPECULATIVE_CUDA_H_
#define CROSSTHINK_KERNELS_SAMPLING_SPECULATIVE_CUDA_H_

#include <cuda_runtime.h>

#include <cstddef>

#include "kernels/sampling/speculative.h"

// Speculative sampling on the GPU; see logprob_cuda.h for what holds of pointers, workspace and graphs. `draft` itself
// is host memory; target.status may be null.
namespace crossthink::cuda {

size_t SpeculativeWorkspace(const SpeculativeChain& op);
cudaError_t RunSpeculative(const SpeculativeChain& op, void* workspace, cudaStream_t stream);

}  // namespace crossthink::cuda

#endif  // CROSSTHINK_KERNELS_SAMPLING_SPECULATIVE_CUDA_H_
