#ifndef CROSSTHINK_KERNELS_SAMPLING_SAMPLING_CUDA_H_
#define CROSSTHINK_KERNELS_SAMPLING_SAMPLING_CUDA_H_

#include <cuda_runtime.h>

#include <cstddef>

#include "kernels/sampling/sampling.h"
#include "kernels/sampling/speculative.h"

// Sampling on the GPU; see logprob_cuda.h for what holds of pointers, workspace and graphs. A SpeculativeChain and its
// `draft` are host memory; its target.status may be null.
namespace crossthink::cuda {

size_t SamplingWorkspace(const Sampling& op);
cudaError_t RunSampling(const Sampling& op, void* workspace, cudaStream_t stream);

// sample_wide.cu: what RunSampling hands everything to but temperature, top-k and top-p in that order, one sample a
// row, with its log-probs.
size_t WideSamplingWorkspace(const Sampling& op);
cudaError_t RunWideSampling(const Sampling& op, void* workspace, cudaStream_t stream);

size_t SpeculativeWorkspace(const SpeculativeChain& op);
cudaError_t RunSpeculative(const SpeculativeChain& op, void* workspace, cudaStream_t stream);

}  // namespace crossthink::cuda

#endif  // CROSSTHINK_KERNELS_SAMPLING_SAMPLING_CUDA_H_
