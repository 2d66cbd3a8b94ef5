#include "kernels/logprob/logprob.h"

#include <memory>

#include "kernels/kernel_table.h"
#include "kernels/rows_per_chunk.h"
#include "runtime/thread_pool.h"

namespace crossthink {

void RunLogprobForward(const LogprobForward& op, unsigned threads) {
  const auto kernel = ActiveKernels().logprob.forward[static_cast<size_t>(op.logits.type)][op.entropy];
  const size_t tiles = spec::TileCount(op.logits.vocab);
  ThreadPool::Instance().ParallelFor(
      op.logits.rows, RowsPerChunk(op.logits.vocab),
      [&](size_t begin, size_t end) {
        // Long rows need more tiles than a stack buffer holds (64: 131,072 logits); a heap block costs nothing there.
        spec::TilePartial local[64];
        std::unique_ptr<spec::TilePartial[]> heap;
        if (tiles > 64) heap.reset(new spec::TilePartial[tiles]);
        kernel(op, begin, end, heap ? heap.get() : local);
      },
      threads);
}

void RunLogprobBackward(const LogprobBackward& op, unsigned threads) {
  const LogprobKernels& kernels = ActiveKernels().logprob;
  const auto type = static_cast<size_t>(op.logits.type);
  const bool entropy = op.d_entropy != nullptr;
  const auto kernel = op.stream ? kernels.backward_stream[type][entropy]
                                : kernels.backward[type][op.d_type != DType::kFloat32][entropy];
  ThreadPool::Instance().ParallelFor(
      op.logits.rows, RowsPerChunk(op.logits.vocab), [&](size_t begin, size_t end) { kernel(op, begin, end); },
      threads);
}

}  // namespace crossthink
