#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "kernels/kernel_table.h"
#include "kernels/linear/linear.h"
#include "kernels/linear/workspace.h"
#include "kernels/logprob/row.h"
#include "runtime/thread_pool.h"

namespace crossthink {
namespace {

bool Stopped(const std::atomic<int32_t>* cancel) {
  return cancel != nullptr && cancel->load(std::memory_order_relaxed) != 0;
}

// The backward pass: for each group of rows and chunk of the vocabulary, D is made by tiles, then multiplied. A number
// of the result belongs to one task, which adds to it in the order of groups and chunks: threads change nothing.
class Backward {
 public:
  Backward(const LinearBackward& op, size_t workspace, unsigned threads, const std::atomic<int32_t>* cancel)
      : op_(op), product_(op.product), kernels_(ActiveKernels().linear), workspace_(workspace), cancel_(cancel) {
    const unsigned pool = ThreadPool::Instance().size();
    threads_ = std::max(1U, threads == 0 ? pool : std::min(threads, pool));
  }

  bool Run() {
    FindRowsWithGradient();
    Clear(live_.empty());
    if (live_.empty()) return true;
    product_.rows = live_.size();
    product_.gather = live_.data();
    const Plan plan = MakePlan();
    ScratchPool scratches(SizesOf(plan.rows.block), plan.rows.block, threads_);
    PackedGroup group(product_, kernels_, plan.rows);
    const size_t stride = plan.tiles * spec::kTile + kLogitsStride - spec::kTile;
    const AlignedBytes d(plan.rows.group * stride * sizeof(float));
    const AlignedBytes d_hidden(op_.d_hidden != nullptr ? plan.rows.group * product_.depth * sizeof(float) : 0);
    const AlignedBytes panels(kernels_.panel_bytes * threads_);
    FreeList<float*> panel_list;
    for (unsigned i = 0; i < threads_; ++i) {
      panel_list.Add(reinterpret_cast<float*>(panels.as<char>() + i * kernels_.panel_bytes));
    }
    for (size_t begin = 0; begin < product_.rows; begin += plan.rows.group) {
      group.Pack(begin);
      for (size_t first = 0; first < product_.vocab; first += plan.tiles * spec::kTile) {
        if (Stopped(cancel_)) return false;
        const size_t columns = std::min(plan.tiles * spec::kTile, product_.vocab - first);
        const GradientChunk chunk = {begin, group.rows(), first, columns, d.as<float>(), stride};
        MakeD(group, chunk, &scratches);
        if (Stopped(cancel_)) return false;
        Multiply(chunk, &panel_list, d_hidden.as<float>());
      }
      if (op_.d_hidden != nullptr) ScatterHidden(begin, group.rows(), d_hidden.as<float>());
    }
    return !Stopped(cancel_);
  }

 private:
  struct Plan {
    RowPlan rows;
    size_t tiles;  // Of a chunk.
  };

  LinearSizes SizesOf(size_t rows) const {
    return kernels_.sizes[static_cast<size_t>(product_.type)](rows, product_.depth);
  }

  void ForEach(size_t tasks, size_t grain, const std::function<void(size_t)>& run) const {
    const auto body = [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end && !Stopped(cancel_); ++i) run(i);
    };
    ThreadPool::Instance().ParallelFor(tasks, grain, body, threads_);
  }

  // Results where no row has a gradient; the others replace what is there.
  void Clear(bool all) const {
    if (op_.accumulate) return;
    const size_t depth = product_.depth;
    if (op_.d_hidden != nullptr) std::fill_n(op_.d_hidden, op_.product.rows * depth, 0.0F);
    if (all && op_.d_weight != nullptr) std::fill_n(op_.d_weight, product_.vocab * depth, 0.0F);
    if (all && op_.d_bias != nullptr) std::fill_n(op_.d_bias, product_.vocab, 0.0F);
  }

  void FindRowsWithGradient() {
    for (size_t i = 0; i < product_.rows; ++i) {
      GradientFactors factors = {};
      const RowGradient kind = op_.logprob.d_entropy != nullptr ? MakeGradientFactors<true>(op_.logprob, i, &factors)
                                                                : MakeGradientFactors<false>(op_.logprob, i, &factors);
      if (kind != RowGradient::kZero) live_.push_back(static_cast<int32_t>(i));
    }
  }

  Plan MakePlan() const {
    Plan plan = {};
    const size_t rows = product_.rows;
    // Groups are whole chains of kGradientRows, so that the workspace does not show in the result.
    plan.rows.block = std::min(rows, kGradientRows);
    const size_t all = (rows + plan.rows.block - 1) / plan.rows.block;
    plan.rows.threads = threads_;
    const LinearSizes sizes = SizesOf(plan.rows.block);
    const size_t hidden = op_.d_hidden != nullptr ? product_.depth * sizeof(float) : 0;
    const size_t fixed = threads_ * (ThreadBytes(sizes, plan.rows.block) + kernels_.panel_bytes);
    const size_t tiles = spec::TileCount(product_.vocab);
    const auto block_bytes = [&](size_t chunk) {
      return sizes.packed + plan.rows.block * (hidden + chunk * kLogitsStride * sizeof(float));
    };
    constexpr size_t kTasksPerThread = 4;
    plan.tiles = std::clamp<size_t>((kTasksPerThread * threads_ + all - 1) / all, 1, tiles);
    while (plan.tiles > 1 && fixed + block_bytes(plan.tiles) > workspace_) --plan.tiles;
    const size_t fit = workspace_ > fixed ? (workspace_ - fixed) / block_bytes(plan.tiles) : 0;
    plan.rows.blocks = std::clamp<size_t>(fit, 1, all);
    plan.rows.group = plan.rows.blocks * plan.rows.block;
    return plan;
  }

  void MakeD(const PackedGroup& group, const GradientChunk& chunk, ScratchPool* scratches) const {
    const auto logits = kernels_.logits[static_cast<size_t>(product_.type)];
    const auto gradient = kernels_.gradient[op_.logprob.d_entropy != nullptr];
    const size_t blocks = group.blocks();
    ForEach(blocks * spec::TileCount(chunk.columns), 1, [&](size_t i) {
      const size_t before = group.RowsBefore(i % blocks);
      const size_t tile = i / blocks * spec::kTile;
      const PackedRows packed = group.Block(i % blocks);
      const size_t columns = std::min(spec::kTile, chunk.columns - tile);
      const GradientChunk part = {
          chunk.begin + before, packed.rows, chunk.first + tile, columns, chunk.d + before * chunk.stride + tile,
          chunk.stride};
      const ScratchPool::Lease scratch(scratches);
      logits(product_, packed, part.first, columns, *scratch, part.d, part.stride);
      gradient(op_.logprob, product_, part);
    });
  }

  void Multiply(const GradientChunk& chunk, FreeList<float*>* panels, float* d_hidden) const {
    const auto type = static_cast<size_t>(product_.type);
    const size_t width = kernels_.panel_columns;
    const size_t pieces = (product_.depth + width - 1) / width;
    const bool add = op_.accumulate || chunk.begin > 0;
    float* d_weight = op_.d_weight != nullptr ? op_.d_weight + chunk.first * product_.depth : nullptr;
    ForEach(2 * pieces + 1, 1, [&](size_t i) {
      if (i == 2 * pieces) {
        if (op_.d_bias != nullptr) kernels_.d_bias(chunk, op_.d_bias + chunk.first, add);
        return;
      }
      const size_t column = i / 2 * width;
      const size_t columns = std::min(width, product_.depth - column);
      const FreeList<float*>::Lease panel(panels);
      if (i % 2 == 0) {
        if (d_weight != nullptr) kernels_.d_weight[type](product_, chunk, column, columns, *panel, d_weight, add);
      } else if (d_hidden != nullptr) {
        kernels_.d_hidden[type](product_, chunk, column, columns, *panel, d_hidden, chunk.first > 0);
      }
    });
  }

  void ScatterHidden(size_t begin, size_t rows, const float* from) const {
    const size_t depth = product_.depth;
    for (size_t i = 0; i < rows; ++i, from += depth) {
      float* to = op_.d_hidden + static_cast<size_t>(live_[begin + i]) * depth;
      for (size_t j = 0; j < depth; ++j) to[j] = op_.accumulate ? to[j] + from[j] : from[j];
    }
  }

  const LinearBackward& op_;
  LinearProduct product_;
  const LinearKernels& kernels_;
  size_t workspace_;
  const std::atomic<int32_t>* cancel_;
  unsigned threads_;
  std::vector<int32_t> live_;  // Rows that have a gradient.
};

}  // namespace

bool RunLinearBackward(const LinearBackward& op, size_t workspace, unsigned threads,
                       const std::atomic<int32_t>* cancel) {
  return Backward(op, workspace, threads, cancel).Run();
}

}  // namespace crossthink
