#ifndef CROSSTHINK_KERNELS_TOKEN_TILES_CUH_
#define CROSSTHINK_KERNELS_TOKEN_TILES_CUH_

#include <cstddef>
#include <cstdint>

#include "runtime/cuda/device.cuh"
#include "spec/tile.h"

// Reductions over the tokens of packed sequences, one warp a tile. token_lanes.h is the CPU's side of the same order:
// token i of a tile belongs to lane i mod 32, which is a thread of the warp.
//
// Tile t of sequence s has the number offset(s) / 1024 + s + t. These numbers are unique and ascending, with a gap here
// and there, so a warp finds its sequence by a search in the offsets: there is no scan over the sequences, and the grid
// follows from the number of tokens and sequences alone, which the host knows.
namespace crossthink::cuda {
namespace {

// Sequence s holds tokens [Begin(s), Begin(s + 1)). Offsets on a device cannot be checked before a launch: they are
// clamped, so that wrong ones give wrong numbers and touch nothing out of bounds.
struct PackedSequences {
  const int32_t* offsets;
  size_t sequences;
  size_t tokens;

  __device__ __forceinline__ size_t Begin(size_t s) const {
    const auto offset = static_cast<int64_t>(offsets[s]);
    return offset < 0 ? 0 : static_cast<size_t>(offset) < tokens ? static_cast<size_t>(offset) : tokens;
  }
  __device__ __forceinline__ size_t End(size_t s) const {
    const size_t begin = Begin(s);
    const size_t end = Begin(s + 1);
    return end < begin ? begin : end;
  }
  __device__ __forceinline__ size_t FirstTile(size_t s) const { return Begin(s) / spec::kTokenTile + s; }
  __device__ __forceinline__ size_t Tiles(size_t s) const { return CeilDivide(End(s) - Begin(s), spec::kTokenTile); }
  // One more than the largest number of a tile.
  __host__ __device__ __forceinline__ size_t TileNumbers() const { return tokens / spec::kTokenTile + sequences; }
};

// Tokens [begin, end) of a sequence; none for a number that no tile has.
struct TokenTile {
  size_t sequence;
  size_t begin;
  size_t end;
};

// The tile of a number below TileNumbers(); the whole warp calls it, for one tile.
__device__ __forceinline__ TokenTile FindTile(const PackedSequences& packed, size_t number) {
  // The last sequence whose first tile is not beyond the number is in [low, low + count): 32 probes a step.
  size_t low = 0;
  size_t count = packed.sequences;
  while (count > 1) {
    const size_t step = CeilDivide(count, kWarp);
    const size_t probe = LaneIndex() * step;
    const bool before = probe < count && packed.FirstTile(low + probe) <= number;
    const unsigned votes = __ballot_sync(kFullWarp, before ? 1 : 0);
    const size_t skipped = votes == 0 ? 0 : static_cast<size_t>(31 - __clz(static_cast<int>(votes))) * step;
    low += skipped;
    count = count - skipped < step ? count - skipped : step;
  }
  const size_t first = packed.FirstTile(low);
  const size_t end = packed.End(low);
  const size_t begin = number < first ? end : packed.Begin(low) + (number - first) * spec::kTokenTile;
  if (begin >= end) return {low, end, end};
  return {low, begin, end - begin < spec::kTokenTile ? end : begin + spec::kTokenTile};
}

// The 32 lanes of a tile joined by halving; every thread returns the total.
__device__ __forceinline__ float JoinTokenLanes(float lane) {
#pragma unroll
  for (int distance = static_cast<int>(kWarp) / 2; distance > 0; distance /= 2) {
    lane += __shfl_xor_sync(kFullWarp, lane, distance);
  }
  return lane;
}

__device__ __forceinline__ uint32_t JoinCounts(uint32_t count) { return __reduce_add_sync(kFullWarp, count); }

}  // namespace
}  // namespace crossthink::cuda

#endif  // CROSSTHINK_KERNELS_TOKEN_TILES_CUH_
