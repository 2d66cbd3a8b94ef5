#ifndef CROSSTHINK_KERNELS_POLICY_LOSS_TILE_STEPS_H_
#define CROSSTHINK_KERNELS_POLICY_LOSS_TILE_STEPS_H_

#include <cstddef>
#include <utility>

#include "kernels/token_lanes.h"
#include "spec/annotate.h"
#include "spec/tile.h"

namespace crossthink {
namespace {

template <class V, bool kWhole, class Step, size_t... kPart>
CT_INLINE void StepsOf(Step& step, size_t i, size_t left, std::index_sequence<kPart...>) {
  constexpr size_t w = V::kWidth;
  const auto rest = [&](size_t before) { return left < before ? 0 : left - before < w ? left - before : w; };
  (step.template Run<kWhole>(i + kPart * w, kWhole ? w : rest(kPart * w), kPart), ...);
}

// Calls step.Run<kWhole>(i, n, part) for the tokens of a tile, vector by vector: tokens [i, i + n), n <= kWidth and where
// kWhole equal to it, belong to lanes `part` of a LaneSum. Where those fit in registers and kUnrolled, `part` is a
// constant in every step, so that they stay there; the last steps have any n then, from 0 to kWidth.
template <class V, bool kUnrolled, class Step>
CT_INLINE void ForTile(size_t begin, size_t end, Step& step) {
  constexpr size_t w = V::kWidth;
  constexpr size_t kParts = LaneSum<V>::kParts;
  size_t i = begin;
  if constexpr (kUnrolled && kParts <= 4) {
    constexpr auto parts = std::make_index_sequence<kParts>();
    for (; i + spec::kTokenLanes <= end; i += spec::kTokenLanes) StepsOf<V, true>(step, i, spec::kTokenLanes, parts);
    if (i < end) StepsOf<V, false>(step, i, end - i, parts);
  } else {
    size_t part = 0;
    for (; i + w <= end; i += w, part = (part + 1) % kParts) step.template Run<true>(i, w, part);
    if (i < end) step.template Run<false>(i, end - i, part);
  }
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_POLICY_LOSS_TILE_STEPS_H_
