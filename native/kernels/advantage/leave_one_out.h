#ifndef CROSSTHINK_KERNELS_ADVANTAGE_LEAVE_ONE_OUT_H_
#define CROSSTHINK_KERNELS_ADVANTAGE_LEAVE_ONE_OUT_H_

#include <cmath>
#include <cstddef>

#include "kernels/advantage/advantage.h"
#include "spec/annotate.h"
#include "spec/bits.h"

namespace crossthink {
namespace {

// Baseline and standard deviation of every reward's n - 1 peers in rewards [begin, end), in float64: in float32 the sum
// of squares without one outlier would be mostly rounding.
CT_HD inline void LeaveOneOutGroup(const GroupAdvantages& op, size_t group, size_t begin, size_t end) {
  double count = 0;
  double sum = 0;
  float smallest = spec::Infinity();
  float largest = -spec::Infinity();
  for (size_t i = begin; i < end; ++i) {
    const float x = op.rewards[i];
    if (x != x) continue;
    count += 1;
    sum += static_cast<double>(x);
    smallest = x < smallest ? x : smallest;
    largest = x > largest ? x : largest;
  }
  const double mean = sum / count;
  double square = 0;
  double at_smallest = 0;
  double at_largest = 0;
  for (size_t i = begin; i < end; ++i) {
    const float x = op.rewards[i];
    if (x != x) continue;
    const double d = static_cast<double>(x) - mean;
    square += d * d;
    at_smallest += x == smallest ? 1 : 0;
    at_largest += x == largest ? 1 : 0;
  }
  const bool flat = count < 2 || smallest == largest;
  op.zero_variance[group] = flat ? 1 : 0;
  for (size_t i = begin; i < end; ++i) {
    const float x = op.rewards[i];
    op.advantages[i] = op.raw_singletons && count == 1 && x == x ? x : 0.0F;
    if (flat || x != x) continue;
    const double d = static_cast<double>(x) - mean;
    const double ratio = count / (count - 1);
    // Exactly 0 where the peers are all equal, whatever rounding left of it: nothing is divided then.
    const bool lone = (x != smallest && at_smallest == count - 1) || (x != largest && at_largest == count - 1);
    const double std = lone ? 0 : sqrt((square - d * d * ratio) / (count - 2));
    const double a = std > 0 ? d * ratio / (std + static_cast<double>(op.epsilon)) : d * ratio;
    op.advantages[i] = spec::CanonicalNan(static_cast<float>(a));
  }
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_ADVANTAGE_LEAVE_ONE_OUT_H_
