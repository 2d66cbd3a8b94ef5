#include "kernels/sampling/sampling.h"

#include <vector>

#include "kernels/kernel_table.h"
#include "kernels/rows_per_chunk.h"
#include "kernels/sampling/scratch_memory.h"
#include "kernels/split_rows.h"
#include "runtime/thread_pool.h"

namespace crossthink {
namespace {

// Rows are read by pieces first.
bool RunSplit(const Sampling& op, const RowSplit& split, unsigned threads, const std::atomic<int32_t>* cancel) {
  const SamplingKernels& kernels = ActiveKernels().sampling;
  const auto type = static_cast<size_t>(op.logits.type);
  thread_local std::vector<ScratchMemory> memories;  // Of this thread, one a row.
  if (memories.size() < op.logits.rows) memories.resize(op.logits.rows);
  std::vector<SamplingScratch> rows;
  for (size_t row = 0; row < op.logits.rows; ++row) rows.push_back(memories[row].For(op.logits.vocab));
  const auto sweep = [&](size_t row, size_t first, size_t last) {
    kernels.sweep[type](op, row, first, last, &rows[row]);
  };
  if (!ForPieces(split, op.logits.rows, threads, cancel, sweep)) return false;
  ThreadPool::Instance().ParallelFor(
      op.logits.rows, 1,
      [&](size_t row, size_t end) {
        rows[row].swept = true;
        kernels.sample[type](op, row, end, &rows[row]);
      },
      threads);
  return true;
}

}  // namespace

bool RunSampling(const Sampling& op, unsigned threads, const std::atomic<int32_t>* cancel) {
  const auto kernel = ActiveKernels().sampling.sample[static_cast<size_t>(op.logits.type)];
  const RowSplit split(op.logits, threads);
  if (split.Splits() && !op.edits.Any()) return RunSplit(op, split, threads, cancel);
  std::atomic<bool> cancelled{false};
  ThreadPool::Instance().ParallelFor(
      op.logits.rows, RowsPerChunk(op.logits.vocab),
      [&](size_t begin, size_t end) {
        if (cancel != nullptr && cancel->load(std::memory_order_relaxed) != 0) cancelled = true;
        if (cancelled) return;
        thread_local ScratchMemory memory;
        SamplingScratch scratch = memory.For(op.logits.vocab);
        kernel(op, begin, end, &scratch);
      },
      threads);
  return !cancelled;
}

}  // namespace crossthink
