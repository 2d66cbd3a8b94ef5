// Advantages of rewards against their own group, those of the linear formula. Bytes moved: 8 per reward, read three
// times from the first-level cache. A thread takes a group of at most kRow rewards; of a longer one it leaves the rows
// to its warp, one row per thread. There are few rewards beside logits, so the work is bound by the launch, not by
// memory.
#include "kernels/advantage/advantage_cuda.h"
#include "kernels/advantage/group_formulas.h"
#include "runtime/cuda/device.cuh"
#include "simd/scalar.h"

namespace crossthink::cuda {
namespace {

constexpr unsigned kBlock = 128;

using V = simd::Scalar;
using Statistics = GroupStatistics<V>;

__device__ __forceinline__ Statistics FirstPass(const float* x, size_t begin, size_t end) {
  Statistics s = EmptyGroup<V>();
  for (size_t i = begin; i < end; ++i) AddReward<V>(x[i], &s);
  return s;
}

__device__ __forceinline__ void SecondPass(const float* x, size_t begin, size_t end, Statistics* s) {
  for (size_t i = begin; i < end; ++i) AddDeviation<V>(x[i], s);
}

__device__ __forceinline__ void SmallGroup(const GroupAdvantages& op, size_t group, size_t begin, size_t end) {
  Statistics s = FirstPass(op.rewards, begin, end);
  s.mean = V::Div(s.sum, V::Max(s.count, 1.0F));
  SecondPass(op.rewards, begin, end, &s);
  const GroupCoefficients<V> c = Coefficients<V>(op, s);
  for (size_t i = begin; i < end; ++i) op.advantages[i] = AdvantageOf<V>(op.rewards[i], c);
  op.zero_variance[group] = c.flat ? 1 : 0;
}

// The whole warp; rows are joined in index order, every thread does the same arithmetic.
__device__ void LargeGroup(const GroupAdvantages& op, size_t group, size_t begin, size_t end) {
  const size_t own = begin + LaneIndex() * kRow;
  const auto row_end = [&](size_t row) { return row + kRow < end ? row + kRow : end; };
  GroupTotals total = EmptyTotals();
  for (size_t row = own, first = begin; first < end; row += kWarp * kRow, first += kWarp * kRow) {
    const Statistics s = row < end ? FirstPass(op.rewards, row, row_end(row)) : EmptyGroup<V>();
    for (unsigned lane = 0; lane < kWarp && first + lane * kRow < end; ++lane) {
      const auto of = [lane](float x) { return __shfl_sync(kFullWarp, x, static_cast<int>(lane)); };
      JoinFirst(of(s.count), of(s.sum), of(s.smallest), of(s.largest), &total);
    }
  }
  const float mean = MeanOf(total);
  for (size_t row = own, first = begin; first < end; row += kWarp * kRow, first += kWarp * kRow) {
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
  for (size_t i = begin + LaneIndex(); i < end; i += kWarp) op.advantages[i] = AdvantageOf<V>(op.rewards[i], c);
  if (LaneIndex() == 0) op.zero_variance[group] = c.flat ? 1 : 0;
}

__global__ __launch_bounds__(kBlock, 4) void AdvantageGroups(GroupAdvantages op) {
  const size_t group = size_t{blockIdx.x} * kBlock + threadIdx.x;
  const bool mine = group < op.groups;
  const size_t begin = mine ? op.Begin(group) : 0;
  const size_t end = mine ? op.Begin(group + 1) : 0;
  const bool large = end - begin > kRow;
  if (mine && !large) SmallGroup(op, group, begin, end);
  unsigned left = __ballot_sync(kFullWarp, large ? 1 : 0);
  for (; left != 0; left &= left - 1) {
    const size_t of = group - LaneIndex() + static_cast<size_t>(__ffs(static_cast<int>(left)) - 1);
    LargeGroup(op, of, op.Begin(of), op.Begin(of + 1));
  }
}

}  // namespace

size_t GroupAdvantagesWorkspace(const GroupAdvantages&) { return 0; }

cudaError_t RunGroupAdvantages(const GroupAdvantages& op, void*, cudaStream_t stream) {
  if (op.groups == 0) return cudaSuccess;
  return Launch(AdvantageGroups, CeilDivide(op.groups, kBlock), kBlock, 0, stream, op);
}

}  // namespace crossthink::cuda
