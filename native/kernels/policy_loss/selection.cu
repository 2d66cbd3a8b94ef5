// Selections over the whole batch. Bytes moved per token: Clip-Cov and KL-Cov 9 to 13 for the keys, read twice, and 8
// per key written once and read ten times; the highest entropies 5 read ten times; M2PO 9 read twice and 8 per key,
// read and written eight times by its sort. All of that goes through one block, whose multiprocessor reads some 100
// GB/s, and the means and the running sum are chains of additions in index order: milliseconds for a million tokens,
// which is little beside the step it is for, and the same bits as on the CPU.
#include "kernels/ordered_sum.cuh"
#include "kernels/policy_loss/policy_loss_cuda.h"
#include "kernels/policy_loss/selection_keys.h"
#include "kernels/ranked.cuh"
#include "kernels/token_tiles.cuh"
#include "runtime/cuda/workspace.h"

namespace crossthink::cuda {
namespace {

constexpr unsigned kBlock = 256;
constexpr unsigned kBlockWarps = kBlock / kWarp;

// Keys of candidates that are the smallest, and the largest, of all.
constexpr uint64_t kBelowAll = 0;
constexpr uint64_t kAboveAll = ~uint64_t{0};

struct CovarianceStatistics {
  CovarianceMeans means;
  size_t count;
};

struct CovarianceMemory {
  float* advantages;  // One per token.
  uint64_t* keys;
  CovarianceStatistics* statistics;
  size_t bytes;

  CovarianceMemory(const CovarianceSelection& op, void* workspace) {
    WorkspaceCutter cut(workspace);
    advantages = cut.Take<float>(op.token_advantages ? 0 : op.tokens);
    keys = cut.Take<uint64_t>(op.tokens);
    statistics = cut.Take<CovarianceStatistics>(1);
    bytes = cut.bytes();
  }
};

__host__ __device__ __forceinline__ PackedSequences Packed(const CovarianceSelection& op) {
  return {op.offsets, op.sequences, op.tokens};
}

__global__ __launch_bounds__(kBlock) void CovarianceAdvantages(CovarianceSelection op, size_t tiles,
                                                               float* advantages) {
  const size_t number = size_t{blockIdx.x} * kBlockWarps + WarpIndex();
  if (number >= tiles) return;
  const TokenTile tile = FindTile(Packed(op), number);
  for (size_t t = tile.begin + LaneIndex(); t < tile.end; t += kWarp) advantages[t] = op.advantages[tile.sequence];
}

__global__ __launch_bounds__(kSumRows) void CovarianceSums(CovarianceSelection op, const float* advantages,
                                                           CovarianceStatistics* statistics) {
  __shared__ double sums[3];
  const double sum = SumInOrder<3>(op.tokens, [&](size_t t, double* numbers) {
    const bool valid = IsCandidate(op.mask, t);
    numbers[0] = valid ? 1.0 : 0.0;
    numbers[1] = valid ? static_cast<double>(advantages[t]) : 0.0;
    numbers[2] = valid ? static_cast<double>(op.logprobs[t]) : 0.0;
  });
  if (threadIdx.x < 3) sums[threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.x == 0) *statistics = {{sums[1] / sums[0], sums[2] / sums[0]}, static_cast<size_t>(sums[0])};
}

__global__ __launch_bounds__(kBlock) void CovarianceKeys(CovarianceSelection op, size_t tiles, const float* advantages,
                                                         const CovarianceStatistics* statistics, uint64_t* keys) {
  const size_t number = size_t{blockIdx.x} * kBlockWarps + WarpIndex();
  if (number >= tiles) return;
  const PackedSequences packed = Packed(op);
  const TokenTile tile = FindTile(packed, number);
  const CovarianceMeans means = statistics->means;
  for (size_t t = tile.begin + LaneIndex(); t < tile.end; t += kWarp) {
    double key = static_cast<double>(spec::QuietNan());
    if (IsCandidate(op.mask, t)) {
      key = CovarianceKey(op, means, tile.sequence, t - packed.Begin(tile.sequence), t, advantages[t]);
    }
    keys[t] = key == key ? spec::OrderedBits(key) : kBelowAll;
  }
}

// Writes `chosen` at the `wanted` elements with the largest keys, fewer where there are fewer candidates, and
// `other(i)` at the rest. The whole block.
template <class Key, class Other>
__device__ __forceinline__ void ChooseLargest(size_t n, Key key, size_t wanted, uint8_t chosen, Other other,
                                              uint8_t* bytes) {
  const size_t candidates = CountElements(n, [&](size_t i) { return key(i) != kBelowAll; });
  Cut cut = {kAboveAll, 0};
  if (candidates != 0) cut = FindCut(n, key, kBelowAll, wanted < candidates ? wanted : candidates);
  RankTies(n, key, cut.key, [&](size_t i, uint64_t k, size_t rank) {
    bytes[i] = k > cut.key || (k == cut.key && rank < cut.ties) ? chosen : other(i);
  });
}

__global__ __launch_bounds__(kRankBlock, 1) void CovarianceChoice(CovarianceSelection op, const uint64_t* keys,
                                                                  const CovarianceStatistics* statistics) {
  const size_t wanted = ShareOf(op.ratio, statistics->count);
  ChooseLargest(
      op.tokens, [&](size_t t) { return keys[t]; }, wanted, 1, [](size_t) { return uint8_t{0}; }, op.selected);
}

__global__ __launch_bounds__(kRankBlock, 1) void EntropyChoice(EntropySelection op) {
  const size_t count = CountElements(op.tokens, [&](size_t t) { return IsCandidate(op.mask, t); });
  const auto key = [&](size_t t) {
    const float entropy = IsCandidate(op.mask, t) ? op.entropies[t] : spec::QuietNan();
    return entropy == entropy ? spec::OrderedBits(static_cast<double>(entropy)) : kBelowAll;
  };
  const auto other = [&](size_t t) { return static_cast<uint8_t>(IsCandidate(op.mask, t) ? 1 : 0); };
  ChooseLargest(op.tokens, key, ShareOf(op.ratio, count), 0, other, op.selected);
}

// Squares are not negative: their bits are in order.
__device__ __forceinline__ uint64_t SecondMomentKey(const SecondMomentMask& op, size_t t) {
  const double square = IsCandidate(op.mask, t) ? SecondMoment(op, t) : static_cast<double>(spec::QuietNan());
  return square == square ? spec::BitCast<uint64_t>(square) : kAboveAll;
}

__global__ __launch_bounds__(kBlock) void SecondMomentKeys(SecondMomentMask op, uint64_t* keys) {
  const size_t t = size_t{blockIdx.x} * kBlock + threadIdx.x;
  if (t < op.tokens) keys[t] = SecondMomentKey(op, t);
}

// The largest n of which the n smallest squares have a mean below the threshold; at least 1.
__device__ __forceinline__ size_t LongestBelow(const SecondMomentMask& op, const uint64_t* sorted, size_t candidates) {
  __shared__ double sums[kRankBlock];
  __shared__ unsigned longest;
  if (threadIdx.x == 0) longest = 1;
  double sum = 0;
  for (size_t first = 0; first < candidates; first += kRankBlock) {
    const size_t n = candidates - first < kRankBlock ? candidates - first : kRankBlock;
    if (threadIdx.x < n) sums[threadIdx.x] = spec::BitCast<double>(sorted[first + threadIdx.x]);
    __syncthreads();
    for (size_t i = 0; threadIdx.x == 0 && i < n; ++i) {
      sum += sums[i];
      sums[i] = sum;
    }
    __syncthreads();
    const size_t length = first + threadIdx.x + 1;
    if (threadIdx.x < n && sums[threadIdx.x] / static_cast<double>(length) < op.threshold) {
      atomicMax(&longest, static_cast<unsigned>(length));
    }
    __syncthreads();
  }
  return longest;
}

__global__ __launch_bounds__(kRankBlock, 1) void SecondMomentChoice(SecondMomentMask op, uint64_t* keys,
                                                                    uint64_t* other) {
  const uint64_t* sorted = SortAscending(keys, other, op.tokens);
  const size_t candidates = CountElements(op.tokens, [&](size_t i) { return sorted[i] != kAboveAll; });
  uint64_t cut = 0;
  size_t first_tie = 0;
  size_t last_tie = 0;
  if (candidates != 0) {
    // Of the squares that equal the last one kept, the later positions are kept.
    const size_t kept = LongestBelow(op, sorted, candidates);
    cut = sorted[kept - 1];
    const size_t below = CountElements(candidates, [&](size_t i) { return sorted[i] < cut; });
    last_tie = CountElements(candidates, [&](size_t i) { return sorted[i] == cut; });
    first_tie = last_tie - (kept - below);
  }
  const auto key = [&](size_t t) { return SecondMomentKey(op, t); };
  RankTies(op.tokens, key, cut, [&](size_t t, uint64_t k, size_t rank) {
    op.mask_out[t] = k < cut || (k == cut && rank >= first_tie && rank < last_tie) ? 1 : 0;
  });
}

}  // namespace

size_t CovarianceSelectionWorkspace(const CovarianceSelection& op) { return CovarianceMemory(op, nullptr).bytes; }

cudaError_t RunCovarianceSelection(const CovarianceSelection& op, void* workspace, cudaStream_t stream) {
  if (op.tokens == 0 || op.sequences == 0) return cudaSuccess;
  const CovarianceMemory memory(op, workspace);
  const size_t tiles = Packed(op).TileNumbers();
  const size_t blocks = CeilDivide(tiles, kBlockWarps);
  const float* advantages = op.token_advantages ? op.advantages : memory.advantages;
  cudaError_t error = cudaSuccess;
  if (!op.token_advantages) {
    error = Launch(CovarianceAdvantages, blocks, kBlock, 0, stream, op, tiles, memory.advantages);
  }
  if (error != cudaSuccess) return error;
  error = Launch(CovarianceSums, 1, kSumRows, 0, stream, op, advantages, memory.statistics);
  if (error != cudaSuccess) return error;
  error = Launch(CovarianceKeys, blocks, kBlock, 0, stream, op, tiles, advantages, memory.statistics, memory.keys);
  if (error != cudaSuccess) return error;
  return Launch(CovarianceChoice, 1, kRankBlock, 0, stream, op, memory.keys, memory.statistics);
}

size_t EntropySelectionWorkspace(const EntropySelection&) { return 0; }

cudaError_t RunEntropySelection(const EntropySelection& op, void*, cudaStream_t stream) {
  return op.tokens == 0 ? cudaSuccess : Launch(EntropyChoice, 1, kRankBlock, 0, stream, op);
}

size_t SecondMomentMaskWorkspace(const SecondMomentMask& op) { return 2 * op.tokens * sizeof(uint64_t); }

cudaError_t RunSecondMomentMask(const SecondMomentMask& op, void* workspace, cudaStream_t stream) {
  if (op.tokens == 0) return cudaSuccess;
  auto* keys = static_cast<uint64_t*>(workspace);
  const cudaError_t error = Launch(SecondMomentKeys, CeilDivide(op.tokens, kBlock), kBlock, 0, stream, op, keys);
  if (error != cudaSuccess) return error;
  return Launch(SecondMomentChoice, 1, kRankBlock, 0, stream, op, keys, keys + op.tokens);
}

}  // namespace crossthink::cuda
