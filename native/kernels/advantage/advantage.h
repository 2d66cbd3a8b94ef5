#ifndef CROSSTHINK_KERNELS_ADVANTAGE_ADVANTAGE_H_
#define CROSSTHINK_KERNELS_ADVANTAGE_ADVANTAGE_H_

#include <cstddef>
#include <cstdint>

#include "spec/annotate.h"

namespace crossthink {

// docs/losses.md has the formulas. The order is shared with lib/kernels/advantages.ts.
enum class GroupEstimator : uint8_t {
  kGrpo = 0,     // (R - mean) / (std + epsilon)
  kDrGrpo,       // R - mean
  kRloo,         // R - mean of the others
  kMaxRl,        // (R - mean) / mean
  kGpg,          // (R - mean) B / max(1, number of R != 0)
  kBatchStd,     // (R - mean) / (std of the whole batch + epsilon)
  kOpo,          // R - length-weighted mean
  kPassK,        // (largest - second) / (std + epsilon) for the best, 0 for the others
  kLeaveOneOut,  // R - mean of the others, divided by (their std + epsilon) where that std is not 0
};

// Advantages of rewards against their own group. A NaN reward is no member of its group: advantage 0. A group whose
// members are all equal, or that has fewer than two, has no signal: advantages exactly 0, zero_variance 1.
struct GroupAdvantages {
  const float* rewards = nullptr;
  size_t count = 0;                // Rewards.
  const float* lengths = nullptr;  // kOpo: one per reward.
  size_t groups = 0;
  size_t group_size = 0;             // Of every group, or 0:
  const int32_t* offsets = nullptr;  // group g holds rewards [offsets[g], offsets[g + 1]).
  GroupEstimator estimator = GroupEstimator::kGrpo;
  float epsilon = 1e-6F;
  bool raw_singletons = false;  // The one member of a group keeps its reward as advantage.
  float batch_scale = 1;        // kGpg, kBatchStd: set by RunGroupAdvantages.

  float* advantages = nullptr;       // Must not overlap the rewards.
  uint8_t* zero_variance = nullptr;  // One per group.

  CT_HD size_t Begin(size_t group) const {
    return offsets == nullptr ? group * group_size : static_cast<size_t>(offsets[group]);
  }
};

struct AdvantageKernel {
  // One per shape of the formula; see FormulaOf.
  void (*groups[3])(const GroupAdvantages& op, size_t begin, size_t end);
  // 1 / (std of rewards [0, n) + epsilon), or 1 where they are all equal.
  float (*batch_scale)(const float* rewards, size_t n, float epsilon);
};

// The shapes a group formula can have: what must be known of a group, and how an advantage follows.
// kLeaveOneOut is not among them: it needs float64 and has a plain loop of its own.
enum class GroupFormula : uint8_t { kLinear = 0, kWeightedMean, kBest };

CT_HD constexpr GroupFormula FormulaOf(GroupEstimator estimator) {
  switch (estimator) {
    case GroupEstimator::kOpo:
      return GroupFormula::kWeightedMean;
    case GroupEstimator::kPassK:
      return GroupFormula::kBest;
    default:
      return GroupFormula::kLinear;
  }
}

// Runs on the shared pool, on at most `threads` threads (0: all).
void RunGroupAdvantages(const GroupAdvantages& op, const AdvantageKernel& kernel, unsigned threads);

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_ADVANTAGE_ADVANTAGE_H_
