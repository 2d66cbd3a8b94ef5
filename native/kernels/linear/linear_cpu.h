#ifndef CROSSTHINK_KERNELS_LINEAR_LINEAR_CPU_H_
#define CROSSTHINK_KERNELS_LINEAR_LINEAR_CPU_H_

#include <cstddef>
#include <cstdint>

#include "kernels/elements.h"
#include "kernels/linear/backward_cpu.h"
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
void SumTileOfRows(const LogprobForward& op, float* logits, size_t begin, size_t rows, size_t tile,
                   const LinearPartials& partials) {
  using E = Float32Elements<V>;
  const size_t vocab = op.logits.vocab;
  const size_t tiles = spec::TileCount(vocab);
  const size_t first = tile * spec::kTile;
  const size_t columns = vocab - first < spec::kTile ? vocab - first : spec::kTile;
  for (size_t i = begin; i < begin + rows; ++i, logits += kLogitsStride) {
    const size_t row = partials.base + i;
    if (IsIgnored(op, row)) continue;
    if (op.softcap > 0) CapRow<V>(logits, columns, op.softcap);
    const spec::TilePartial sum = SumTile<V, E, kWeighted>(logits, columns, Log2Factor(op.temperature.At(row)));
    partials.tiles[i * tiles + tile] = sum;
    TileFault fault = TileFault::kNone;
    if (!spec::IsFinite(sum.sum)) {
      fault = Diagnose<V, E>(logits, columns) == RowStatus::kNan ? TileFault::kNan : TileFault::kPositiveInfinity;
    }
    partials.faults[i * tiles + tile] = fault;
    const size_t element = ElementOf(op, SpanOf(op, row), op.tokens[row]) - first;
    if (element < columns) partials.targets[i] = logits[element];
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
    if (IsIgnored(op, row)) {
      WriteRow(op, row, IgnoredRow(), spec::EmptyRow());
      continue;
    }
    const spec::RowState state = JoinTiles(partials.tiles + i * tiles, tiles);
    const size_t target = ElementOf(op, SpanOf(op, row), op.tokens[row]);
    const RowResult result = HasDistribution(state) ? FinishRow(op, row, state, target, partials.targets[i])
                                                    : NoDistribution(DiagnoseTiles(partials.faults + i * tiles, tiles));
    WriteRow(op, row, result, state);
  }
}

template <class C>
double PeakOf(size_t rounds) {
  using V = typename C::Vector;
  constexpr size_t kChains = TileShape<V>::kRows * TileShape<V>::kVectors;
  [[maybe_unused]] const typename C::Mode mode = {};
  typename V::F sum[kChains];
#pragma GCC unroll 24
  for (size_t i = 0; i < kChains; ++i) sum[i] = V::Set(static_cast<float>(i));  // Else they were one.
  typename V::F a = V::Set(0.5F);
  for (size_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 24
    for (size_t i = 0; i < kChains; ++i) sum[i] = C::Step(a, a, sum[i]);
  }
  typename V::F total = V::Set(0.0F);
#pragma GCC unroll 24
  for (size_t i = 0; i < kChains; ++i) total = V::Add(total, sum[i]);
  volatile float sink = V::TreeSum(total);  // The chains must be worked out.
  static_cast<void>(sink);
  return static_cast<double>(rounds * kChains * V::kWidth * C::kPerCell);
}

template <class V>
constexpr LinearKernels MakeLinearKernels() {
  using F32 = Float32Chain<V>;
  using B16 = Bfloat16Chain<V>;
  return {
      {SizesOf<F32>, SizesOf<B16>},
      {Pack<F32>, Pack<B16>},
      {LogitsOfBlock<F32>, LogitsOfBlock<B16>},
      {SumTileOfRows<V, Weighted::kNo>, SumTileOfRows<V, Weighted::kYes>, SumTileOfRows<V, Weighted::kSquares>},
      FinishRows,
      {GradientOfRows<V, false>, GradientOfRows<V, true>},
      kPanelBytes<V>,
      kPanelColumns<V>,
      {HiddenGradient<V, Float32Elements<V>>, HiddenGradient<V, Bfloat16Elements<V>>},
      {WeightGradient<V, Float32Elements<V>>, WeightGradient<V, Bfloat16Elements<V>>},
      BiasGradient<V>,
      {PeakOf<F32>, PeakOf<B16>},
  };
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_LINEAR_LINEAR_CPU_H_
