#include "kernels/logprob/logprob.h"

#include <memory>

#include "kernels/kernel_table.h"
#include "kernels/logprob/row.h"
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
void RunRows(const Op& op, unsigned threads, size_t top_k, Kernel kernel) {
  ThreadPool::Instance().ParallelFor(
      op.logits.rows, RowsPerChunk(op.logits.vocab),
      [&](size_t begin, size_t end) {
        ScratchMemory memory(op, top_k);
        kernel(op, begin, end, &memory.scratch);
      },
      threads);
}

}  // namespace

void RunLogprobForward(const LogprobForward& op, unsigned threads) {
  const size_t sums = op.sum_squares != nullptr ? 2 : op.entropy ? 1 : 0;
  RunRows(op, threads, op.top_k, ActiveKernels().logprob.forward[static_cast<size_t>(op.logits.type)][sums]);
}

void RunLogprobBackward(const LogprobBackward& op, unsigned threads) {
  const LogprobKernels& kernels = ActiveKernels().logprob;
  const auto type = static_cast<size_t>(op.logits.type);
  const bool entropy = op.d_entropy != nullptr;
  RunRows(op, threads, 0,
          op.stream ? kernels.backward_stream[type][entropy]
                    : kernels.backward[type][op.d_type != DType::kFloat32][entropy]);
}

void RunLogprobMerge(const LogprobMerge& op) {
  const auto infinity = static_cast<double>(spec::Infinity());
  LogprobForward out;
  out.entropy = true;
  out.logprob = op.logprob;
  out.entropy_out = op.entropy;
  out.sum_squares = op.sum_squares;
  out.logsumexp = op.logsumexp;
  out.state = op.state;
  out.status = op.status;
  for (size_t i = 0; i < op.rows; ++i) {
    const auto shard = [&](size_t k) { return op.states + (k * op.rows + i) * kStateSize; };
    spec::RowState row = spec::EmptyRow();
    for (size_t k = 0; k < op.shards; ++k) {
      if (shard(k)[0] > row.reference) row.reference = shard(k)[0];
    }
    double t = -infinity;
    RowStatus status = RowStatus::kTargetMasked;  // Until a shard has the target.
    bool sound = true;
    bool ignored = false;
    for (size_t k = 0; k < op.shards; ++k) {
      const double* s = shard(k);
      sound = sound && s[1] == s[1];
      spec::Accumulate(&row, s[0], s[1], s[2], s[3]);
      ignored = ignored || (s[1] == 0 && s[4] != s[4]);
      if (!(s[4] > -infinity)) continue;
      t = s[4] + (s[0] - row.reference);
      status = RowStatus::kOk;
    }
    if (!sound) row.sum = static_cast<double>(spec::QuietNan());
    if (ignored) {
      WriteRow(out, i, IgnoredRow(), spec::EmptyRow());
    } else if (HasDistribution(row)) {
      WriteRow(out, i, FinishRow(row, status, t), row);
    } else {
      WriteRow(out, i, NoDistribution(sound ? RowStatus::kAllMasked : RowStatus::kNan), row);
    }
  }
}

}  // namespace crossthink
