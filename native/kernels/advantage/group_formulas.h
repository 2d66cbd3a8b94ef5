#ifndef CROSSTHINK_KERNELS_ADVANTAGE_GROUP_FORMULAS_H_
#define CROSSTHINK_KERNELS_ADVANTAGE_GROUP_FORMULAS_H_

#include "kernels/advantage/statistics.h"
#include "spec/annotate.h"
#include "spec/bits.h"

// From what is known of a group to its advantages, over an instruction set V in which a lane is a group
// (simd::Scalar on a CUDA thread). docs/losses.md, "Group advantages".
namespace crossthink {
namespace {

constexpr float kNoAdvantage = -1.0F;

// advantage = ((x - mean) - shift) * scale; kBest: scale where x = mean, which is the largest.
template <class V>
struct GroupCoefficients {
  typename V::F mean;
  typename V::F shift;
  typename V::F scale;  // kNoAdvantage: they are 0. No formula has a negative scale.
  typename V::M flat;   // No signal.
};

template <class V>
CT_HD CT_INLINE typename V::F InverseStd(typename V::F square, typename V::F count, float epsilon) {
  const typename V::F one = V::Set(1.0F);
  const typename V::F variance = V::Div(square, V::Max(V::Sub(count, one), one));
  return V::Div(one, V::Add(V::Sqrt(variance), V::Set(epsilon)));
}

// GPG: B / max(1, number of rewards that are not 0), B the number of valid rewards of the batch.
CT_HD CT_INLINE float GpgScale(uint64_t valid, uint64_t nonzero) {
  return static_cast<float>(static_cast<double>(valid) / static_cast<double>(nonzero == 0 ? 1 : nonzero));
}

template <class V>
CT_HD CT_INLINE typename V::F ScaleOf(const GroupAdvantages& op, const GroupStatistics<V>& s, typename V::F square) {
  const typename V::F zero = V::Set(0.0F);
  const typename V::F one = V::Set(1.0F);
  switch (op.estimator) {
    case GroupEstimator::kGrpo:
      return InverseStd<V>(square, s.count, op.epsilon);
    case GroupEstimator::kRloo:
      return V::Div(s.count, V::Max(V::Sub(s.count, one), one));
    case GroupEstimator::kMaxRl:
      return V::Select(V::Less(zero, s.mean), V::Div(one, s.mean), zero);
    case GroupEstimator::kGpg:
    case GroupEstimator::kBatchStd:
      return V::Set(op.batch_scale);
    case GroupEstimator::kPassK:
      return V::Mul(V::Sub(s.largest, s.second), InverseStd<V>(square, s.count, op.epsilon));
    default:
      return one;
  }
}

template <class V>
CT_HD CT_INLINE GroupCoefficients<V> Coefficients(const GroupAdvantages& op, const GroupStatistics<V>& s) {
  using F = typename V::F;
  const F zero = V::Set(0.0F);
  const F one = V::Set(1.0F);
  const GroupFormula formula = FormulaOf(op.estimator);
  GroupCoefficients<V> c;
  c.mean = s.mean;
  c.shift = V::Div(s.deviation, V::Max(s.count, one));
  // The corrected two-pass sum of squares.
  const F square = V::Fma(V::Sub(zero, c.shift), s.deviation, s.square);
  c.scale = ScaleOf<V>(op, s, square);
  if (formula == GroupFormula::kWeightedMean) {
    c.mean = V::Div(s.weighted, s.weight);
    c.shift = zero;
  }
  if (formula == GroupFormula::kBest) c.mean = s.largest;
  c.flat = V::Or(V::LessEqual(s.largest, s.smallest), V::LessEqual(s.count, one));
  typename V::M none = c.flat;
  if (op.raw_singletons && formula != GroupFormula::kBest) {
    const typename V::M single = V::Equal(s.count, one);
    c.mean = V::Select(single, zero, c.mean);
    c.shift = V::Select(single, zero, c.shift);
    c.scale = V::Select(single, one, c.scale);
    none = V::And(none, V::Not(single));
  }
  c.scale = V::Select(none, V::Set(kNoAdvantage), c.scale);
  return c;
}

// 1 / (std of the batch + epsilon), or 1 where its rewards are all equal.
CT_HD CT_INLINE float BatchScaleOf(const GroupStatistics<simd::Scalar>& batch, float epsilon) {
  GroupAdvantages op;
  op.epsilon = epsilon;
  const GroupCoefficients<simd::Scalar> c = Coefficients<simd::Scalar>(op, batch);
  return c.flat ? 1.0F : c.scale;
}

// The advantages of rewards x of one group, whose coefficients c are the same in every lane.
template <class V, GroupFormula kFormula = GroupFormula::kLinear>
CT_HD CT_INLINE typename V::F AdvantageOf(typename V::F x, const GroupCoefficients<V>& c) {
  using F = typename V::F;
  const F zero = V::Set(0.0F);
  F a;
  if constexpr (kFormula == GroupFormula::kBest) {
    a = V::Select(V::Equal(x, c.mean), c.scale, zero);
  } else {
    a = V::Mul(V::Sub(V::Sub(x, c.mean), c.shift), c.scale);
  }
  a = V::Select(V::Equal(a, a), a, V::Set(spec::QuietNan()));  // Of an infinite reward.
  a = V::Select(V::Equal(x, x), a, zero);
  return V::Select(V::Less(c.scale, zero), zero, a);
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_ADVANTAGE_GROUP_FORMULAS_H_
