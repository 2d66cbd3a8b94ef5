#ifndef CROSSTHINK_KERNELS_TILE_JOIN_H_
#define CROSSTHINK_KERNELS_TILE_JOIN_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "spec/annotate.h"
#include "spec/bits.h"
#include "spec/tile.h"

// Arithmetic around the tiles of a row that the CPU and CUDA share. docs/numerics.md, section 4.
namespace crossthink {
namespace {

// What a tile adds up beside the masses: mass times exponent (for the entropy), and squares of masses.
enum class Weighted : uint8_t { kNo, kYes, kSquares };

// The integer-valued reference above all z = x c of elements up to `largest`; never -0, whose sign would show in
// results.
CT_HD CT_INLINE float ReferenceOf(float largest, float c) { return ceilf(largest * c) + 0.0F; }

// Joins the partials of a row, or of a shard, in index order.
CT_HD CT_INLINE spec::RowState JoinTiles(const spec::TilePartial* tiles, size_t count) {
  spec::RowState row = spec::EmptyRow();
  for (size_t i = 0; i < count; ++i) {
    if (tiles[i].reference > row.reference) row.reference = tiles[i].reference;
  }
  for (size_t i = 0; i < count; ++i) {
    // A NaN or +inf must reach the sum, whatever its tile's reference.
    if (!spec::IsFinite(tiles[i].sum)) {
      row.sum += static_cast<double>(tiles[i].sum);
    } else {
      spec::Accumulate(&row, tiles[i].reference, tiles[i].sum, tiles[i].weighted, tiles[i].square);
    }
  }
  return row;
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_TILE_JOIN_H_
