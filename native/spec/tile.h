#ifndef CROSSTHINK_SPEC_TILE_H_
#define CROSSTHINK_SPEC_TILE_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "spec/annotate.h"
#include "spec/bits.h"

// The order of every row reduction. docs/numerics.md, section 4, has the mapping of lanes to CUDA threads.
namespace crossthink::spec {

// What a tile knows: masses relative to 2^reference. reference is integer-valued; -inf marks a tile without any mass.
struct TilePartial {
  float reference;
  float sum;       // of 2^t, t = fma(x, c, -reference)
  float weighted;  // of 2^t * max(t, -127)
  float square;    // of (2^t)^2
};

// The state of a row, or of a vocabulary shard of one: reference M, S = sum 2^(z - M), E = sum 2^(z - M) (z - M),
// Q = sum 4^(z - M), z = x log2(e) / T.
struct RowState {
  double reference;
  double sum;
  double weighted;
  double square;
};

namespace {

constexpr size_t kTile = 2048;                   // Consecutive elements of a row.
constexpr size_t kLanes = 256;                   // Element j of a tile belongs to lane j mod 256,
constexpr size_t kRowsPerTile = kTile / kLanes;  // which adds its 8 elements in ascending order.
// Lanes are joined by halving: lane l += lane l + 128, then l + 64, ... l + 1.

constexpr size_t kTokenTile = 1024;  // The same for reductions over the tokens of a sequence: 32 per lane,
constexpr size_t kTokenLanes = 32;   // 32 lanes: one warp.

CT_HD CT_INLINE size_t TileCount(size_t n) { return (n + kTile - 1) / kTile; }

// A tile whose sum exceeds this was referred to a value too far below its maximum and is redone with the exact one.
constexpr float kTileSumLimit = 0x1p16F;

CT_HD CT_INLINE RowState EmptyRow() { return {-static_cast<double>(Infinity()), 0.0, 0.0, 0.0}; }

// Exponents below this leave nothing of a float32 sum in float64.
constexpr double kJoinCutoff = -400.0;

// Adds a partial to a row whose `reference` is already the largest of all partials. Scaling by powers of two is exact.
CT_HD CT_INLINE void Accumulate(RowState* row, double reference, double sum, double weighted, double square) {
  const double shift = reference - row->reference;
  if (!(shift >= kJoinCutoff)) return;
  const double scale = PowerOfTwo(static_cast<int>(shift));
  row->sum += sum * scale;
  row->weighted += fma(shift, sum, weighted) * scale;
  row->square += square * scale * scale;
}

}  // namespace
}  // namespace crossthink::spec

#endif  // CROSSTHINK_SPEC_TILE_H_
