#include "kernels/logprob/logprob.h"

#include <algorithm>
#include <memory>

#include "kernels/kernel_table.h"
#include "kernels/logprob/row.h"
#include "kernels/logprob/run.h"
#include "kernels/rows_per_chunk.h"
#include "kernels/split_rows.h"
#include "runtime/thread_pool.h"

namespace crossthink {
namespace {

// Working memory for a chunk of rows. Long rows need more tiles than a stack buffer holds (64: 131,072 logits), and
// only rows that are capped or gathered need copies; a heap block costs nothing beside either.
class ScratchMemory {
 public:
  ScratchMemory(const LogprobInput& op, size_t top_k) {
    const size_t tiles = spec::TileCount(op.logits.vocab);
    if (tiles > kLocal) heap_.reset(new spec::TilePartial[tiles]);
    if (op.softcap > 0 || op.kept.tokens != nullptr) row_.reset(new float[op.logits.vocab + 16]);
    if (top_k != 0) top_.reset(new uint64_t[top_k]);
    scratch = {heap_ ? heap_.get() : local_, row_.get(), top_.get(), false};
  }

  LogprobScratch scratch;

 private:
  static constexpr size_t kLocal = 64;
  spec::TilePartial local_[kLocal];
  std::unique_ptr<spec::TilePartial[]> heap_;
  std::unique_ptr<float[]> row_;
  std::unique_ptr<uint64_t[]> top_;
};

template <class Op, class Kernel>
bool RunRows(const Op& op, unsigned threads, size_t top_k, const std::atomic<int32_t>* cancel, Kernel kernel) {
  std::atomic<bool> cancelled{false};
  ThreadPool::Instance().ParallelFor(
      op.logits.rows, RowsPerChunk(op.logits.vocab),
      [&](size_t begin, size_t end) {
        if (cancel != nullptr && cancel->load(std::memory_order_relaxed) != 0) cancelled = true;
        if (cancelled) return;
        ScratchMemory memory(op, top_k);
        kernel(op, begin, end, &memory.scratch);
      },
      threads);
  return !cancelled;
}

// The columns [first, first + size) of all rows, of which a gradient needs no others.
LogprobBackward ColumnsOf(const LogprobBackward& op, size_t first, size_t size) {
  LogprobBackward part = op;
  part.logits.data = static_cast<const char*>(op.logits.data) + first * DTypeSize(op.logits.type);
  part.logits.vocab = size;
  part.vocab_offset += static_cast<int32_t>(first);
  part.d_logits = static_cast<char*>(op.d_logits) + first * DTypeSize(op.d_type);
  return part;
}

}  // namespace

bool RunLogprobForward(const LogprobForward& op, unsigned threads, const std::atomic<int32_t>* cancel) {
  const LogprobKernels& kernels = ActiveKernels().logprob;
  const auto type = static_cast<size_t>(op.logits.type);
  const size_t sums = op.sum_squares != nullptr ? 2 : op.entropy ? 1 : 0;
  const RowSplit split(op.logits, threads);
  if (!split.Splits() || op.softcap > 0 || op.kept.tokens != nullptr) {
    return RunRows(op, threads, op.top_k, cancel, kernels.forward[type][sums]);
  }
  const std::unique_ptr<spec::TilePartial[]> tiles(new spec::TilePartial[op.logits.rows * split.tiles]);
  const auto sum = [&](size_t row, size_t first, size_t last) {
    kernels.sum_tiles[type][sums](op, row, first, last, tiles.get() + row * split.tiles);
  };
  if (!ForPieces(split, op.logits.rows, threads, cancel, sum)) return false;
  ScratchMemory memory(op, op.top_k);
  memory.scratch.summed = true;
  for (size_t row = 0; row < op.logits.rows; ++row) {
    memory.scratch.tiles = tiles.get() + row * split.tiles;
    kernels.forward[type][sums](op, row, row + 1, &memory.scratch);
  }
  return true;
}

bool RunLogprobBackward(const LogprobBackward& op, unsigned threads, const std::atomic<int32_t>* cancel) {
  const LogprobKernels& kernels = ActiveKernels().logprob;
  const auto type = static_cast<size_t>(op.logits.type);
  const bool entropy = op.d_entropy != nullptr;
  const auto kernel = op.stream ? kernels.backward_stream[type][entropy]
                                : kernels.backward[type][op.d_type != DType::kFloat32][entropy];
  const RowSplit split(op.logits, threads);
  const bool columns_fit = op.logits.vocab <= static_cast<size_t>(INT32_MAX - op.vocab_offset);
  if (!split.Splits() || op.kept.tokens != nullptr || !columns_fit) return RunRows(op, threads, 0, cancel, kernel);
  return ForPieces(split, op.logits.rows, threads, cancel, [&](size_t row, size_t first, size_t last) {
    const size_t begin = first * spec::kTile;
    const LogprobBackward part = ColumnsOf(op, begin, std::min(last * spec::kTile, op.logits.vocab) - begin);
    ScratchMemory memory(part, 0);
    kernel(part, row, row + 1, &memory.scratch);
  });
}

void RunLogprobForward(const LogprobForward& op, unsigned threads) { RunLogprobForward(op, threads, nullptr); }

void RunLogprobBackward(const LogprobBackward& op, unsigned threads) { RunLogprobBackward(op, threads, nullptr); }

void RunLogprobMerge(const LogprobMerge& op) {
  for (size_t i = 0; i < op.rows; ++i) MergeRow(op, i);
}

}  // namespace crossthink
