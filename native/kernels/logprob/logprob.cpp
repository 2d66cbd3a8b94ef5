#include "kernels/logprob/logprob.h"

#include <memory>

#include "kernels/kernel_table.h"
#include "kernels/logprob/row.h"
#include "kernels/logprob/run.h"
#include "kernels/rows_per_chunk.h"
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
    scratch = {heap_ ? heap_.get() : local_, row_.get(), top_.get()};
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

}  // namespace

bool RunLogprobForward(const LogprobForward& op, unsigned threads, const std::atomic<int32_t>* cancel) {
  const size_t sums = op.sum_squares != nullptr ? 2 : op.entropy ? 1 : 0;
  return RunRows(op, threads, op.top_k, cancel,
                 ActiveKernels().logprob.forward[static_cast<size_t>(op.logits.type)][sums]);
}

bool RunLogprobBackward(const LogprobBackward& op, unsigned threads, const std::atomic<int32_t>* cancel) {
  const LogprobKernels& kernels = ActiveKernels().logprob;
  const auto type = static_cast<size_t>(op.logits.type);
  const bool entropy = op.d_entropy != nullptr;
  return RunRows(op, threads, 0, cancel,
                 op.stream ? kernels.backward_stream[type][entropy]
                           : kernels.backward[type][op.d_type != DType::kFloat32][entropy]);
}

void RunLogprobForward(const LogprobForward& op, unsigned threads) { RunLogprobForward(op, threads, nullptr); }

void RunLogprobBackward(const LogprobBackward& op, unsigned threads) { RunLogprobBackward(op, threads, nullptr); }

void RunLogprobMerge(const LogprobMerge& op) {
  for (size_t i = 0; i < op.rows; ++i) MergeRow(op, i);
}

}  // namespace crossthink
