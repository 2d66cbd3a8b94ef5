#ifndef CROSSTHINK_KERNELS_ADVANTAGE_SHAPING_CUDA_H_
#define CROSSTHINK_KERNELS_ADVANTAGE_SHAPING_CUDA_H_

#include <cuda_runtime.h>

#include <cstddef>

#include "kernels/advantage/shaping.h"

// The operations of shaping.h, which need no workspace; see logprob_cuda.h for what holds of pointers and graphs.
namespace crossthink::cuda {

cudaError_t RunGreedyBaseline(const GreedyBaseline& op, void* workspace, cudaStream_t stream);
cudaError_t RunWeightedSum(const WeightedSum& op, void* workspace, cudaStream_t stream);
cudaError_t RunGroupSignal(const GroupSignal& op, void* workspace, cudaStream_t stream);
cudaError_t RunSequenceMask(const SequenceMask& op, void* workspace, cudaStream_t stream);
cudaError_t RunRewardsAtEnd(const RewardsAtEnd& op, void* workspace, cudaStream_t stream);
cudaError_t RunOverlongPenalty(const OverlongPenalty& op, void* workspace, cudaStream_t stream);

}  // namespace crossthink::cuda

#endif  // CROSSTHINK_KERNELS_ADVANTAGE_SHAPING_CUDA_H_
