#ifndef CROSSTHINK_KERNELS_TOKEN_LANES_H_
#define CROSSTHINK_KERNELS_TOKEN_LANES_H_

#include <cstddef>

#include "spec/annotate.h"
#include "spec/tile.h"

// Sums over the tokens of a sequence: token i of a tile belongs to lane i mod 32 (one warp), a lane adds in ascending
// order, lanes are joined by halving (+16, +8, ... +1), tiles in float64 in index order. docs/numerics.md, section 4.
namespace crossthink {
namespace {

// One float32 sum per lane, as vectors: `part` holds lanes [part * kWidth, (part + 1) * kWidth). Where every index of a
// loop is a constant the sums live in registers.
template <class V>
struct LaneSum {
  static constexpr size_t kParts = spec::kTokenLanes / V::kWidth;
  typename V::F lanes[kParts];

  CT_INLINE void Clear() {
    for (typename V::F& x : lanes) x = V::Set(0.0F);
  }
  CT_INLINE void Add(size_t part, typename V::M valid, typename V::F x) {
    lanes[part] = V::Add(lanes[part], V::Select(valid, x, V::Set(0.0F)));
  }
  CT_INLINE double Join() {
    for (size_t n = kParts / 2; n >= 1; n /= 2) {
      for (size_t i = 0; i < n; ++i) lanes[i] = V::Add(lanes[i], lanes[i + n]);
    }
    return static_cast<double>(V::TreeSum(lanes[0]));
  }
};

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_TOKEN_LANES_H_
