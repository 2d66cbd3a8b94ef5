#include "kernels/sampling/speculative.h"

#include "kernels/kernel_table.h"
#include "kernels/rows_per_chunk.h"
#include "kernels/sampling/scratch_memory.h"
#include "runtime/thread_pool.h"

namespace crossthink {

void RunSpeculative(const SpeculativeChain& op, unsigned threads) {
  const Logits& logits = op.target.logits;
  const auto kernel = ActiveKernels().sampling.speculate[static_cast<size_t>(logits.type)];
  ThreadPool::Instance().ParallelFor(
      op.sequences, RowsPerChunk(logits.vocab * (op.drafts + 1)),
      [&](size_t begin, size_t end) {
        thread_local ScratchMemory target_memory;
        thread_local ScratchMemory draft_memory;
        SamplingScratch target = target_memory.For(logits.vocab);
        SamplingScratch draft = op.draft != nullptr ? draft_memory.For(logits.vocab) : SamplingScratch{};
        kernel(op, begin, end, &target, &draft);
      },
      threads);
}

}  // namespace crossthink
