// Advantages along the tokens of packed sequences, and whitening: float64 sums in index order, so what limits them is
// the chain of additions of the longest sequence (about 60 cycles a token with the exchange between threads), not
// memory.
//
// Bytes moved per token: GAE 4 for the rewards, 4 for values, 1 for a mask, 4 for each result. Whitening 4 or 8, 1 for
// a mask, three times; 4 written. Optimal token baseline 17 to 21 read, 20 into the workspace and back, 4 written.
//
// One warp a sequence: 32 tokens are read at once and evaluated side by side; then every thread runs the recurrence
// over the 32 results, which a shuffle hands around, and keeps its own.
#include "kernels/advantage/advantage_cuda.h"
#include "kernels/advantage/token_formulas.h"
#include "kernels/ordered_sum.cuh"
#include "kernels/token_tiles.cuh"
#include "runtime/cuda/workspace.h"

namespace crossthink::cuda {
namespace {

constexpr unsigned kBlock = 128;
constexpr unsigned kBlockWarps = kBlock / kWarp;

// The warp's sequence, or `sequences` and more.
__device__ __forceinline__ size_t OwnSequence() { return size_t{blockIdx.x} * kBlockWarps + WarpIndex(); }

// The valid threads below this one.
__device__ __forceinline__ unsigned Below(unsigned votes) { return votes & ((1U << LaneIndex()) - 1); }

__device__ __forceinline__ double FromLane(double x, unsigned lane) {
  return __shfl_sync(kFullWarp, x, static_cast<int>(lane));
}

// From the last token back: thread k has the k-th before `end`.
__global__ __launch_bounds__(kBlock) void GaeSequences(Gae op) {
  const size_t s = OwnSequence();
  if (s >= op.sequences) return;
  const PackedSequences packed = {op.offsets, op.sequences, op.tokens};
  const double decay = GaeDecay(op, s);
  const size_t begin = packed.Begin(s);
  double next_value = 0;
  double advantage = 0;
  for (size_t end = packed.End(s); end > begin; end = end - begin > kWarp ? end - kWarp : begin) {
    const bool inside = LaneIndex() < end - begin;
    const size_t t = inside ? end - 1 - LaneIndex() : begin;
    const bool valid = inside && IsValid(op.mask, t);
    const unsigned votes = __ballot_sync(kFullWarp, valid ? 1 : 0);
    const double value = valid ? GaeValue(op, t) : 0.0;
    const unsigned below = Below(votes);
    const double neighbour = FromLane(value, below == 0 ? 0 : 31 - __clz(static_cast<int>(below)));
    const double delta = valid ? GaeDelta(op, t, value, below == 0 ? next_value : neighbour) : 0.0;
    double own = 0;
    for (unsigned lane = 0; lane < kWarp; ++lane) {
      const double of = FromLane(delta, lane);
      if ((votes >> lane & 1U) != 0) advantage = of + decay * advantage;
      if (lane == LaneIndex()) own = advantage;
    }
    if (votes != 0) next_value = FromLane(value, 31 - __clz(static_cast<int>(votes)));
    if (!inside) continue;
    op.advantages[t] = valid ? RoundedAdvantage(own) : 0.0F;
    if (op.returns != nullptr) op.returns[t] = valid ? RoundedAdvantage(own + value) : 0.0F;
  }
}

struct WhitenMoments {
  double mean;
  double std;
};

__global__ __launch_bounds__(kSumRows) void WhitenSums(Whiten op, WhitenMoments* moments) {
  __shared__ double sums[2];
  const double first = SumInOrder<2>(op.count, [&](size_t i, double* numbers) {
    numbers[0] = WhitenWeight(op, i);
    numbers[1] = WhitenValue(op, i);
  });
  if (threadIdx.x < 2) sums[threadIdx.x] = first;
  __syncthreads();
  const double total = sums[0];
  const double mean = sums[1] / total;
  const double square =
      SumInOrder<1>(op.count, [&](size_t i, double* numbers) { numbers[0] = WhitenSquare(op, i, mean); });
  if (threadIdx.x == 0) *moments = {mean, WhitenStd(op, square, total)};
}

__global__ __launch_bounds__(kBlock) void WhitenValues(Whiten op, const WhitenMoments* moments) {
  const size_t i = size_t{blockIdx.x} * kBlock + threadIdx.x;
  if (i < op.count) op.out[i] = Whitened(op, i, moments->mean, moments->std);
}

// Rewards to go and path variance of a sequence's valid tokens, from its first entry on.
struct Paths {
  double* to_go;
  double* variance;
  int32_t* tokens;
  uint32_t* lengths;  // Valid tokens of a sequence.
  size_t bytes;

  Paths(const OptimalTokenBaseline& op, void* workspace) {
    WorkspaceCutter cut(workspace);
    to_go = cut.Take<double>(op.tokens);
    variance = cut.Take<double>(op.tokens);
    tokens = cut.Take<int32_t>(op.tokens);
    lengths = cut.Take<uint32_t>(op.sequences);
    bytes = cut.bytes();
  }
};

__global__ __launch_bounds__(kBlock) void TokenBaselinePaths(OptimalTokenBaseline op, Paths paths) {
  const size_t s = OwnSequence();
  if (s >= op.sequences) return;
  const PackedSequences packed = {op.offsets, op.sequences, op.tokens};
  const size_t begin = packed.Begin(s);
  const size_t end = packed.End(s);
  uint32_t length = 0;
  double variance = 0;
  for (size_t first = begin; first < end; first += kWarp) {
    const size_t t = first + LaneIndex();
    const bool valid = t < end && IsValid(op.mask, t);
    const unsigned votes = __ballot_sync(kFullWarp, valid ? 1 : 0);
    const double step = valid ? PathVariance(op, t) : 0.0;
    double own = 0;
    for (unsigned lane = 0; lane < kWarp; ++lane) {
      const double of = FromLane(step, lane);
      if ((votes >> lane & 1U) != 0) variance += of;
      if (lane == LaneIndex()) own = variance;
    }
    const size_t place = begin + length + static_cast<size_t>(__popc(Below(votes)));
    if (valid) {
      paths.variance[place] = own;
      paths.tokens[place] = static_cast<int32_t>(t);
    }
    if (t < end) op.advantages[t] = 0;  // The next kernel writes the valid ones.
    length += static_cast<uint32_t>(__popc(votes));
  }
  if (LaneIndex() == 0) paths.lengths[s] = length;
  double to_go = 0;
  size_t left = length;
  for (size_t last = end; last > begin; last = last - begin > kWarp ? last - kWarp : begin) {
    const bool inside = LaneIndex() < last - begin;
    const size_t t = inside ? last - 1 - LaneIndex() : begin;
    const bool valid = inside && IsValid(op.mask, t);
    const unsigned votes = __ballot_sync(kFullWarp, valid ? 1 : 0);
    const double reward = valid ? static_cast<double>(op.rewards[t]) : 0.0;
    double own = 0;
    for (unsigned lane = 0; lane < kWarp; ++lane) {
      const double of = FromLane(reward, lane);
      if ((votes >> lane & 1U) != 0) to_go += of;
      if (lane == LaneIndex()) own = to_go;
    }
    if (valid) paths.to_go[begin + left - 1 - static_cast<size_t>(__popc(Below(votes)))] = own;
    left -= static_cast<size_t>(__popc(votes));
  }
}

// One block a group; a thread takes every kBlock-th valid position.
__global__ __launch_bounds__(kBlock) void TokenBaselineGroups(OptimalTokenBaseline op, Paths paths) {
  const PackedSequences packed = {op.offsets, op.sequences, op.tokens};
  const PackedSequences groups = {op.group_offsets, op.groups, op.sequences};
  const size_t first = groups.Begin(blockIdx.x);
  const size_t last = groups.End(blockIdx.x);
  // Beyond the second longest response there is nobody to compare with: no baseline.
  uint32_t longest = 0;
  uint32_t second = 0;
  for (size_t s = first; s < last; ++s) {
    const uint32_t length = paths.lengths[s];
    const uint32_t smaller = length < longest ? length : longest;
    second = smaller > second ? smaller : second;
    longest = length > longest ? length : longest;
  }
  for (size_t i = threadIdx.x; i < longest; i += kBlock) {
    double numerator = 0;
    double denominator = 0;
    for (size_t s = first; s < last && i < second; ++s) {
      if (i >= paths.lengths[s]) continue;
      const size_t place = packed.Begin(s) + i;
      numerator += paths.to_go[place] * paths.variance[place];
      denominator += paths.variance[place];
    }
    const double baseline = i < second ? TokenBaseline(numerator, denominator) : 0.0;
    for (size_t s = first; s < last; ++s) {
      if (i >= paths.lengths[s]) continue;
      const size_t place = packed.Begin(s) + i;
      op.advantages[paths.tokens[place]] = RoundedAdvantage(paths.to_go[place] - baseline);
    }
  }
}

}  // namespace

size_t GaeWorkspace(const Gae&) { return 0; }

cudaError_t RunGae(const Gae& op, void*, cudaStream_t stream) {
  if (op.sequences == 0) return cudaSuccess;
  return Launch(GaeSequences, CeilDivide(op.sequences, kBlockWarps), kBlock, 0, stream, op);
}

size_t WhitenWorkspace(const Whiten&) { return sizeof(WhitenMoments); }

cudaError_t RunWhiten(const Whiten& op, void* workspace, cudaStream_t stream) {
  if (op.count == 0) return cudaSuccess;
  auto* moments = static_cast<WhitenMoments*>(workspace);
  const cudaError_t error = Launch(WhitenSums, 1, kSumRows, 0, stream, op, moments);
  if (error != cudaSuccess) return error;
  return Launch(WhitenValues, CeilDivide(op.count, kBlock), kBlock, 0, stream, op, moments);
}

size_t OptimalTokenBaselineWorkspace(const OptimalTokenBaseline& op) { return Paths(op, nullptr).bytes; }

cudaError_t RunOptimalTokenBaseline(const OptimalTokenBaseline& op, void* workspace, cudaStream_t stream) {
  if (op.sequences == 0 || op.groups == 0) return cudaSuccess;
  const Paths paths(op, workspace);
  const cudaError_t error =
      Launch(TokenBaselinePaths, CeilDivide(op.sequences, kBlockWarps), kBlock, 0, stream, op, paths);
  if (error != cudaSuccess) return error;
  return Launch(TokenBaselineGroups, op.groups, kBlock, 0, stream, op, paths);
}

}  // namespace crossthink::cuda
