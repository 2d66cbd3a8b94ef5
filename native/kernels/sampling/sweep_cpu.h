#ifndef CROSSTHINK_KERNELS_SAMPLING_SWEEP_CPU_H_
#define CROSSTHINK_KERNELS_SAMPLING_SWEEP_CPU_H_

#include <cstddef>

#include "kernels/logprob/row.h"
#include "kernels/sampling/candidates.h"
#include "kernels/sampling/sampling.h"
#include "kernels/tile_sum.h"
#include "spec/tile.h"

// The one reading of a row that comes before its filters.
namespace crossthink {
namespace {

// What has been found out about a row before its filters run, by one reading of it; all of it optional.
struct RowSweep {
  const spec::RowState* raw = nullptr;  // Sums at temperature 1, tiles in scratch->raw.
  float c = 0;                          // The factor of these sums, tiles in scratch->processed; 0: none.
  spec::RowState sum = {};
  size_t maxima = 0;  // How many there are in scratch->maxima.
};

CT_INLINE bool IsActive(const Sampling& op, size_t row, SamplingStep step) {
  switch (step) {
    case SamplingStep::kTemperature:
      return true;
    case SamplingStep::kTopK: {
      const auto k = static_cast<size_t>(op.top_k.At(row));
      return k != 0 && k < op.logits.vocab;
    }
    case SamplingStep::kTopP:
    case SamplingStep::kTopPOfRow:
      return op.top_p.At(row) < 1.0F;
    case SamplingStep::kMinP:
      return op.min_p.At(row) > 0.0F;
    case SamplingStep::kTypicalP:
      return op.typical_p.At(row) < 1.0F;
    case SamplingStep::kTopNSigma:
      return op.top_n_sigma.At(row) > 0.0F;
    case SamplingStep::kXtc:
      return op.xtc_probability.At(row) > 0.0F;
  }
  return false;
}

// Reads a row once, tile by tile: sums for its raw log-probs, where `raw` is given, and what the filters and the draw
// are going to ask for first. (What they ask for beside that, FilteredRow works out.)
template <class V, class E>
RowSweep SweepRow(const Sampling& op, size_t row, const typename E::T* x, bool entropy, spec::RowState* raw,
                  SamplingScratch* s) {
  const size_t n = op.logits.vocab;
  const float raw_c = Log2Factor(1.0F);
  float c = raw_c;
  bool filtered = false;
  bool sums = true;  // Wanted at factor c.
  const size_t steps = op.temperature.At(row) == 0.0F ? 0 : op.step_count;
  for (size_t i = 0; i < steps && !filtered; ++i) {
    const auto step = static_cast<SamplingStep>(op.steps[i]);
    if (!IsActive(op, row, step)) continue;
    filtered = step != SamplingStep::kTemperature;
    if (!filtered) c = Log2Factor(op.temperature.At(row));
    // Without raw sums a row is checked for NaN by these.
    if (filtered) sums = raw == nullptr || step == SamplingStep::kTopP || step == SamplingStep::kTopPOfRow;
  }
  sums = sums && (raw == nullptr || c != raw_c);
  RowSweep sweep;
  const size_t tiles = spec::TileCount(n);
  ForTiles<V, E>(
      x, n, [&](size_t i, const typename E::T* tile, size_t size, float head) __attribute__((always_inline)) {
        if (raw != nullptr) {
          s->raw[i] = entropy ? SumTile<V, E, Weighted::kYes>(tile, size, raw_c, head)
                              : SumTile<V, E, Weighted::kNo>(tile, size, raw_c, head);
        }
        if (sums) s->processed[i] = SumTile<V, E, Weighted::kNo>(tile, size, c, head);
        if (filtered) sweep.maxima += BlockMaxima<V, E>(tile, size, s->maxima + sweep.maxima);
      });
  if (raw != nullptr) *raw = JoinTiles(s->raw, tiles);
  sweep.raw = raw;
  if (!sums) return sweep;
  sweep.c = c;
  sweep.sum = JoinTiles(s->processed, tiles);
  return sweep;
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_SAMPLING_SWEEP_CPU_H_
