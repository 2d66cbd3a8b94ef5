#include "kernels/advantage/advantage.h"

#include <algorithm>

#include "kernels/advantage/group_formulas.h"
#include "kernels/advantage/leave_one_out.h"
#include "runtime/thread_pool.h"

namespace crossthink {
namespace {

constexpr size_t kRewardsPerTask = 32768;
constexpr size_t kGroupsPerBlock = 16;  // Whole vectors of groups on every instruction set.

float GpgScaleOf(const float* rewards, size_t n) {
  uint64_t valid = 0;
  uint64_t nonzero = 0;
  for (size_t i = 0; i < n; ++i) {
    if (rewards[i] != rewards[i]) continue;
    ++valid;
    nonzero += rewards[i] != 0 ? 1 : 0;
  }
  return GpgScale(valid, nonzero);
}

void LeaveOneOutGroups(const GroupAdvantages& op, size_t first, size_t last) {
  for (size_t g = first; g < last; ++g) LeaveOneOutGroup(op, g, op.Begin(g), op.Begin(g + 1));
}

}  // namespace

void RunGroupAdvantages(const GroupAdvantages& given, const AdvantageKernel& kernel, unsigned threads) {
  GroupAdvantages op = given;
  if (op.groups == 0) return;
  const size_t count = op.Begin(op.groups);
  if (op.estimator == GroupEstimator::kBatchStd) op.batch_scale = kernel.batch_scale(op.rewards, count, op.epsilon);
  if (op.estimator == GroupEstimator::kGpg) op.batch_scale = GpgScaleOf(op.rewards, count);
  const bool leave_one_out = op.estimator == GroupEstimator::kLeaveOneOut;
  const auto groups = leave_one_out ? LeaveOneOutGroups : kernel.groups[static_cast<size_t>(FormulaOf(op.estimator))];
  const size_t mean = std::max<size_t>(1, count / op.groups);
  const size_t blocks = std::max<size_t>(1, kRewardsPerTask / mean / kGroupsPerBlock);
  ThreadPool::Instance().ParallelFor(
      op.groups, blocks * kGroupsPerBlock, [&](size_t begin, size_t end) { groups(op, begin, end); }, threads);
}

}  // namespace crossthink
