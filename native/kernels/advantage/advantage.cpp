#include "kernels/advantage/advantage.h"

#include <algorithm>
#include <cmath>

#include "runtime/thread_pool.h"
#include "spec/bits.h"

namespace crossthink {
namespace {

constexpr size_t kRewardsPerTask = 32768;
constexpr size_t kGroupsPerBlock = 16;  // Whole vectors of groups on every instruction set.

// B / max(1, number of rewards that are not 0), B the number of valid rewards.
float GpgScale(const float* rewards, size_t n) {
  size_t valid = 0;
  size_t nonzero = 0;
  for (size_t i = 0; i < n; ++i) {
    if (rewards[i] != rewards[i]) continue;
    ++valid;
    nonzero += rewards[i] != 0 ? 1 : 0;
  }
  return static_cast<float>(static_cast<double>(valid) / static_cast<double>(std::max<size_t>(1, nonzero)));
}

// Baseline and standard deviation of every reward's n - 1 peers, in float64: in float32 the sum of squares without one
// outlier would be mostly rounding.
void LeaveOneOutGroups(const GroupAdvantages& op, size_t first, size_t last) {
  for (size_t g = first; g < last; ++g) {
    const size_t begin = op.Begin(g);
    const size_t end = op.Begin(g + 1);
    double count = 0;
    double sum = 0;
    float smallest = spec::Infinity();
    float largest = -spec::Infinity();
    const auto valid = [&](size_t i) { return op.rewards[i] == op.rewards[i]; };
    for (size_t i = begin; i < end; ++i) {
      if (!valid(i)) continue;
      count += 1;
      sum += static_cast<double>(op.rewards[i]);
      smallest = std::min(smallest, op.rewards[i]);
      largest = std::max(largest, op.rewards[i]);
    }
    const double mean = sum / count;
    double square = 0;
    double at_smallest = 0;
    double at_largest = 0;
    for (size_t i = begin; i < end; ++i) {
      if (!valid(i)) continue;
      const double d = static_cast<double>(op.rewards[i]) - mean;
      square += d * d;
      at_smallest += op.rewards[i] == smallest ? 1 : 0;
      at_largest += op.rewards[i] == largest ? 1 : 0;
    }
    const bool flat = count < 2 || smallest == largest;
    op.zero_variance[g] = flat ? 1 : 0;
    for (size_t i = begin; i < end; ++i) {
      const float x = op.rewards[i];
      const bool raw = op.raw_singletons && count == 1;
      op.advantages[i] = raw && valid(i) ? x : 0.0F;
      if (flat || !valid(i)) continue;
      const double d = static_cast<double>(x) - mean;
      const double ratio = count / (count - 1);
      // Exactly 0 where the peers are all equal, whatever rounding left of it: nothing is divided then.
      const bool lone = (x != smallest && at_smallest == count - 1) || (x != largest && at_largest == count - 1);
      const double std = lone ? 0 : std::sqrt((square - d * d * ratio) / (count - 2));
      const double a = std > 0 ? d * ratio / (std + static_cast<double>(op.epsilon)) : d * ratio;
      op.advantages[i] = spec::CanonicalNan(static_cast<float>(a));
    }
  }
}

}  // namespace

void RunGroupAdvantages(const GroupAdvantages& given, const AdvantageKernel& kernel, unsigned threads) {
  GroupAdvantages op = given;
  if (op.groups == 0) return;
  const size_t count = op.Begin(op.groups);
  if (op.estimator == GroupEstimator::kBatchStd) op.batch_scale = kernel.batch_scale(op.rewards, count, op.epsilon);
  if (op.estimator == GroupEstimator::kGpg) op.batch_scale = GpgScale(op.rewards, count);
  const bool leave_one_out = op.estimator == GroupEstimator::kLeaveOneOut;
  const auto groups = leave_one_out ? LeaveOneOutGroups : kernel.groups[static_cast<size_t>(FormulaOf(op.estimator))];
  const size_t mean = std::max<size_t>(1, count / op.groups);
  const size_t blocks = std::max<size_t>(1, kRewardsPerTask / mean / kGroupsPerBlock);
  ThreadPool::Instance().ParallelFor(
      op.groups, blocks * kGroupsPerBlock, [&](size_t begin, size_t end) { groups(op, begin, end); }, threads);
}

}  // namespace crossthink
