#ifndef CROSSTHINK_KERNELS_TOKEN_LANES_H_
#define CROSSTHINK_KERNELS_TOKEN_LANES_H_

#include <cstddef>

#include "spec/annotate.h"
#include "spec/tile.h"

// Sums over the tokens of a sequence: token i of a tile belongs to lane i mod 32 (one warp), a lane adds in ascending
// order, lanes are joined by halving (+16, +8, ... +1), tiles in float64 in index order. docs/numerics.md, section 4.
namespace crossthink {
namespace {

// One float32 sum per lane. Kept in memory, not in registers: a kernel has several sums, and a store is forwarded to
// the load 32 tokens later at no cost.
struct LaneSum {
  alignas(64) float lane[spec::kTokenLanes];

  CT_INLINE void Clear() {
    for (float& x : lane) x = 0.0F;
  }
  // `first` is the lane of the vector's first element.
  template <class V>
  CT_INLINE void Add(size_t first, typename V::M valid, typename V::F x) {
    V::Store(lane + first, V::Add(V::Load(lane + first), V::Select(valid, x, V::Set(0.0F))));
  }
  template <class V>
  CT_INLINE double Join() {
    constexpr size_t w = V::kWidth;
    for (size_t n = spec::kTokenLanes / 2; n >= w; n /= 2) {
      for (size_t i = 0; i < n; i += w) V::Store(lane + i, V::Add(V::Load(lane + i), V::Load(lane + i + n)));
    }
    return static_cast<double>(V::TreeSum(V::Load(lane)));
  }
};

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_TOKEN_LANES_H_
