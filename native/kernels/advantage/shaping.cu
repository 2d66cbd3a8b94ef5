// Elementwise work on rewards and masks: one thread a group (groups are of 4 to 64 responses, a few thousand of them),
// one thread a value, one block a sequence. Bytes moved: each input once, each output once; with a few kilobytes to a
// few megabytes these are launches, not bandwidth.
#include "kernels/advantage/advantage_cuda.h"
#include "kernels/token_tiles.cuh"

namespace crossthink::cuda {
namespace {

constexpr unsigned kBlock = 256;

__device__ size_t ThreadNumber() { return size_t{blockIdx.x} * kBlock + threadIdx.x; }

// Runs body(i) for the rewards of group g; offsets that are wrong are clamped.
template <class Body>
__device__ void ForEachReward(const RewardGroups& groups, size_t g, Body body) {
  size_t begin = g * groups.group_size;
  size_t end = begin + groups.group_size;
  if (groups.offsets != nullptr) {
    const PackedSequences packed = {groups.offsets, groups.groups, groups.count};
    begin = packed.Begin(g);
    end = packed.End(g);
  }
  for (size_t i = begin; i < end; ++i) body(i);
}

__global__ __launch_bounds__(kBlock) void RewardGreedyBaseline(GreedyBaseline op) {
  const size_t g = ThreadNumber();
  if (g >= op.groups.groups) return;
  const float greedy = op.greedy[g];
  ForEachReward(op.groups, g, [&](size_t i) {
    const float difference = op.rewards[i] - greedy;
    op.advantages[i] = difference == difference ? difference : 0.0F;
  });
}

__global__ __launch_bounds__(kBlock) void RewardWeightedSum(const __grid_constant__ WeightedSum op) {
  const size_t i = ThreadNumber();
  if (i >= op.count) return;
  double sum = 0;
  for (size_t k = 0; k < op.terms; ++k) sum += op.weights[k] * static_cast<double>(op.values[k][i]);
  op.out[i] = spec::CanonicalNan(static_cast<float>(sum));
}

__global__ __launch_bounds__(kBlock) void RewardGroupSignal(GroupSignal op) {
  const size_t g = ThreadNumber();
  if (g >= op.groups.groups) return;
  double sum = 0;
  size_t valid = 0;
  ForEachReward(op.groups, g, [&](size_t i) {
    const float x = op.metric[i];
    if (x != x) return;
    sum += static_cast<double>(x);
    ++valid;
  });
  const double mean = sum / static_cast<double>(valid);
  const bool keep = op.zero_variance[g] == 0 && mean >= op.least && mean <= op.most;
  op.keep_groups[g] = keep ? 1 : 0;
  ForEachReward(op.groups, g, [&](size_t i) { op.keep[i] = keep ? 1 : 0; });
}

__global__ __launch_bounds__(kBlock) void TokenSequenceMask(SequenceMask op) {
  const PackedSequences packed = {op.offsets, op.sequences, op.tokens};
  const size_t s = blockIdx.x;
  const bool chosen = (op.flags[s] != 0) != op.unset;
  for (size_t t = packed.Begin(s) + threadIdx.x; t < packed.End(s); t += kBlock) {
    op.out[t] = !chosen ? 0 : op.mask != nullptr ? op.mask[t] : 1;
  }
}

__global__ __launch_bounds__(kBlock) void TokenRewardsAtEnd(RewardsAtEnd op) {
  __shared__ unsigned last;  // 1 + the last valid token of the sequence.
  const PackedSequences packed = {op.offsets, op.sequences, op.tokens};
  const size_t s = blockIdx.x;
  const size_t begin = packed.Begin(s);
  const size_t length = packed.End(s) - begin;
  if (threadIdx.x == 0) last = 0;
  __syncthreads();
  unsigned own = 0;
  for (size_t t = threadIdx.x; t < length; t += kBlock) {
    if (op.mask == nullptr || op.mask[begin + t] != 0) own = static_cast<unsigned>(t) + 1;
  }
  atomicMax(&last, own);
  __syncthreads();
  for (size_t t = threadIdx.x; t < length; t += kBlock) op.out[begin + t] = t + 1 == last ? op.rewards[s] : 0.0F;
}

__global__ __launch_bounds__(kBlock) void RewardOverlongPenalty(OverlongPenalty op) {
  const size_t i = ThreadNumber();
  if (i >= op.count) return;
  const double share = (static_cast<double>(op.lengths[i]) - (op.longest - op.buffer)) / op.buffer;
  const double limited = share < op.most ? share : op.most;
  op.out[i] = limited > 0 ? static_cast<float>(-limited * op.factor) : 0.0F;
}

}  // namespace

cudaError_t RunGreedyBaseline(const GreedyBaseline& op, void*, cudaStream_t stream) {
  if (op.groups.groups == 0) return cudaSuccess;
  return Launch(RewardGreedyBaseline, CeilDivide(op.groups.groups, kBlock), kBlock, 0, stream, op);
}

cudaError_t RunWeightedSum(const WeightedSum& op, void*, cudaStream_t stream) {
  if (op.count == 0) return cudaSuccess;
  return Launch(RewardWeightedSum, CeilDivide(op.count, kBlock), kBlock, 0, stream, op);
}

cudaError_t RunGroupSignal(const GroupSignal& op, void*, cudaStream_t stream) {
  if (op.groups.groups == 0) return cudaSuccess;
  return Launch(RewardGroupSignal, CeilDivide(op.groups.groups, kBlock), kBlock, 0, stream, op);
}

cudaError_t RunSequenceMask(const SequenceMask& op, void*, cudaStream_t stream) {
  if (op.sequences == 0) return cudaSuccess;
  return Launch(TokenSequenceMask, op.sequences, kBlock, 0, stream, op);
}

cudaError_t RunRewardsAtEnd(const RewardsAtEnd& op, void*, cudaStream_t stream) {
  if (op.sequences == 0) return cudaSuccess;
  return Launch(TokenRewardsAtEnd, op.sequences, kBlock, 0, stream, op);
}

cudaError_t RunOverlongPenalty(const OverlongPenalty& op, void*, cudaStream_t stream) {
  if (op.count == 0) return cudaSuccess;
  return Launch(RewardOverlongPenalty, CeilDivide(op.count, kBlock), kBlock, 0, stream, op);
}

}  // namespace crossthink::cuda
