#include "kernels/linear/linear.h"

#include <algorithm>
#include <cstring>

#include "kernels/kernel_table.h"
#include "kernels/linear/workspace.h"
#include "runtime/thread_pool.h"

namespace crossthink {
namespace {

bool Stopped(const std::atomic<int32_t>* cancel) {
  return cancel != nullptr && cancel->load(std::memory_order_relaxed) != 0;
}

// Calls use(block, tile, columns, scratch) once scratch.logits holds the logits of a block of the group and a tile of
// the vocabulary. Neighbouring tasks share a tile, and its weights in the last-level cache.
template <class Use>
void ForEachTile(const LinearProduct& op, const LinearKernels& kernels, const RowPlan& plan, const PackedGroup& group,
                 ScratchPool* scratches, const std::atomic<int32_t>* cancel, const Use& use) {
  const size_t tiles = spec::TileCount(op.vocab);
  const auto logits = kernels.logits[static_cast<size_t>(op.type)];
  const auto task = [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end && !Stopped(cancel); ++i) {
      const size_t block = i % group.blocks();
      const size_t tile = i / group.blocks();
      const size_t first = tile * spec::kTile;
      const size_t columns = std::min(spec::kTile, op.vocab - first);
      const ScratchPool::Lease scratch(scratches);
      logits(op, group.Block(block), first, columns, *scratch, scratch->logits, kLogitsStride);
      use(block, tile, columns, *scratch);
    }
  };
  ThreadPool::Instance().ParallelFor(tiles * group.blocks(), 1, task, plan.threads);
}

// Calls `run` for the first row of every group, until cancelled.
template <class Run>
bool ForEachGroup(size_t rows, const RowPlan& plan, const std::atomic<int32_t>* cancel, const Run& run) {
  for (size_t begin = 0; begin < rows; begin += plan.group) {
    if (Stopped(cancel)) return false;
    run(begin);
  }
  return !Stopped(cancel);
}

}  // namespace

bool RunLinearLogits(const LinearLogits& op, unsigned threads, const std::atomic<int32_t>* cancel) {
  const LinearKernels& kernels = ActiveKernels().linear;
  const LinearProduct& product = op.product;
  const RowPlan plan = PlanRows(product, kernels, 0, spec::TileCount(product.vocab), kDefaultLinearWorkspace, threads);
  const LinearSizes sizes = kernels.sizes[static_cast<size_t>(product.type)](plan.block, product.depth);
  ScratchPool scratches(sizes, plan.block, plan.threads);
  PackedGroup group(product, kernels, plan);
  return ForEachGroup(product.rows, plan, cancel, [&](size_t begin) {
    group.Pack(begin);
    ForEachTile(product, kernels, plan, group, &scratches, cancel,
                [&](size_t block, size_t tile, size_t columns, const LinearScratch& scratch) {
                  const size_t row = begin + group.RowsBefore(block);
                  for (size_t i = 0; i < group.Block(block).rows; ++i) {
                    memcpy(op.logits + (row + i) * product.vocab + tile * spec::kTile,
                           scratch.logits + i * kLogitsStride, columns * sizeof(float));
                  }
                });
  });
}

bool RunLinearForward(const LinearForward& op, size_t workspace, unsigned threads, const std::atomic<int32_t>* cancel) {
  const LinearKernels& kernels = ActiveKernels().linear;
  const LinearProduct& product = op.product;
  const size_t tiles = spec::TileCount(product.vocab);
  const size_t row_bytes = tiles * (sizeof(spec::TilePartial) + sizeof(TileFault)) + sizeof(float);
  const RowPlan plan = PlanRows(product, kernels, row_bytes, tiles, workspace, threads);
  const LinearSizes sizes = kernels.sizes[static_cast<size_t>(product.type)](plan.block, product.depth);
  ScratchPool scratches(sizes, plan.block, plan.threads);
  PackedGroup group(product, kernels, plan);
  const AlignedBytes sums(plan.group * tiles * sizeof(spec::TilePartial));
  const AlignedBytes faults(plan.group * tiles * sizeof(TileFault));
  const AlignedBytes targets(plan.group * sizeof(float));
  LinearPartials partials = {0, sums.as<spec::TilePartial>(), faults.as<TileFault>(), targets.as<float>()};
  const auto sum_tile = kernels.sum_tile[op.logprob.sum_squares != nullptr ? 2 : op.logprob.entropy ? 1 : 0];
  return ForEachGroup(product.rows, plan, cancel, [&](size_t begin) {
    group.Pack(begin);
    partials.base = begin;
    ForEachTile(product, kernels, plan, group, &scratches, cancel,
                [&](size_t block, size_t tile, size_t, const LinearScratch& scratch) {
                  sum_tile(op.logprob, scratch.logits, group.RowsBefore(block), group.Block(block).rows, tile,
                           partials);
                });
    if (!Stopped(cancel)) kernels.finish(op.logprob, group.rows(), partials);
  });
}

}  // namespace crossthink
