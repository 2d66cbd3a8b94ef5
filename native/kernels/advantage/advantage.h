#ifndef CROSSTHINK_KERNELS_ADVANTAGE_ADVANTAGE_H_
#define CROSSTHINK_KERNELS_ADVANTAGE_ADVANTAGE_H_

#include <cstddef>
#include <cstdint>

#include "spec/annotate.h"

namespace crossthink {

enum class GroupEstimator : uint8_t { kGrpo = 0, kDrGrpo = 1 };

// Advantages of rewards against their own group. A NaN reward is no member of its group: advantage 0. A group whose
// members are all equal, or that has fewer than two, has no signal: advantages exactly 0, zero_variance 1.
struct GroupAdvantages {
  const float* rewards = nullptr;
  size_t groups = 0;
  size_t group_size = 0;             // Of every group, or 0:
  const int32_t* offsets = nullptr;  // group g holds rewards [offsets[g], offsets[g + 1]).
  GroupEstimator estimator = GroupEstimator::kGrpo;
  float epsilon = 1e-6F;

  float* advantages = nullptr;       // Must not overlap the rewards.
  uint8_t* zero_variance = nullptr;  // One per group.

  CT_HD size_t Begin(size_t group) const {
    return offsets == nullptr ? group * group_size : static_cast<size_t>(offsets[group]);
  }
};

struct AdvantageKernel {
  void (*groups)(const GroupAdvantages& op, size_t begin, size_t end);
};

// Runs on the shared pool, on at most `threads` threads (0: all).
void RunGroupAdvantages(const GroupAdvantages& op, const AdvantageKernel& kernel, unsigned threads);

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_ADVANTAGE_ADVANTAGE_H_
