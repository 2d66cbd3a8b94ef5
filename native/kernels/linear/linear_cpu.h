#ifndef CROSSTHINK_KERNELS_LINEAR_LINEAR_CPU_H_
#define CROSSTHINK_KERNELS_LINEAR_LINEAR_CPU_H_

#include <cstddef>
#include <cstdint>

#include "kernels/elements.h"
#include "kernels/linear/linear.h"
#include "kernels/linear/product.h"
#include "kernels/logprob/logprob_cpu.h"
#include "kernels/tile_sum.h"
#include "spec/bits.h"
#include "spec/tile.h"

namespace crossthink {
namespace {

// The rows of a tile are summed by the code that sums tiles of stored logits: equal logits give equal results.
template <class V, Weighted kWeighted>
void SumTileOfRows(const LogprobForward& op, const float* logits, size_t begin, size_t rows, size_t tile,
                   const LinearPartials& partials) {
  using E = Float32Elements<V>;
  const size_t vocab = op.logits.vocab;
  const size_t tiles = spec::TileCount(vocab);
  const size_t first = tile * spec::kTile;
  const size_t columns = vocab - first < spec::kTile ? vocab - first : spec::kTile;
  for (size_t i = begin; i < begin + rows; ++i, logits += kLogitsStride) {
    const size_t row = partials.base + i;
    const spec::TilePartial sum = SumTile<V, E, kWeighted>(logits, columns, Log2Factor(op.temperature.At(row)));
    partials.tiles[i * tiles + tile] = sum;
    TileFault fault = TileFault::kNone;
    if (!spec::IsFinite(sum.sum)) {
      fault = Diagnose<V, E>(logits, columns) == RowStatus::kNan ? TileFault::kNan : TileFault::kPositiveInfinity;
    }
    partials.faults[i * tiles + tile] = fault;
    const auto token = static_cast<size_t>(static_cast<int64_t>(op.tokens[row]));
    if (token - first < columns) partials.targets[i] = logits[token - first];
  }
}

CT_INLINE RowStatus DiagnoseTiles(const TileFault* faults, size_t tiles) {
  RowStatus status = RowStatus::kAllMasked;
  for (size_t i = 0; i < tiles; ++i) {
    if (faults[i] == TileFault::kNan) return RowStatus::kNan;
    if (faults[i] == TileFault::kPositiveInfinity) status = RowStatus::kPositiveInfinity;
  }
  return status;
}

inline void FinishRows(const LogprobForward& op, size_t rows, const LinearPartials& partials) {
  const size_t vocab = op.logits.vocab;
  const size_t tiles = spec::TileCount(vocab);
  for (size_t i = 0; i < rows; ++i) {
    const size_t row = partials.base + i;
    const spec::RowState state = JoinTiles(partials.tiles + i * tiles, tiles);
    const int32_t token = op.tokens[row];
    const bool in_range = token >= 0 && static_cast<size_t>(token) < vocab;
    const RowResult result = HasDistribution(state)
                                 ? FinishRow(state, Log2Factor(op.temperature.At(row)), in_range, partials.targets[i])
                                 : NoDistribution(DiagnoseTiles(partials.faults + i * tiles, tiles));
    WriteRow(op, row, result, state, op.entropy);
  }
}

template <class V>
constexpr LinearKernels MakeLinearKernels() {
  using F32 = Float32Chain<V>;
  using B16 = Bfloat16Chain<V>;
  return {
      {SizesOf<F32>, SizesOf<B16>},
      {Pack<F32>, Pack<B16>},
      {LogitsOfBlock<F32>, LogitsOfBlock<B16>},
      {SumTileOfRows<V, Weighted::kNo>, SumTileOfRows<V, Weighted::kYes>},
      FinishRows,
  };
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_LINEAR_LINEAR_CPU_H_
