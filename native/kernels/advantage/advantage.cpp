#include "kernels/advantage/advantage.h"

#include <algorithm>

#include "runtime/thread_pool.h"

namespace crossthink {
namespace {

constexpr size_t kRewardsPerTask = 32768;
constexpr size_t kGroupsPerBlock = 16;  // Whole vectors of groups on every instruction set.

}  // namespace

void RunGroupAdvantages(const GroupAdvantages& op, const AdvantageKernel& kernel, unsigned threads) {
  if (op.groups == 0) return;
  const size_t mean = std::max<size_t>(1, op.Begin(op.groups) / op.groups);
  const size_t blocks = std::max<size_t>(1, kRewardsPerTask / mean / kGroupsPerBlock);
  ThreadPool::Instance().ParallelFor(
      op.groups, blocks * kGroupsPerBlock, [&](size_t begin, size_t end) { kernel.groups(op, begin, end); }, threads);
}

}  // namespace crossthink
