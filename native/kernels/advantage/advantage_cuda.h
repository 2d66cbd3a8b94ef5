#ifndef CROSSTHINK_KERNELS_ADVANTAGE_ADVANTAGE_CUDA_H_
#define CROSSTHINK_KERNELS_ADVANTAGE_ADVANTAGE_CUDA_H_

#include <cuda_runtime.h>

#include <cstddef>

#include "kernels/advantage/advantage.h"
#include "kernels/advantage/shaping.h"
#include "kernels/advantage/token_advantages.h"

// Advantages and what is done to rewards on the GPU; see logprob_cuda.h for what holds of pointers, workspace and
// graphs. What has no function for a workspace needs none.
namespace crossthink::cuda {

size_t GroupAdvantagesWorkspace(const GroupAdvantages& op);
cudaError_t RunGroupAdvantages(const GroupAdvantages& op, void* workspace, cudaStream_t stream);

size_t GaeWorkspace(const Gae& op);
cudaError_t RunGae(const Gae& op, void* workspace, cudaStream_t stream);

size_t WhitenWorkspace(const Whiten& op);
cudaError_t RunWhiten(const Whiten& op, void* workspace, cudaStream_t stream);

size_t OptimalTokenBaselineWorkspace(const OptimalTokenBaseline& op);
cudaError_t RunOptimalTokenBaseline(const OptimalTokenBaseline& op, void* workspace, cudaStream_t stream);

cudaError_t RunGreedyBaseline(const GreedyBaseline& op, void* workspace, cudaStream_t stream);
cudaError_t RunWeightedSum(const WeightedSum& op, void* workspace, cudaStream_t stream);
cudaError_t RunGroupSignal(const GroupSignal& op, void* workspace, cudaStream_t stream);
cudaError_t RunSequenceMask(const SequenceMask& op, void* workspace, cudaStream_t stream);
cudaError_t RunRewardsAtEnd(const RewardsAtEnd& op, void* workspace, cudaStream_t stream);
cudaError_t RunOverlongPenalty(const OverlongPenalty& op, void* workspace, cudaStream_t stream);

}  // namespace crossthink::cuda

#endif  // CROSSTHINK_KERNELS_ADVANTAGE_ADVANTAGE_CUDA_H_
