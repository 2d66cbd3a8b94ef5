// log-prob, entropy and log-sum-exp of every row. Bytes moved: rows * vocab * element size, once.
//
// Two routes, same bits. Many rows: a block of 8 warps takes one row (or 2, 4, 8 short ones), each warp every 8th tile,
// partials in shared memory; the row's first thread joins them. Few rows: one warp per tile over the whole grid,
// partials in the workspace, and a second kernel joins. A warp holds its tile in registers (64 for float32), so 16
// loads of 16 bytes are in flight per thread: with 2 blocks of 8 warps on a multiprocessor that is 128 KiB, three times
// what an H100 needs to cover its memory latency.
#include "kernels/logprob/elements.cuh"
#include "kernels/logprob/logprob_cuda.h"
#include "kernels/logprob/row.h"
#include "kernels/tile.cuh"
#include "kernels/tile_join.h"

namespace crossthink::cuda {
namespace {

constexpr unsigned kBlock = 256;
constexpr unsigned kBlockWarps = kBlock / kWarp;
constexpr size_t kMaxShared = 48 << 10;

// Squares, and rows that are capped or gathered, take the elements one by one (elements.cuh); a tile of other rows is
// loaded into registers.
template <class S, Weighted kWeighted>
__device__ __forceinline__ spec::TilePartial TileOfRow(const LogprobForward& op, size_t row, size_t index, float c) {
  const size_t begin = index * spec::kTile;
  if constexpr (kWeighted == Weighted::kSquares) {
    const RowElements<S> x(op, row);
    return SumTile<kWeighted>(ElementTile<S>{x, begin}, c);
  } else {
    const size_t rest = op.logits.vocab - begin;
    Tile<S> tile;
    tile.Load(RowOf<S>(op.logits, row) + begin, static_cast<int>(rest < spec::kTile ? rest : spec::kTile));
    return SumTile<kWeighted>(tile, c);
  }
}

__device__ __forceinline__ size_t TilesOf(const LogprobForward& op, size_t row) {
  return IsIgnored(op, row) ? 0 : spec::TileCount(SpanOf(op, row).size);
}

// Why a row has no distribution. The whole warp looks; rows like that are rare.
template <class S>
__device__ __forceinline__ RowStatus Diagnose(const RowElements<S>& x) {
  bool nan = false;
  bool positive = false;
  for (size_t j = LaneIndex(); j < x.size(); j += kWarp) {
    const float v = x[j];
    nan |= v != v;
    positive |= v > 0;
  }
  if (__any_sync(kFullWarp, nan ? 1 : 0) != 0) return RowStatus::kNan;
  return __any_sync(kFullWarp, positive ? 1 : 0) != 0 ? RowStatus::kPositiveInfinity : RowStatus::kAllMasked;
}

// Joins the partials of one row and writes its results: a whole warp, of which the first thread does the arithmetic
// (the order of the joins is part of the specification).
template <class S>
__device__ __forceinline__ void FinishRowInWarp(const LogprobForward& op, size_t row,
                                                const spec::TilePartial* partials) {
  if (IsIgnored(op, row)) {
    if (LaneIndex() == 0) WriteRow(op, row, IgnoredRow(), spec::EmptyRow());
    return;
  }
  const RowElements<S> x(op, row);
  spec::RowState state = spec::EmptyRow();
  if (LaneIndex() == 0) state = JoinTiles(partials, spec::TileCount(x.size()));
  const bool sound = __any_sync(kFullWarp, LaneIndex() == 0 && HasDistribution(state) ? 1 : 0) != 0;
  const RowStatus why = sound ? RowStatus::kOk : Diagnose(x);
  if (LaneIndex() != 0) return;
  RowResult result = NoDistribution(why);
  if (sound) {
    const size_t target = ElementOf(op, x.span(), op.tokens[row]);
    result = FinishRow(op, row, state, target, target != kNoElement ? x[target] : 0.0F);
  }
  WriteRow(op, row, result, state);
}

// Many rows. warps_per_row is 1, 2, 4 or 8.
template <class S, Weighted kWeighted>
__global__ __launch_bounds__(kBlock, 2) void LogprobRows(LogprobForward op, unsigned warps_per_row) {
  const unsigned row_in_block = WarpIndex() / warps_per_row;
  const unsigned warp_in_row = WarpIndex() % warps_per_row;
  const size_t row = size_t{blockIdx.x} * (kBlockWarps / warps_per_row) + row_in_block;
  auto* partials = static_cast<spec::TilePartial*>(DynamicShared()) + row_in_block * spec::TileCount(op.logits.vocab);
  if (row < op.logits.rows) {
    const float c = Log2Factor(op.temperature.At(row));
    const size_t tiles = TilesOf(op, row);
    for (size_t i = warp_in_row; i < tiles; i += warps_per_row) {
      const spec::TilePartial partial = TileOfRow<S, kWeighted>(op, row, i, c);
      if (LaneIndex() == 0) partials[i] = partial;
    }
  }
  __syncthreads();
  if (row < op.logits.rows && warp_in_row == 0) FinishRowInWarp<S>(op, row, partials);
}

// Few rows: one warp per tile of any row.
template <class S, Weighted kWeighted>
__global__ __launch_bounds__(kBlock, 2) void LogprobTiles(LogprobForward op, spec::TilePartial* partials) {
  const size_t tiles = spec::TileCount(op.logits.vocab);
  const size_t item = size_t{blockIdx.x} * kBlockWarps + WarpIndex();
  if (item >= op.logits.rows * tiles) return;
  const size_t row = item / tiles;
  if (item % tiles >= TilesOf(op, row)) return;
  const float c = Log2Factor(op.temperature.At(row));
  const spec::TilePartial partial = TileOfRow<S, kWeighted>(op, row, item % tiles, c);
  if (LaneIndex() == 0) partials[item] = partial;
}

template <class S>
__global__ __launch_bounds__(kBlock, 2) void LogprobFinish(LogprobForward op, const spec::TilePartial* partials) {
  const size_t row = size_t{blockIdx.x} * kBlockWarps + WarpIndex();
  if (row < op.logits.rows) FinishRowInWarp<S>(op, row, partials + row * spec::TileCount(op.logits.vocab));
}

// One thread a row: five numbers a shard.
__global__ __launch_bounds__(kBlock) void LogprobMergeRows(const __grid_constant__ LogprobMerge op) {
  const size_t row = size_t{blockIdx.x} * kBlock + threadIdx.x;
  if (row < op.rows) MergeRow(op, row);
}

unsigned WarpsPerRow(size_t tiles) { return tiles >= 8 ? 8 : tiles >= 4 ? 4 : tiles >= 2 ? 2 : 1; }

size_t SharedBytes(size_t tiles) { return kBlockWarps / WarpsPerRow(tiles) * tiles * sizeof(spec::TilePartial); }

template <class S, Weighted kWeighted>
cudaError_t RunSums(const LogprobForward& op, void* workspace, cudaStream_t stream) {
  const size_t tiles = spec::TileCount(op.logits.vocab);
  const unsigned warps = WarpsPerRow(tiles);
  const size_t blocks = CeilDivide(op.logits.rows, kBlockWarps / warps);
  // Two blocks a multiprocessor run at a time: with fewer in all, a row per block would leave some idle.
  const bool split = tiles > kBlockWarps && blocks < size_t{2} * MultiprocessorCount();
  if (!split && SharedBytes(tiles) <= kMaxShared) {
    return Launch(LogprobRows<S, kWeighted>, blocks, kBlock, SharedBytes(tiles), stream, op, warps);
  }
  auto* partials = static_cast<spec::TilePartial*>(workspace);
  const cudaError_t error = Launch(LogprobTiles<S, kWeighted>, CeilDivide(op.logits.rows * tiles, kBlockWarps), kBlock,
                                   0, stream, op, partials);
  if (error != cudaSuccess) return error;
  return Launch(LogprobFinish<S>, CeilDivide(op.logits.rows, kBlockWarps), kBlock, 0, stream, op, partials);
}

template <class S>
cudaError_t Run(const LogprobForward& op, void* workspace, cudaStream_t stream) {
  cudaError_t error = cudaSuccess;
  if (op.sum_squares != nullptr || HasElementOptions(op)) {
    error = RunSums<S, Weighted::kSquares>(op, workspace, stream);
  } else if (op.entropy) {
    error = RunSums<S, Weighted::kYes>(op, workspace, stream);
  } else {
    error = RunSums<S, Weighted::kNo>(op, workspace, stream);
  }
  return error != cudaSuccess ? error : RunLogprobTop(op, stream);
}

}  // namespace

size_t LogprobForwardWorkspace(const LogprobForward& op) {
  return op.logits.rows * spec::TileCount(op.logits.vocab) * sizeof(spec::TilePartial);
}

cudaError_t RunLogprobForward(const LogprobForward& op, void* workspace, cudaStream_t stream) {
  if (op.logits.rows == 0) return cudaSuccess;
  switch (op.logits.type) {
    case DType::kFloat32:
      return Run<Float32Storage>(op, workspace, stream);
    case DType::kBfloat16:
      return Run<Bfloat16Storage>(op, workspace, stream);
    case DType::kFloat16:
      return Run<Float16Storage>(op, workspace, stream);
  }
  return cudaErrorInvalidValue;
}

cudaError_t RunLogprobMerge(const LogprobMerge& op, void*, cudaStream_t stream) {
  if (op.rows == 0) return cudaSuccess;
  return Launch(LogprobMergeRows, CeilDivide(op.rows, kBlock), kBlock, 0, stream, op);
}

}  // namespace crossthink::cuda
