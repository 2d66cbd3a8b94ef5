#ifndef CROSSTHINK_KERNELS_SAMPLING_WIDE_LIST_CUH_
#define CROSSTHINK_KERNELS_SAMPLING_WIDE_LIST_CUH_

#include <cstddef>
#include <cstdint>

#include "kernels/sampling/select.cuh"
#include "runtime/cuda/device.cuh"

// A list of tokens in ascending order of id in device memory, filled and thinned out by a block of 256 threads.
namespace crossthink::cuda {
namespace {

constexpr unsigned kThreadItems = 8;
constexpr unsigned kListChunk = kSelectThreads * kThreadItems;

struct TokenList {
  float* values;
  uint32_t* ids;
};

struct ScanShared {
  unsigned long long warps[kSelectThreads / kWarp];
};

struct Scanned {
  unsigned before;
  unsigned total;
};

// The sum of `value` over the threads in front of this one, and over all.
__device__ __forceinline__ Scanned BlockScan(ScanShared* shared, unsigned value) {
  unsigned up_to = value;
#pragma unroll
  for (unsigned distance = 1; distance < kWarp; distance *= 2) {
    const unsigned other = __shfl_up_sync(kFullWarp, up_to, distance);
    if (LaneIndex() >= distance) up_to += other;
  }
  if (LaneIndex() == kWarp - 1) shared->warps[WarpIndex()] = up_to;
  __syncthreads();
  Scanned scanned = {up_to - value, 0};
  for (unsigned warp = 0; warp < kSelectThreads / kWarp; ++warp) {
    const auto sum = static_cast<unsigned>(shared->warps[warp]);
    if (warp < WarpIndex()) scanned.before += sum;
    scanned.total += sum;
  }
  __syncthreads();  // Before the next use.
  return scanned;
}

// The largest number of all threads, for all threads.
__device__ __forceinline__ uint64_t BlockMax(ScanShared* shared, uint64_t value) {
  unsigned long long largest = value;
#pragma unroll
  for (unsigned distance = kWarp / 2; distance > 0; distance /= 2) {
    const unsigned long long other = __shfl_xor_sync(kFullWarp, largest, static_cast<int>(distance));
    largest = other > largest ? other : largest;
  }
  if (LaneIndex() == 0) shared->warps[WarpIndex()] = largest;
  __syncthreads();
  largest = 0;
  for (const unsigned long long of_warp : shared->warps) largest = of_warp > largest ? of_warp : largest;
  __syncthreads();
  return largest;
}

// Fills `to` with those of [0, count) for which get(i, &value, &id) holds, in order. `get` may read `to` itself at i:
// what is written lies at or in front of what has been read.
template <class Get>
__device__ __forceinline__ size_t FillList(ScanShared* shared, size_t count, const TokenList& to, Get get) {
  size_t size = 0;
  for (size_t begin = 0; begin < count; begin += kListChunk) {
    float values[kThreadItems] = {};
    uint32_t ids[kThreadItems] = {};
    unsigned kept = 0;
    unsigned own = 0;
#pragma unroll
    for (unsigned k = 0; k < kThreadItems; ++k) {
      const size_t i = begin + threadIdx.x * kThreadItems + k;
      if (i < count && get(i, &values[k], &ids[k])) {
        kept |= 1U << k;
        ++own;
      }
    }
    const Scanned scanned = BlockScan(shared, own);
    size_t at = size + scanned.before;
#pragma unroll
    for (unsigned k = 0; k < kThreadItems; ++k) {
      if ((kept >> k & 1U) == 0) continue;
      to.values[at] = values[k];
      to.ids[at] = ids[k];
      ++at;
    }
    size += scanned.total;
  }
  __syncthreads();
  return size;
}

}  // namespace
}  // namespace crossthink::cuda

#endif  // CROSSTHINK_KERNELS_SAMPLING_WIDE_LIST_CUH_
