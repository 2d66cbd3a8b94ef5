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

// Whether a call asks for anything of softmax(logits) itself.
CT_INLINE bool WantsRaw(const Sampling& op) {
  return op.raw_logprob != nullptr || op.entropy != nullptr || op.top_n != 0 || op.chosen_logprobs != nullptr;
}

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

// What a row's sweep looks for: sums for its raw log-probs, where they are wanted, and what the filters and the draw
// are going to ask for first. (What they ask for beside that, FilteredRow works out.)
struct SweepPlan {
  bool raw = false;      // Sums at raw_c,
  bool entropy = false;  // and for the entropy.
  bool sums = true;      // Sums at c.
  bool maxima = false;
  float raw_c = 0;
  float c = 0;
};

CT_INLINE SweepPlan PlanSweep(const Sampling& op, size_t row) {
  SweepPlan plan;
  plan.raw = WantsRaw(op);
  plan.entropy = op.entropy != nullptr;
  plan.c = plan.raw_c = Log2Factor(1.0F);
  const size_t steps = op.temperature.At(row) == 0.0F ? 0 : op.step_count;
  for (size_t i = 0; i < steps && !plan.maxima; ++i) {
    const auto step = static_cast<SamplingStep>(op.steps[i]);
    if (!IsActive(op, row, step)) continue;
    plan.maxima = step != SamplingStep::kTemperature;
    if (!plan.maxima) plan.c = Log2Factor(op.temperature.At(row));
    // Without raw sums a row is checked for NaN by these.
    if (plan.maxima) plan.sums = !plan.raw || step == SamplingStep::kTopP || step == SamplingStep::kTopPOfRow;
  }
  plan.sums = plan.sums && (!plan.raw || plan.c != plan.raw_c);
  return plan;
}

// Reads the tiles [first, last) of a row of n elements once.
template <class V, class E>
CT_INLINE void SweepTiles(const SweepPlan& plan, const typename E::T* x, size_t n, size_t first, size_t last,
                          SamplingScratch* s) {
  ForTiles<V, E>(
      x, n, first,
      last, [&](size_t i, const typename E::T* tile, size_t size, float head) __attribute__((always_inline)) {
        if (plan.raw) {
          s->raw[i] = plan.entropy ? SumTile<V, E, Weighted::kYes>(tile, size, plan.raw_c, head)
                                   : SumTile<V, E, Weighted::kNo>(tile, size, plan.raw_c, head);
        }
        if (plan.sums) s->processed[i] = SumTile<V, E, Weighted::kNo>(tile, size, plan.c, head);
        if (plan.maxima) BlockMaxima<V, E>(tile, size, s->maxima + i * kBlocksPerTile * V::kWidth);
      });
}

// Reads a row once, unless that has been done; `raw` is where the sums for raw log-probs go if these are wanted.
template <class V, class E>
RowSweep SweepRow(const Sampling& op, size_t row, const typename E::T* x, spec::RowState* raw, SamplingScratch* s) {
  const size_t n = op.logits.vocab;
  const size_t tiles = spec::TileCount(n);
  const SweepPlan plan = PlanSweep(op, row);
  if (!s->swept) SweepTiles<V, E>(plan, x, n, 0, tiles, s);
  RowSweep sweep;
  if (plan.maxima) sweep.maxima = (n + kMaximaBlock - 1) / kMaximaBlock * V::kWidth;
  if (plan.raw) {
    *raw = JoinTiles(s->raw, tiles);
    sweep.raw = raw;
  }
  if (!plan.sums) return sweep;
  sweep.c = plan.c;
  sweep.sum = JoinTiles(s->processed, tiles);
  return sweep;
}

template <class V, class E>
void SweepPieces(const Sampling& op, size_t row, size_t first, size_t last, SamplingScratch* s) {
  const auto* x = static_cast<const typename E::T*>(op.logits.data) + row * op.logits.stride;
  SweepTiles<V, E>(PlanSweep(op, row), x, op.logits.vocab, first, last, s);
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_SAMPLING_SWEEP_CPU_H_
