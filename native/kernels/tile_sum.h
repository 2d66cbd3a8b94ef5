#ifndef CROSSTHINK_KERNELS_TILE_SUM_H_
#define CROSSTHINK_KERNELS_TILE_SUM_H_

#include <cmath>
#include <cstddef>

#include "kernels/elements.h"
#include "kernels/tile_join.h"
#include "simd/pack.h"
#include "spec/annotate.h"
#include "spec/bits.h"
#include "spec/exponential.h"
#include "spec/tile.h"

// One tile of a row: its masses relative to a reference taken from its own data. docs/numerics.md, section 4.
namespace crossthink {
namespace {

// Joins 256 lanes by halving.
template <class V>
CT_INLINE float JoinLanes(float* lanes) {
  constexpr size_t w = V::kWidth;
  for (size_t n = spec::kLanes / 2; n >= w; n /= 2) {
    for (size_t i = 0; i < n; i += w) V::Store(lanes + i, V::Add(V::Load(lanes + i), V::Load(lanes + i + n)));
  }
  return V::TreeSum(V::Load(lanes));
}

// The largest of n elements, NaN ignored; -inf where there is none.
template <class V, class E>
CT_INLINE float MaxOf(const typename E::T* x, size_t n) {
  constexpr size_t w = V::kWidth;
  typename V::F m = V::Set(-spec::Infinity());
  size_t i = 0;
  for (; i + w <= n; i += w) m = V::Max(m, E::Load(x + i));
  if (i < n) m = V::Max(m, LoadTail<V, E>(x + i, n - i));
  return V::MaxLane(m);
}

// The running sums of a vector of lanes.
template <class V, Weighted kWeighted>
struct LaneSums {
  typename V::F sum = V::Set(0.0F);
  typename V::F weighted = V::Set(0.0F);
  typename V::F square = V::Set(0.0F);

  CT_INLINE void Add(typename V::F x, typename V::F c, typename V::F minus_reference) {
    const typename V::F t = V::Fma(x, c, minus_reference);
    const typename V::F p = spec::Exp2Below128<V>(t);
    sum = V::Add(sum, p);
    // p is 0 below -126: the clamp only keeps 0 * -inf from being NaN.
    if constexpr (kWeighted != Weighted::kNo) weighted = V::Fma(p, V::Max(V::Set(-127.0F), t), weighted);
    if constexpr (kWeighted == Weighted::kSquares) square = V::Fma(p, p, square);
  }
};

// The 256 lanes of a tile in memory, where its last, incomplete row of elements is added and the lanes are joined.
template <class V, Weighted kWeighted>
struct TileLanes {
  alignas(64) float sums[spec::kLanes];
  alignas(64) float weights[kWeighted != Weighted::kNo ? spec::kLanes : 1];
  alignas(64) float squares[kWeighted == Weighted::kSquares ? spec::kLanes : 1];

  template <size_t kCount>
  CT_INLINE void Store(size_t lane, const LaneSums<simd::Pack<V, kCount>, kWeighted>& s, size_t k) {
    V::Store(sums + lane, s.sum.v[k]);
    if constexpr (kWeighted != Weighted::kNo) V::Store(weights + lane, s.weighted.v[k]);
    if constexpr (kWeighted == Weighted::kSquares) V::Store(squares + lane, s.square.v[k]);
  }
  CT_INLINE void Store(size_t lane, const LaneSums<V, kWeighted>& s) {
    V::Store(sums + lane, s.sum);
    if constexpr (kWeighted != Weighted::kNo) V::Store(weights + lane, s.weighted);
    if constexpr (kWeighted == Weighted::kSquares) V::Store(squares + lane, s.square);
  }
  CT_INLINE LaneSums<V, kWeighted> Load(size_t lane) const {
    LaneSums<V, kWeighted> s;
    s.sum = V::Load(sums + lane);
    if constexpr (kWeighted != Weighted::kNo) s.weighted = V::Load(weights + lane);
    if constexpr (kWeighted == Weighted::kSquares) s.square = V::Load(squares + lane);
    return s;
  }
};

template <class V, class E, Weighted kWeighted>
CT_INLINE void SumAgainst(const typename E::T* x, size_t n, float c, spec::TilePartial* tile) {
  constexpr size_t w = V::kWidth;
  // Registers hold a group of lanes; the tile is walked once per group, from the first-level cache after the first.
  constexpr size_t kGroup = kWeighted != Weighted::kNo ? 4 : (w == 16 ? 8 : 4);
  using P = simd::Together<V>;
  constexpr size_t kTogether = P::kVectors;
  TileLanes<V, kWeighted> lanes;
  const size_t full = n / spec::kLanes * spec::kLanes;
  // A tile and a half ahead is fetched line after line, whatever the order in which this tile is walked.
  const typename E::T* ahead = x + spec::kTile + spec::kTile / 2;
  for (size_t lane = 0; lane < spec::kLanes; lane += kGroup * w) {
    LaneSums<P, kWeighted> s[kGroup / kTogether];
    for (size_t row = 0; row < full; row += spec::kLanes) {
#pragma GCC unroll 8
      for (size_t k = 0; k < kGroup; k += kTogether) {
        const typename E::T* p = x + row + lane + k * w;
        typename P::F v;
#pragma GCC unroll 8
        for (size_t i = 0; i < kTogether; ++i) {
          // Once per cache line.
          if ((k + i) * w * sizeof(*p) % 64 == 0)
            V::Prefetch(ahead + lane * spec::kRowsPerTile + row / spec::kLanes * kGroup * w + (k + i) * w);
          v.v[i] = E::Load(p + i * w);
        }
        s[k / kTogether].Add(v, P::Set(c), P::Set(-tile->reference));
      }
    }
#pragma GCC unroll 8
    for (size_t k = 0; k < kGroup; ++k) lanes.Store(lane + k * w, s[k / kTogether], k % kTogether);
  }
  for (size_t j = full; j < n; j += w) {
    const typename V::F v = n - j >= w ? E::Load(x + j) : LoadTail<V, E>(x + j, n - j);
    LaneSums<V, kWeighted> s = lanes.Load(j - full);
    s.Add(v, V::Set(c), V::Set(-tile->reference));
    lanes.Store(j - full, s);
  }
  tile->sum = JoinLanes<V>(lanes.sums);
  tile->weighted = 0;
  tile->square = 0;
  if constexpr (kWeighted != Weighted::kNo) tile->weighted = JoinLanes<V>(lanes.weights);
  if constexpr (kWeighted == Weighted::kSquares) tile->square = JoinLanes<V>(lanes.squares);
}

// The largest of a tile's first row of lanes, from which its reference comes.
template <class V, class E>
CT_INLINE float TileHead(const typename E::T* x, size_t n) {
  return MaxOf<V, E>(x, n < spec::kLanes ? n : spec::kLanes);
}

// Masses of the n <= kTile elements at x, whose TileHead is `head`. A sum that is NaN or infinite tells of a NaN or
// +inf among them.
template <class V, class E, Weighted kWeighted>
CT_INLINE spec::TilePartial SumTile(const typename E::T* x, size_t n, float c, float head) {
  spec::TilePartial tile = {};
  tile.reference = ReferenceOf(head, c);
  if (spec::IsFinite(tile.reference)) {
    SumAgainst<V, E, kWeighted>(x, n, c, &tile);
    if (tile.sum <= spec::kTileSumLimit) return tile;
  }
  const float exact = ReferenceOf(MaxOf<V, E>(x, n), c);
  const bool empty = exact == -spec::Infinity();
  tile.reference = empty ? 0.0F : exact;
  SumAgainst<V, E, kWeighted>(x, n, c, &tile);
  if (empty) tile.reference = exact;
  return tile;
}

template <class V, class E, Weighted kWeighted>
CT_INLINE spec::TilePartial SumTile(const typename E::T* x, size_t n, float c) {
  return SumTile<V, E, kWeighted>(x, n, c, TileHead<V, E>(x, n));
}

// Calls visit(tile, elements, how many, TileHead) for the tiles [first, last) of a row of n elements. The head of a
// tile is worked out before the tile in front of it is summed: asked for last, it would keep the processor waiting.
template <class V, class E, class Visit>
CT_INLINE void ForTiles(const typename E::T* x, size_t n, size_t first, size_t last, Visit visit) {
  if (first >= last) return;
  float head = TileHead<V, E>(x + first * spec::kTile, n - first * spec::kTile);
  for (size_t i = first; i < last; ++i) {
    const typename E::T* tile = x + i * spec::kTile;
    const size_t left = n - i * spec::kTile;
    const float next = i + 1 < last ? TileHead<V, E>(tile + spec::kTile, left - spec::kTile) : 0.0F;
    visit(i, tile, left < spec::kTile ? left : spec::kTile, head);
    head = next;
  }
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_TILE_SUM_H_
