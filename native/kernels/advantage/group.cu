// Advantages of rewards against their own group. Bytes moved: 8 per reward (12 with lengths), read three times from the
// first-level cache. A thread takes a group of at most kRow rewards; of a longer one it leaves the rows to its warp,
// one row per thread. There are few rewards beside logits, so the work is bound by the launch, not by memory. The
// estimators with a statistic of the whole batch (gpg, batch-std) have one more launch, of one block: a reward's row is
// summed in index order whatever runs, so one block of 512 threads keeps up with all the rewards a step can have.
#include "kernels/advantage/advantage_cuda.h"
#include "kernels/advantage/group_formulas.h"
#include "kernels/advantage/leave_one_out.h"
#include "runtime/cuda/device.cuh"
#include "simd/scalar.h"

namespace crossthink::cuda {
namespace {

constexpr unsigned kBlock = 128;
constexpr unsigned kBatchBlock = 512;

using V = simd::Scalar;
using Statistics = GroupStatistics<V>;

// Rewards [begin, end). Offsets on a device cannot be checked before a launch: they are kept in bounds.
struct Range {
  size_t begin;
  size_t end;
};

__device__ __forceinline__ Range RangeOf(const GroupAdvantages& op, size_t group) {
  const size_t begin = op.Begin(group) < op.count ? op.Begin(group) : op.count;
  const size_t end = op.Begin(group + 1) < op.count ? op.Begin(group + 1) : op.count;
  return {begin, end < begin ? begin : end};
}

template <GroupFormula kFormula>
__device__ __forceinline__ Statistics FirstPass(const GroupAdvantages& op, size_t begin, size_t end) {
  Statistics s = EmptyGroup<V>();
  for (size_t i = begin; i < end; ++i) {
    AddReward<V, kFormula>(op.rewards[i], &s);
    if constexpr (kFormula == GroupFormula::kWeightedMean) AddWeighted<V>(op.rewards[i], op.lengths[i], &s);
  }
  return s;
}

__device__ __forceinline__ void SecondPass(const float* x, size_t begin, size_t end, Statistics* s) {
  for (size_t i = begin; i < end; ++i) AddDeviation<V>(x[i], s);
}

template <GroupFormula kFormula>
__device__ __forceinline__ void SmallGroup(const GroupAdvantages& op, size_t group, Range range) {
  Statistics s = FirstPass<kFormula>(op, range.begin, range.end);
  s.mean = V::Div(s.sum, V::Max(s.count, 1.0F));
  SecondPass(op.rewards, range.begin, range.end, &s);
  const GroupCoefficients<V> c = Coefficients<V>(op, s);
  for (size_t i = range.begin; i < range.end; ++i) op.advantages[i] = AdvantageOf<V, kFormula>(op.rewards[i], c);
  op.zero_variance[group] = c.flat ? 1 : 0;
}

// What the first pass knows of the next row, in index order.
template <GroupFormula kFormula>
__device__ __forceinline__ void JoinRow(const Statistics& row, GroupTotals* total) {
  if constexpr (kFormula == GroupFormula::kBest) JoinExtremes(row.second, row.largest, total);
  if constexpr (kFormula == GroupFormula::kWeightedMean) JoinWeighted(row.weight, row.weighted, total);
  JoinFirst(row.count, row.sum, row.smallest, row.largest, total);
}

// The statistics of another thread of the warp.
template <GroupFormula kFormula>
__device__ __forceinline__ Statistics StatisticsOfLane(const Statistics& own, unsigned lane) {
  const auto of = [lane](float x) { return __shfl_sync(kFullWarp, x, static_cast<int>(lane)); };
  Statistics s = EmptyGroup<V>();
  s.count = of(own.count);
  s.sum = of(own.sum);
  s.smallest = of(own.smallest);
  s.largest = of(own.largest);
  if constexpr (kFormula == GroupFormula::kBest) s.second = of(own.second);
  if constexpr (kFormula == GroupFormula::kWeightedMean) {
    s.weight = of(own.weight);
    s.weighted = of(own.weighted);
  }
  return s;
}

// The whole warp; rows are joined in index order, every thread does the same arithmetic.
template <GroupFormula kFormula>
__device__ void LargeGroup(const GroupAdvantages& op, size_t group, Range range) {
  const size_t end = range.end;
  const size_t own = range.begin + LaneIndex() * kRow;
  const auto row_end = [&](size_t row) { return row + kRow < end ? row + kRow : end; };
  GroupTotals total = EmptyTotals();
  for (size_t row = own, first = range.begin; first < end; row += kWarp * kRow, first += kWarp * kRow) {
    const Statistics s = row < end ? FirstPass<kFormula>(op, row, row_end(row)) : EmptyGroup<V>();
    for (unsigned lane = 0; lane < kWarp && first + lane * kRow < end; ++lane) {
      JoinRow<kFormula>(StatisticsOfLane<kFormula>(s, lane), &total);
    }
  }
  const float mean = MeanOf(total);
  for (size_t row = own, first = range.begin; first < end; row += kWarp * kRow, first += kWarp * kRow) {
    Statistics s = EmptyGroup<V>();
    s.mean = mean;
    if (row < end) SecondPass(op.rewards, row, row_end(row), &s);
    for (unsigned lane = 0; lane < kWarp && first + lane * kRow < end; ++lane) {
      const float deviation = __shfl_sync(kFullWarp, s.deviation, static_cast<int>(lane));
      const float square = __shfl_sync(kFullWarp, s.square, static_cast<int>(lane));
      JoinSecond(deviation, square, &total);
    }
  }
  const GroupCoefficients<V> c = Coefficients<V>(op, StatisticsOf(total, mean));
  for (size_t i = range.begin + LaneIndex(); i < end; i += kWarp) {
    op.advantages[i] = AdvantageOf<V, kFormula>(op.rewards[i], c);
  }
  if (LaneIndex() == 0) op.zero_variance[group] = c.flat ? 1 : 0;
}

// `batch_scale` is null where the formula has none.
template <GroupFormula kFormula>
__global__ __launch_bounds__(kBlock, 4) void AdvantageGroups(GroupAdvantages op, const float* batch_scale) {
  if (batch_scale != nullptr) op.batch_scale = *batch_scale;
  const size_t group = size_t{blockIdx.x} * kBlock + threadIdx.x;
  const bool mine = group < op.groups;
  const Range range = mine ? RangeOf(op, group) : Range{0, 0};
  const bool large = range.end - range.begin > kRow;
  if (mine && !large) SmallGroup<kFormula>(op, group, range);
  unsigned left = __ballot_sync(kFullWarp, large ? 1 : 0);
  for (; left != 0; left &= left - 1) {
    const size_t of = group - LaneIndex() + static_cast<size_t>(__ffs(static_cast<int>(left)) - 1);
    LargeGroup<kFormula>(op, of, RangeOf(op, of));
  }
}

__global__ __launch_bounds__(kBlock) void AdvantageLeaveOneOut(GroupAdvantages op) {
  const size_t group = size_t{blockIdx.x} * kBlock + threadIdx.x;
  if (group >= op.groups) return;
  const Range range = RangeOf(op, group);
  LeaveOneOutGroup(op, group, range.begin, range.end);
}

// One block. Counts do not depend on their order.
__global__ __launch_bounds__(kBatchBlock) void AdvantageGpgScale(GroupAdvantages op, float* scale) {
  __shared__ unsigned long long counts[2];
  if (threadIdx.x < 2) counts[threadIdx.x] = 0;
  __syncthreads();
  unsigned long long valid = 0;
  unsigned long long nonzero = 0;
  for (size_t i = threadIdx.x; i < op.count; i += kBatchBlock) {
    const float x = op.rewards[i];
    valid += x == x ? 1 : 0;
    nonzero += x == x && x != 0 ? 1 : 0;
  }
  atomicAdd(&counts[0], valid);
  atomicAdd(&counts[1], nonzero);
  __syncthreads();
  if (threadIdx.x == 0) *scale = GpgScale(counts[0], counts[1]);
}

// One block: the batch as one large group, a row per thread, rows joined in index order by the first thread.
__global__ __launch_bounds__(kBatchBlock) void AdvantageBatchScale(GroupAdvantages op, float* scale) {
  __shared__ Statistics rows[kBatchBlock];
  __shared__ float shared_mean;
  const size_t step = kBatchBlock * kRow;
  const auto row_end = [&](size_t row) { return row + kRow < op.count ? row + kRow : op.count; };
  const auto rows_in_use = [&](size_t first) {
    const size_t left = CeilDivide(op.count - first, kRow);
    return left < kBatchBlock ? left : kBatchBlock;
  };
  GroupTotals total = EmptyTotals();
  for (size_t first = 0; first < op.count; first += step) {
    const size_t row = first + threadIdx.x * kRow;
    if (row < op.count) rows[threadIdx.x] = FirstPass<GroupFormula::kLinear>(op, row, row_end(row));
    __syncthreads();
    for (size_t r = 0; threadIdx.x == 0 && r < rows_in_use(first); ++r) JoinRow<GroupFormula::kLinear>(rows[r], &total);
    __syncthreads();
  }
  if (threadIdx.x == 0) shared_mean = MeanOf(total);
  __syncthreads();
  const float mean = shared_mean;
  for (size_t first = 0; first < op.count; first += step) {
    const size_t row = first + threadIdx.x * kRow;
    if (row < op.count) {
      Statistics s = EmptyGroup<V>();
      s.mean = mean;
      SecondPass(op.rewards, row, row_end(row), &s);
      rows[threadIdx.x] = s;
    }
    __syncthreads();
    for (size_t r = 0; threadIdx.x == 0 && r < rows_in_use(first); ++r) {
      JoinSecond(rows[r].deviation, rows[r].square, &total);
    }
    __syncthreads();
  }
  if (threadIdx.x == 0) *scale = BatchScaleOf(StatisticsOf(total, mean), op.epsilon);
}

}  // namespace

size_t GroupAdvantagesWorkspace(const GroupAdvantages&) { return sizeof(float); }

cudaError_t RunGroupAdvantages(const GroupAdvantages& op, void* workspace, cudaStream_t stream) {
  if (op.groups == 0) return cudaSuccess;
  const size_t blocks = CeilDivide(op.groups, kBlock);
  float* scale = nullptr;
  cudaError_t error = cudaSuccess;
  if (op.estimator == GroupEstimator::kGpg || op.estimator == GroupEstimator::kBatchStd) {
    scale = static_cast<float*>(workspace);
    const auto kernel = op.estimator == GroupEstimator::kGpg ? AdvantageGpgScale : AdvantageBatchScale;
    error = Launch(kernel, 1, kBatchBlock, 0, stream, op, scale);
  }
  if (error != cudaSuccess) return error;
  if (op.estimator == GroupEstimator::kLeaveOneOut) return Launch(AdvantageLeaveOneOut, blocks, kBlock, 0, stream, op);
  constexpr void (*kGroups[])(GroupAdvantages, const float*) = {AdvantageGroups<GroupFormula::kLinear>,
                                                                AdvantageGroups<GroupFormula::kWeightedMean>,
                                                                AdvantageGroups<GroupFormula::kBest>};
  return Launch(kGroups[static_cast<size_t>(FormulaOf(op.estimator))], blocks, kBlock, 0, stream, op, scale);
}

}  // namespace crossthink::cuda
