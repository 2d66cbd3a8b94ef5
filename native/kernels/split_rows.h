#ifndef CROSSTHINK_KERNELS_SPLIT_ROWS_H_
#define CROSSTHINK_KERNELS_SPLIT_ROWS_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "kernels/logits.h"
#include "runtime/thread_pool.h"
#include "spec/tile.h"

namespace crossthink {

// How long rows are shared by several threads, where there are fewer rows than threads: in pieces of whole tiles, which
// do not depend on each other. Their partials are joined in the order of the tiles afterwards, so the bits are those of
// one thread.
struct RowSplit {
  static constexpr size_t kTilesPerPiece = 16;  // Some 3 us of work.
  // Logits from which a call gains: on fewer it is over when another thread has woken (docs/sampling.md, "Cost of a
  // call").
  static constexpr size_t kLogits = size_t{3} << 16;

  size_t pieces = 1;  // Of a row; 1: rows stay whole.
  size_t tiles = 0;   // Of a row.

  RowSplit(const Logits& logits, unsigned threads) {
    const size_t workers = threads == 0 ? ThreadPool::Instance().size() : threads;
    if (logits.rows >= workers || logits.rows * logits.vocab < kLogits) return;
    tiles = spec::TileCount(logits.vocab);
    pieces = (tiles + kTilesPerPiece - 1) / kTilesPerPiece;
  }

  bool Splits() const { return pieces > 1; }
};

// Calls body(row, first tile, last tile) for each piece of each row. False where `cancel` was seen set.
template <class Body>
bool ForPieces(const RowSplit& split, size_t rows, unsigned threads, const std::atomic<int32_t>* cancel,
               const Body& body) {
  std::atomic<bool> cancelled{false};
  ThreadPool::Instance().ParallelFor(
      rows * split.pieces, 1,
      [&](size_t begin, size_t end) {
        for (size_t piece = begin; piece < end; ++piece) {
          if (cancel != nullptr && cancel->load(std::memory_order_relaxed) != 0) cancelled = true;
          if (cancelled) return;
          const size_t first = piece % split.pieces * RowSplit::kTilesPerPiece;
          body(piece / split.pieces, first, std::min(first + RowSplit::kTilesPerPiece, split.tiles));
        }
      },
      threads);
  return !cancelled;
}

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_SPLIT_ROWS_H_
