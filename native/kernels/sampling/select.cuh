#ifndef CROSSTHINK_KERNELS_SAMPLING_SELECT_CUH_
#define CROSSTHINK_KERNELS_SAMPLING_SELECT_CUH_

#include <cstddef>
#include <cstdint>

#include "runtime/cuda/device.cuh"

// Weighted radix selection by a block of 256 threads: keys in descending order, 8 bits a pass, weights added up in 256
// bins of shared memory. Weights are integers, so the order of the additions does not show.
namespace crossthink::cuda {
namespace {

constexpr unsigned kSelectThreads = 256;

struct SelectShared {
  unsigned long long bins[256];
  unsigned long long before;  // Weight of all keys above the range under consideration.
  unsigned digit;
  unsigned found;
};

struct Selected {
  bool found;       // False: all keys together weigh less than the limit.
  uint64_t key;     // Of the last key kept, the bits under `mask`.
  uint64_t before;  // Weight in front of it.
};

// Lane l of the first warp looks at bins 255 - 8l ... 248 - 8l. Finds the bin where the weight from above reaches
// `limit`.
__device__ __forceinline__ void FindBin(SelectShared* shared, uint64_t limit) {
  const unsigned first = 255 - 8 * LaneIndex();
  unsigned long long own = 0;
#pragma unroll
  for (unsigned i = 0; i < 8; ++i) own += shared->bins[first - i];
  unsigned long long up_to = own;
#pragma unroll
  for (unsigned distance = 1; distance < kWarp; distance *= 2) {
    const unsigned long long other = __shfl_up_sync(kFullWarp, up_to, distance);
    if (LaneIndex() >= distance) up_to += other;
  }
  const unsigned long long base = shared->before;
  const unsigned reached = __ballot_sync(kFullWarp, base + up_to >= limit ? 1 : 0);
  __syncwarp();  // Every lane has read `before`: a ballot alone orders no memory.
  if (reached == 0) {
    if (LaneIndex() == 0) shared->found = 0;
    return;
  }
  if (static_cast<int>(LaneIndex()) != __ffs(static_cast<int>(reached)) - 1) return;
  unsigned long long before = base + up_to - own;
  unsigned digit = first;
  while (before + shared->bins[digit] < limit) before += shared->bins[digit--];
  shared->before = before;
  shared->digit = digit;
  shared->found = 1;
}

// Among the keys that for_each(f) gives to f(key, weight), in descending order, the last one in front of which the
// weight is below `limit` (>= 1). Looks at the bits from `top` (exclusive, a multiple of 8) down; keys equal in these
// bits count as one. Bits known to be ones in every key are skipped. Every thread of the block takes part and gets the
// result.
template <class ForEach>
__device__ Selected SelectKey(SelectShared* shared, int top, uint64_t known_ones, uint64_t limit, ForEach for_each) {
  uint64_t key = 0;
  uint64_t mask = 0;
  __syncthreads();  // Nobody still reads the result of an earlier selection.
  if (threadIdx.x == 0) shared->before = 0;
  for (int shift = top - 8; shift >= 0; shift -= 8) {
    const uint64_t digit_mask = uint64_t{255} << shift;
    if ((known_ones & digit_mask) == digit_mask) {
      key |= digit_mask;
      mask |= digit_mask;
      continue;
    }
    shared->bins[threadIdx.x] = 0;
    __syncthreads();
    for_each([&](uint64_t candidate, uint64_t weight) {
      if ((candidate & mask) == key) atomicAdd(&shared->bins[candidate >> shift & 255], weight);
    });
    __syncthreads();
    if (WarpIndex() == 0) FindBin(shared, limit);
    __syncthreads();
    if (shared->found == 0) return {false, 0, 0};
    key |= uint64_t{shared->digit} << shift;
    mask |= digit_mask;
  }
  return {true, key, shared->before};
}

// Bits that are ones in the complement of every number below n of 32 bits.
__device__ __forceinline__ uint64_t KnownOnes(size_t n) {
  return n <= size_t{1} << 16 ? 0xffff0000U : n <= size_t{1} << 24 ? 0xff000000U : 0;
}

// Sum of one number of every thread, for every thread.
__device__ __forceinline__ uint64_t BlockSum(SelectShared* shared, uint64_t value) {
  __syncthreads();
  if (threadIdx.x == 0) shared->bins[0] = 0;
  __syncthreads();
  atomicAdd(&shared->bins[0], static_cast<unsigned long long>(value));
  __syncthreads();
  return shared->bins[0];
}

}  // namespace
}  // namespace crossthink::cuda

#endif  // CROSSTHINK_KERNELS_SAMPLING_SELECT_CUH_
