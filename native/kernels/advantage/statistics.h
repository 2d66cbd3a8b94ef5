#ifndef CROSSTHINK_KERNELS_ADVANTAGE_STATISTICS_H_
#define CROSSTHINK_KERNELS_ADVANTAGE_STATISTICS_H_

#include <cstddef>

#include "kernels/advantage/advantage.h"
#include "simd/scalar.h"
#include "spec/annotate.h"
#include "spec/bits.h"

// What must be known of a group, over an instruction set V in which a lane is a group (simd::Scalar on a CUDA thread),
// each sum in index order. What follows from it: group_formulas.h.
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
  typename V::F second;     // kBest: the largest but one. First pass.
  typename V::F weight;     // kWeightedMean: sum of lengths, and of length times reward. First pass.
  typename V::F weighted;
};

template <class V>
CT_HD CT_INLINE GroupStatistics<V> EmptyGroup() {
  const typename V::F zero = V::Set(0.0F);
  const typename V::F lowest = V::Set(-spec::Infinity());
  return {zero, zero, V::Set(spec::Infinity()), lowest, zero, zero, zero, lowest, zero, zero};
}

// First pass: a NaN is no member.
template <class V, GroupFormula kFormula = GroupFormula::kLinear>
CT_HD CT_INLINE void AddReward(typename V::F x, GroupStatistics<V>* s) {
  if constexpr (kFormula == GroupFormula::kBest) s->second = V::Max(s->second, V::Min(x, s->largest));
  const typename V::M valid = V::Equal(x, x);
  s->sum = V::Add(s->sum, V::Select(valid, x, V::Set(0.0F)));
  s->count = V::Add(s->count, V::Select(valid, V::Set(1.0F), V::Set(0.0F)));
  s->smallest = V::Min(s->smallest, x);
  s->largest = V::Max(s->largest, x);
}

template <class V>
CT_HD CT_INLINE void AddWeighted(typename V::F x, typename V::F length, GroupStatistics<V>* s) {
  const typename V::F zero = V::Set(0.0F);
  const typename V::M valid = V::Equal(x, x);
  length = V::Select(valid, length, zero);
  s->weight = V::Add(s->weight, length);
  s->weighted = V::Fma(length, V::Select(valid, x, zero), s->weighted);
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
  float smallest, largest, second;
  double weight, weighted;
};

CT_HD CT_INLINE GroupTotals EmptyTotals() {
  const float lowest = -spec::Infinity();
  return {0, 0, 0, 0, spec::Infinity(), lowest, lowest, 0, 0};
}

CT_HD CT_INLINE void JoinFirst(float count, float sum, float smallest, float largest, GroupTotals* total) {
  total->count += static_cast<double>(count);
  total->sum += static_cast<double>(sum);
  total->smallest = smallest < total->smallest ? smallest : total->smallest;
  total->largest = largest > total->largest ? largest : total->largest;
}

// What the other formulas need on top; before JoinFirst of the same row.
CT_HD CT_INLINE void JoinExtremes(float second, float largest, GroupTotals* total) {
  const float beaten = largest < total->largest ? largest : total->largest;
  total->second = second > total->second ? second : total->second;
  total->second = beaten > total->second ? beaten : total->second;
}

CT_HD CT_INLINE void JoinWeighted(float weight, float weighted, GroupTotals* total) {
  total->weight += static_cast<double>(weight);
  total->weighted += static_cast<double>(weighted);
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
  s.second = total.second;
  s.weight = static_cast<float>(total.weight);
  s.weighted = static_cast<float>(total.weighted);
  return s;
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_ADVANTAGE_STATISTICS_H_
