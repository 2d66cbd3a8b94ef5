// Gradient of log-prob and entropy with respect to the logits. Bytes moved: rows * vocab elements read once and written
// once. The output may be the logits themselves: a first kernel of one thread per row therefore reads all that other
// blocks would overwrite, the target's logit, and leaves the row's factors in the workspace.
#include "kernels/logprob/elements.cuh"
#include "kernels/logprob/logprob_cuda.h"
#include "kernels/logprob/row.h"
#include "kernels/tile.cuh"

namespace crossthink::cuda {
namespace {

constexpr unsigned kBlock = 256;
constexpr unsigned kBlockWarps = kBlock / kWarp;

struct RowFactors {
  GradientFactors factors;
  float target_gradient;  // Of the target's column; of every column where `kind` is not regular.
  int32_t target;         // The target's column; -1: none here.
  RowGradient kind;
};

template <bool kEntropy>
__device__ __forceinline__ float ElementGradient(float x, const GradientFactors& g, float extra) {
  return g.softcap > 0 ? GradientOf<V, kEntropy, true>(x, g, extra) : GradientOf<V, kEntropy, false>(x, g, extra);
}

template <class S, bool kEntropy>
__global__ __launch_bounds__(kBlock) void LogprobFactors(LogprobBackward op, RowFactors* out) {
  const size_t row = size_t{blockIdx.x} * kBlock + threadIdx.x;
  if (row >= op.logits.rows) return;
  RowFactors result = {};
  result.target = -1;
  result.kind = MakeGradientFactors<kEntropy>(op, row, &result.factors);
  if (result.kind == RowGradient::kRegular) {
    const RowElements<S> x(op, row);
    const size_t target = ElementOf(op, x.span(), op.tokens[row]);
    if (target != kNoElement) {
      result.target_gradient = ElementGradient<kEntropy>(x[target], result.factors, result.factors.target);
      result.target = static_cast<int32_t>(x.span().Column(target));
    }
  } else if (result.kind == RowGradient::kNan) {
    result.target_gradient = spec::QuietNan();
  }
  out[row] = result;
}

// The gradients of the eight elements of row `r` of a tile that this thread holds.
template <class S, class O, bool kEntropy>
__device__ __forceinline__ typename O::Pack GradientPack(const typename S::Pack& x, const RowFactors& row, size_t begin,
                                                         int r, int (*column)(int, int)) {
  typename O::Pack out = {};
#pragma unroll
  for (int k = 0; k < kThreadLanes; ++k) {
    float d = row.target_gradient;
    if (row.kind == RowGradient::kRegular) {
      const size_t j = begin + static_cast<size_t>(r * static_cast<int>(spec::kLanes)) +
                       static_cast<size_t>(column(static_cast<int>(LaneIndex()), k));
      if (static_cast<int64_t>(j) != row.target) d = GradientOf<V, kEntropy>(S::Get(x, k), row.factors, 0.0F);
    }
    O::Put(&out, k, d);
  }
  return out;
}

// One warp per tile: all of it is loaded before the first element is written.
template <class S, class O, bool kEntropy>
__global__ __launch_bounds__(kBlock, 2) void LogprobGradient(LogprobBackward op, const RowFactors* rows) {
  const size_t tiles = spec::TileCount(op.logits.vocab);
  const size_t item = size_t{blockIdx.x} * kBlockWarps + WarpIndex();
  if (item >= op.logits.rows * tiles) return;
  const size_t row = item / tiles;
  const size_t begin = item % tiles * spec::kTile;
  const size_t rest = op.logits.vocab - begin;
  const int n = static_cast<int>(rest < spec::kTile ? rest : spec::kTile);
  const auto* x = static_cast<const typename S::T*>(op.logits.data) + row * op.logits.stride + begin;
  auto* out = static_cast<typename O::T*>(op.d_logits) + row * op.d_stride + begin;
  const RowFactors factors = rows[row];
  Tile<S> tile;
  if (factors.kind == RowGradient::kRegular) tile.Load(x, n);
  // A 16-bit pack is eight neighbours, two float32 packs of four are not: whole packs only where both sides agree.
  constexpr bool kSameColumns = sizeof(typename S::T) == sizeof(typename O::T);
  if (kSameColumns && n == static_cast<int>(spec::kTile) && IsVectorAligned(out)) {
#pragma unroll
    for (int r = 0; r < kTileRows; ++r) {
      O::Store(out + r * spec::kLanes, static_cast<int>(LaneIndex()),
               GradientPack<S, O, kEntropy>(tile.rows[r], factors, begin, r, S::Column));
    }
    return;
  }
#pragma unroll
  for (int r = 0; r < kTileRows; ++r) {
    const typename O::Pack pack = GradientPack<S, O, kEntropy>(tile.rows[r], factors, begin, r, S::Column);
#pragma unroll
    for (int k = 0; k < kThreadLanes; ++k) {
      const int j = r * static_cast<int>(spec::kLanes) + S::Column(static_cast<int>(LaneIndex()), k);
      if (j < n) O::Write(out + j, O::Get(pack, k));
    }
  }
}

// Rows that are capped or gathered: one thread per column, which it alone reads and writes.
template <class S, class O, bool kEntropy>
__global__ __launch_bounds__(kBlock) void LogprobElementGradient(LogprobBackward op, const RowFactors* rows) {
  const size_t blocks = CeilDivide(op.logits.vocab, kBlock);
  const size_t row = blockIdx.x / blocks;
  const size_t column = blockIdx.x % blocks * kBlock + threadIdx.x;
  if (column >= op.logits.vocab) return;
  const RowFactors& factors = rows[row];
  float d = factors.target_gradient;
  if (factors.kind == RowGradient::kRegular && static_cast<int64_t>(column) != factors.target) {
    const RowElements<S> x(op, row);
    const size_t element = ElementOf(op, x.span(), op.vocab_offset + static_cast<int32_t>(column));
    d = element != kNoElement ? ElementGradient<kEntropy>(x[element], factors.factors, 0.0F) : 0.0F;
  }
  O::Write(static_cast<typename O::T*>(op.d_logits) + row * op.d_stride + column, d);
}

template <class S, class O, bool kEntropy>
cudaError_t Run(const LogprobBackward& op, void* workspace, cudaStream_t stream) {
  auto* rows = static_cast<RowFactors*>(workspace);
  const cudaError_t error =
      Launch(LogprobFactors<S, kEntropy>, CeilDivide(op.logits.rows, kBlock), kBlock, 0, stream, op, rows);
  if (error != cudaSuccess) return error;
  if (HasElementOptions(op)) {
    const size_t blocks = op.logits.rows * CeilDivide(op.logits.vocab, kBlock);
    return Launch(LogprobElementGradient<S, O, kEntropy>, blocks, kBlock, 0, stream, op,
                  static_cast<const RowFactors*>(rows));
  }
  const size_t items = op.logits.rows * spec::TileCount(op.logits.vocab);
  return Launch(LogprobGradient<S, O, kEntropy>, CeilDivide(items, kBlockWarps), kBlock, 0, stream, op,
                static_cast<const RowFactors*>(rows));
}

template <class S, class O>
cudaError_t RunEntropy(const LogprobBackward& op, void* workspace, cudaStream_t stream) {
  return op.d_entropy != nullptr ? Run<S, O, true>(op, workspace, stream) : Run<S, O, false>(op, workspace, stream);
}

}  // namespace

size_t LogprobBackwardWorkspace(const LogprobBackward& op) { return op.logits.rows * sizeof(RowFactors); }

cudaError_t RunLogprobBackward(const LogprobBackward& op, void* workspace, cudaStream_t stream) {
  if (op.logits.rows == 0) return cudaSuccess;
  const bool same = op.d_type == op.logits.type;
  switch (op.logits.type) {
    case DType::kFloat32:
      return RunEntropy<Float32Storage, Float32Storage>(op, workspace, stream);
    case DType::kBfloat16:
      return same ? RunEntropy<Bfloat16Storage, Bfloat16Storage>(op, workspace, stream)
                  : RunEntropy<Bfloat16Storage, Float32Storage>(op, workspace, stream);
    case DType::kFloat16:
      return same ? RunEntropy<Float16Storage, Float16Storage>(op, workspace, stream)
                  : RunEntropy<Float16Storage, Float32Storage>(op, workspace, stream);
  }
  return cudaErrorInvalidValue;
}

}  // namespace crossthink::cuda
