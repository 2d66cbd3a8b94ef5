#ifndef CROSSTHINK_KERNELS_RANKED_CUH_
#define CROSSTHINK_KERNELS_RANKED_CUH_

#include <cstddef>
#include <cstdint>

#include "runtime/cuda/device.cuh"

// Choosing from all elements of a batch by 64-bit keys, ties by position, with one block of kRankBlock threads: what is
// chosen depends on every element, and one block needs no launch between its passes. `key(i)` is evaluated in each
// pass.
namespace crossthink::cuda {
namespace {

constexpr unsigned kRankBlock = 1024;
constexpr unsigned kRankWarps = kRankBlock / kWarp;
constexpr unsigned kDigits = 256;  // Keys are looked at eight bits at a time.

__device__ __forceinline__ unsigned LanesBelow(unsigned votes) { return votes & ((1U << LaneIndex()) - 1); }

// How many threads of the block say yes; the whole block calls it.
__device__ __forceinline__ unsigned CountInBlock(bool yes) {
  return static_cast<unsigned>(__syncthreads_count(yes ? 1 : 0));
}

// How many of the n elements pass the test.
template <class Test>
__device__ __forceinline__ size_t CountElements(size_t n, Test test) {
  size_t count = 0;
  for (size_t first = 0; first < n; first += kRankBlock) {
    const size_t i = first + threadIdx.x;
    count += CountInBlock(i < n && test(i));
  }
  return count;
}

// Everything above `key` is chosen, and of what equals it the first `ties` by position.
struct Cut {
  uint64_t key;
  size_t ties;
};

// Where the `wanted` largest keys end, 1 <= wanted <= number of candidates, which are the elements whose key is not
// `no_key`. Eight passes, one a digit.
template <class Key>
__device__ __forceinline__ Cut FindCut(size_t n, Key key, uint64_t no_key, size_t wanted) {
  __shared__ unsigned histogram[kDigits];
  __shared__ Cut found;
  uint64_t prefix = 0;
  uint64_t known = 0;  // The digits that are in the prefix.
  size_t left = wanted;
  for (int shift = 56; shift >= 0; shift -= 8) {
    if (threadIdx.x < kDigits) histogram[threadIdx.x] = 0;
    __syncthreads();
    for (size_t i = threadIdx.x; i < n; i += kRankBlock) {
      const uint64_t k = key(i);
      if (k != no_key && (k & known) == prefix) atomicAdd(&histogram[k >> shift & (kDigits - 1)], 1U);
    }
    __syncthreads();
    if (threadIdx.x == 0) {
      unsigned digit = kDigits - 1;
      for (; digit > 0 && histogram[digit] < left; --digit) left -= histogram[digit];
      found = {prefix | uint64_t{digit} << shift, left};
    }
    __syncthreads();
    prefix = found.key;
    left = found.ties;
    known |= uint64_t{kDigits - 1} << shift;
  }
  return {prefix, left};
}

// Calls write(i, key, rank) for every element: `rank` counts the elements before it, by position, that equal `cut`.
template <class Key, class Write>
__device__ __forceinline__ void RankTies(size_t n, Key key, uint64_t cut, Write write) {
  __shared__ unsigned counts[kRankWarps];
  size_t before = 0;
  for (size_t first = 0; first < n; first += kRankBlock) {
    const size_t i = first + threadIdx.x;
    const uint64_t k = i < n ? key(i) : ~cut;
    const unsigned votes = __ballot_sync(kFullWarp, k == cut ? 1 : 0);
    if (LaneIndex() == 0) counts[WarpIndex()] = static_cast<unsigned>(__popc(votes));
    __syncthreads();
    size_t rank = before + static_cast<size_t>(__popc(LanesBelow(votes)));
    for (unsigned w = 0; w < kRankWarps; ++w) {
      rank += w < WarpIndex() ? counts[w] : 0;
      before += counts[w];
    }
    if (i < n) write(i, k, rank);
    __syncthreads();
  }
}

// Sorts n < 2^32 keys ascending, through `other`, where the result may be: the sorted array is returned. Least digit
// first; a pass keeps the order of equal digits, so places are handed out chunk by chunk, warp by warp, lane by lane.
__device__ __forceinline__ uint64_t* SortAscending(uint64_t* keys, uint64_t* other, size_t n) {
  __shared__ unsigned places[kDigits];              // Where the next key with a digit goes,
  __shared__ unsigned starts[kRankWarps][kDigits];  // and where a warp's first one does.
  for (int shift = 0; shift < 64; shift += 8) {
    if (threadIdx.x < kDigits) places[threadIdx.x] = 0;
    __syncthreads();
    for (size_t i = threadIdx.x; i < n; i += kRankBlock) atomicAdd(&places[keys[i] >> shift & (kDigits - 1)], 1U);
    __syncthreads();
    if (threadIdx.x == 0) {
      unsigned place = 0;
      for (unsigned& count : places) {
        const unsigned here = count;
        count = place;
        place += here;
      }
    }
    __syncthreads();
    for (size_t first = 0; first < n; first += kRankBlock) {
      for (unsigned d = LaneIndex(); d < kDigits; d += kWarp) starts[WarpIndex()][d] = 0;
      __syncwarp();
      const bool inside = first + threadIdx.x < n;
      const uint64_t k = inside ? keys[first + threadIdx.x] : 0;
      const auto digit = static_cast<unsigned>(k >> shift & (kDigits - 1));
      const unsigned peers = __match_any_sync(kFullWarp, inside ? digit : kDigits);
      const auto rank = static_cast<unsigned>(__popc(LanesBelow(peers)));
      if (inside && rank == 0) starts[WarpIndex()][digit] = static_cast<unsigned>(__popc(peers));
      __syncthreads();
      if (threadIdx.x < kDigits) {
        unsigned place = places[threadIdx.x];
        for (unsigned w = 0; w < kRankWarps; ++w) {
          const unsigned count = starts[w][threadIdx.x];
          starts[w][threadIdx.x] = place;
          place += count;
        }
        places[threadIdx.x] = place;
      }
      __syncthreads();
      if (inside) other[starts[WarpIndex()][digit] + rank] = k;
      __syncthreads();
    }
    uint64_t* sorted = other;
    other = keys;
    keys = sorted;
  }
  return keys;
}

}  // namespace
}  // namespace crossthink::cuda

#endif  // CROSSTHINK_KERNELS_RANKED_CUH_
