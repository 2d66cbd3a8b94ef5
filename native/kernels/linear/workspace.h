#ifndef CROSSTHINK_KERNELS_LINEAR_WORKSPACE_H_
#define CROSSTHINK_KERNELS_LINEAR_WORKSPACE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#include "kernels/linear/linear.h"
#include "runtime/thread_pool.h"

namespace crossthink {

// Uninitialised memory aligned to a cache line.
class AlignedBytes {
 public:
  explicit AlignedBytes(size_t bytes) : data_(::operator new(std::max<size_t>(bytes, 1), kLine)) {}
  void* get() const { return data_.get(); }
  template <class T>
  T* as() const {
    return static_cast<T*>(data_.get());
  }

 private:
  static constexpr std::align_val_t kLine{64};
  struct Delete {
    void operator()(void* p) const { ::operator delete(p, kLine); }
  };
  std::unique_ptr<void, Delete> data_;
};

// How the rows of an operation are cut: blocks, which a task works on, and groups of blocks that are packed together.
// Results depend on neither.
struct RowPlan {
  size_t block;   // Rows of a block, a multiple of 32 or all of them.
  size_t group;   // Rows of a group, a multiple of `block`.
  size_t blocks;  // Most blocks of a group.
  unsigned threads;
};

constexpr size_t kMostBlockRows = 256;
constexpr size_t kLeastBlockRows = 32;

inline size_t ThreadBytes(const LinearSizes& sizes, size_t rows) {
  return sizes.product + sizes.weight + rows * kLogitsStride * sizeof(float);
}

// `row_bytes`: what a row of a group takes beside its packed cells. `tasks`: per block.
inline RowPlan PlanRows(const LinearProduct& op, const LinearKernels& kernels, size_t row_bytes, size_t tasks,
                        size_t workspace, unsigned threads) {
  const unsigned pool = ThreadPool::Instance().size();
  RowPlan plan = {};
  const size_t rows = std::max<size_t>(op.rows, 1);
  for (size_t most = kMostBlockRows;; most /= 2) {
    const size_t blocks = (rows + most - 1) / most;
    const size_t even = (rows + blocks - 1) / blocks;
    plan.block = blocks == 1 ? rows : (even + kLeastBlockRows - 1) / kLeastBlockRows * kLeastBlockRows;
    const size_t all = (rows + plan.block - 1) / plan.block;
    plan.threads = static_cast<unsigned>(std::min<size_t>({threads == 0 ? pool : threads, pool, all * tasks}));
    plan.threads = std::max(plan.threads, 1U);
    const LinearSizes sizes = kernels.sizes[static_cast<size_t>(op.type)](plan.block, op.depth);
    const size_t fixed = plan.threads * ThreadBytes(sizes, plan.block);
    const size_t per_block = sizes.packed + plan.block * row_bytes;
    if (fixed + per_block > workspace && most > kLeastBlockRows) continue;
    const size_t fit = workspace > fixed ? (workspace - fixed) / per_block : 0;
    plan.blocks = std::clamp<size_t>(fit, 1, all);
    plan.group = plan.blocks * plan.block;
    return plan;
  }
}

// What each thread that may be at work has one of; taken and given back around a task.
template <class T>
class FreeList {
 public:
  void Add(const T& item) { free_.push_back(item); }

  class Lease {
   public:
    explicit Lease(FreeList* list) : list_(list), item_(list->Take()) {}
    ~Lease() { list_->Give(item_); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    const T& operator*() const { return item_; }
    const T* operator->() const { return &item_; }

   private:
    FreeList* list_;
    T item_;
  };

 private:
  T Take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    const T item = free_.back();
    free_.pop_back();
    return item;
  }
  void Give(const T& item) {
    const std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(item);
  }

  std::mutex mutex_;
  std::vector<T> free_;
};

// One LinearScratch per thread, for blocks of `rows` rows.
class ScratchPool : public FreeList<LinearScratch> {
 public:
  ScratchPool(const LinearSizes& sizes, size_t rows, unsigned threads) {
    for (unsigned i = 0; i < threads; ++i) {
      const auto keep = [&](size_t bytes) { return memory_.emplace_back(bytes).get(); };
      LinearScratch scratch;
      scratch.product = static_cast<float*>(keep(sizes.product));
      scratch.weight = keep(sizes.weight);
      scratch.logits = static_cast<float*>(keep(rows * kLogitsStride * sizeof(float)));
      Add(scratch);
    }
  }

 private:
  std::vector<AlignedBytes> memory_;
};

// The packed blocks of one group of rows.
class PackedGroup {
 public:
  PackedGroup(const LinearProduct& op, const LinearKernels& kernels, const RowPlan& plan)
      : op_(op),
        plan_(plan),
        pack_(kernels.pack[static_cast<size_t>(op.type)]),
        block_bytes_(kernels.sizes[static_cast<size_t>(op.type)](plan.block, op.depth).packed),
        memory_(block_bytes_ * plan.blocks) {}

  // Packs the group of rows from `begin` on.
  void Pack(size_t begin) {
    begin_ = begin;
    rows_ = std::min(plan_.group, op_.rows - begin);
    const auto pack = [this](size_t first, size_t last) {
      for (size_t i = first; i < last; ++i) pack_(op_, RowsBefore(i) + begin_, Block(i));
    };
    ThreadPool::Instance().ParallelFor(blocks(), 1, pack, plan_.threads);
  }

  size_t rows() const { return rows_; }
  size_t blocks() const { return (rows_ + plan_.block - 1) / plan_.block; }
  // Rows of the group in front of block i.
  size_t RowsBefore(size_t i) const { return i * plan_.block; }
  PackedRows Block(size_t i) const {
    return {memory_.as<char>() + i * block_bytes_, std::min(plan_.block, rows_ - RowsBefore(i))};
  }

 private:
  const LinearProduct& op_;
  const RowPlan& plan_;
  void (*pack_)(const LinearProduct&, size_t, const PackedRows&);
  size_t block_bytes_;
  AlignedBytes memory_;
  size_t begin_ = 0;
  size_t rows_ = 0;
};

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_LINEAR_WORKSPACE_H_
