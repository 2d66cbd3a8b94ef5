#ifndef CROSSTHINK_KERNELS_ADVANTAGE_COLUMNS_H_
#define CROSSTHINK_KERNELS_ADVANTAGE_COLUMNS_H_

#include <cstddef>

#include "kernels/advantage/statistics.h"
#include "simd/transpose.h"
#include "spec/annotate.h"
#include "spec/bits.h"

namespace crossthink {
namespace {

static_assert(kRow % 64 == 0, "whole squares of vectors");
constexpr size_t kAhead = 2048;  // Rewards between what is prefetched and what is read.

// Up to kWidth rows of at most kRow numbers each; the others have length 0.
template <size_t kWidth>
struct Rows {
  size_t used = 0;
  size_t longest = 0;
  size_t shortest = kRow;
  size_t begin[kWidth];
  size_t length[kWidth];

  CT_INLINE void Append(size_t first, size_t n) {
    begin[used] = first;
    length[used++] = n;
    longest = n > longest ? n : longest;
    shortest = n < shortest ? n : shortest;
  }
  CT_INLINE void Fill() {
    for (size_t r = used; r < kWidth; ++r) begin[r] = length[r] = 0;
  }
};

// Rows as columns. Past the end of a row: NaN, or where kWhole says that rows may be read beyond their ends, anything.
template <class V>
struct Columns {
  size_t count = 0;  // The longest row.
  alignas(64) float lanes[kRow * V::kWidth];

  template <bool kWhole>
  CT_INLINE void Load(const float* x, const Rows<V::kWidth>& rows) {
    constexpr size_t w = V::kWidth;
    count = rows.longest;
    // Rows are more streams than a processor foresees; the next ones lie behind these.
    const size_t ahead = 2 * (rows.begin[rows.used - 1] + rows.length[rows.used - 1] - rows.begin[0]);
    for (size_t c = 0; c < count; c += w) {
      typename V::F square[w];
      for (size_t r = 0; r < w; ++r) {
        const float* row = x + rows.begin[r] + c;
        if constexpr (kWhole) {
          square[r] = V::Load(row);
        } else {
          V::Prefetch(row + ahead);
          const size_t left = rows.length[r] > c ? rows.length[r] - c : 0;
          square[r] = V::LoadPartial(row, left < w ? left : w, spec::QuietNan());
        }
      }
      simd::Transpose<V>::Run(square);
      for (size_t j = 0; j < w; ++j) V::Store(lanes + (c + j) * w, square[j]);
    }
  }
  CT_INLINE typename V::F At(size_t column) const { return V::Load(lanes + column * V::kWidth); }
};

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_ADVANTAGE_COLUMNS_H_
