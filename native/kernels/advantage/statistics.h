#ifndef CROSSTHINK_KERNELS_ADVANTAGE_STATISTICS_H_
#define CROSSTHINK_KERNELS_ADVANTAGE_STATISTICS_H_

#include <cstddef>

#include "kernels/advantage/advantage.h"
#include "simd/scalar.h"
#include "spec/annotate.h"
#include "spec/bits.h"

// What a group's advantages are made of, over an instruction set V (simd::Scalar on a CUDA thread).
namespace crossthink {
namespace {

constexpr size_t kRow = 256;  // A longer group is cut into rows of this many rewards, joined in float64.

// What is known of a group after the first and the second pass.
template <class V>
struct GroupStatistics {
  typename V::F count;
  typename V::F sum;
  typename V::F smallest;
  typename V::F largest;
  typename V::F mean;
  typename V::F deviation;  // Sum of x - mean: what rounding left of 0.
  typename V::F square;     // Sum of (x - mean)^2.
};

template <class V>
CT_HD CT_INLINE GroupStatistics<V> EmptyGroup() {
  const typename V::F zero = V::Set(0.0F);
  return {zero, zero, V::Set(spec::Infinity()), V::Set(-spec::Infinity()), zero, zero, zero};
}

// First pass: a NaN is no member.
template <class V>
CT_HD CT_INLINE void AddReward(typename V::F x, GroupStatistics<V>* s) {
  const typename V::M valid = V::Equal(x, x);
  s->sum = V::Add(s->sum, V::Select(valid, x, V::Set(0.0F)));
  s->count = V::Add(s->count, V::Select(valid, V::Set(1.0F), V::Set(0.0F)));
  s->smallest = V::Min(s->smallest, x);
  s->largest = V::Max(s->largest, x);
}

// Second pass, with the mean known.
template <class V>
CT_HD CT_INLINE void AddDeviation(typename V::F x, GroupStatistics<V>* s) {
  const typename V::F d = V::Select(V::Equal(x, x), V::Sub(x, s->mean), V::Set(0.0F));
  s->deviation = V::Add(s->deviation, d);
  s->square = V::Fma(d, d, s->square);
}

// A group of several rows, joined in index order.
struct GroupTotals {
  double count, sum, deviation, square;
  float smallest, largest;
};

CT_HD CT_INLINE GroupTotals EmptyTotals() { return {0, 0, 0, 0, spec::Infinity(), -spec::Infinity()}; }

CT_HD CT_INLINE void JoinFirst(float count, float sum, float smallest, float largest, GroupTotals* total) {
  total->count += static_cast<double>(count);
  total->sum += static_cast<double>(sum);
  total->smallest = smallest < total->smallest ? smallest : total->smallest;
  total->largest = largest > total->largest ? largest : total->largest;
}

CT_HD CT_INLINE float MeanOf(const GroupTotals& total) {
  return static_cast<float>(total.sum / (total.count > 1 ? total.count : 1));
}

CT_HD CT_INLINE void JoinSecond(float deviation, float square, GroupTotals* total) {
  total->deviation += static_cast<double>(deviation);
  total->square += static_cast<double>(square);
}

CT_HD CT_INLINE GroupStatistics<simd::Scalar> StatisticsOf(const GroupTotals& total, float mean) {
  GroupStatistics<simd::Scalar> s;
  s.count = static_cast<float>(total.count);
  s.sum = static_cast<float>(total.sum);
  s.smallest = total.smallest;
  s.largest = total.largest;
  s.mean = mean;
  s.deviation = static_cast<float>(total.deviation);
  s.square = static_cast<float>(total.square);
  return s;
}

// advantage = ((x - mean) - shift) * scale; 0 where flat.
template <class V>
struct GroupCoefficients {
  typename V::F mean;
  typename V::F shift;
  typename V::F scale;
  typename V::M flat;
};

template <class V>
CT_HD CT_INLINE GroupCoefficients<V> Coefficients(const GroupStatistics<V>& s, GroupEstimator estimator,
                                                  float epsilon) {
  const typename V::F one = V::Set(1.0F);
  GroupCoefficients<V> c;
  c.mean = s.mean;
  c.shift = V::Div(s.deviation, V::Max(s.count, one));
  c.scale = one;
  c.flat = V::Or(V::LessEqual(s.largest, s.smallest), V::LessEqual(s.count, one));
  if (estimator == GroupEstimator::kGrpo) {
    // The corrected two-pass variance, n - 1 in the denominator.
    const typename V::F square = V::Fma(V::Sub(V::Set(0.0F), c.shift), s.deviation, s.square);
    const typename V::F variance = V::Div(square, V::Max(V::Sub(s.count, one), one));
    c.scale = V::Div(one, V::Add(V::Sqrt(variance), V::Set(epsilon)));
  }
  return c;
}

// The advantage of one reward.
template <class V>
CT_HD CT_INLINE typename V::F AdvantageOf(typename V::F x, const GroupCoefficients<V>& c) {
  typename V::F a = V::Mul(V::Sub(V::Sub(x, c.mean), c.shift), c.scale);
  a = V::Select(V::Equal(a, a), a, V::Set(spec::QuietNan()));  // Of an infinite reward.
  a = V::Select(V::Equal(x, x), a, V::Set(0.0F));
  return V::Select(c.flat, V::Set(0.0F), a);
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_ADVANTAGE_STATISTICS_H_
