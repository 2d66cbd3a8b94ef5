#include "kernels/sampling/sampling.h"

#include "kernels/kernel_table.h"
#include "kernels/rows_per_chunk.h"
#include "kernels/sampling/scratch_memory.h"
#include "runtime/thread_pool.h"

namespace crossthink {
bool RunSampling(const Sampling& op, unsigned threads, const std::atomic<int32_t>* cancel) {
  const auto kernel = ActiveKernels().sampling.sample[static_cast<size_t>(op.logits.type)];
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
