#ifndef CROSSTHINK_KERNELS_ADVANTAGE_ORDINARY_GROUPS_H_
#define CROSSTHINK_KERNELS_ADVANTAGE_ORDINARY_GROUPS_H_

#include <cstddef>
#include <cstdint>

#include "kernels/advantage/advantage.h"
#include "kernels/advantage/columns.h"
#include "kernels/advantage/group_formulas.h"
#include "simd/transpose.h"
#include "spec/annotate.h"

// Groups whose rewards are all ordinary numbers, as nearly all are, and a linear formula: without the tests for NaN and
// infinity that statistics.h and group_formulas.h make, and with the same bits. A lane is a group.
namespace crossthink {
namespace {

// Between these bounds nothing overflows: sums, squares and products stay finite, so no NaN comes up.
constexpr float kOrdinaryReward = 1e17F;
constexpr float kOrdinaryScale = 1e18F;

template <class V>
CT_INLINE bool All(typename V::M m) {
  return !V::Any(V::Not(m));
}

template <class V>
CT_INLINE void AddOrdinaryReward(typename V::F x, GroupStatistics<V>* s) {
  s->sum = V::Add(s->sum, x);
  s->smallest = V::Min(s->smallest, x);
  s->largest = V::Max(s->largest, x);
}

// Returns x - mean.
template <class V>
CT_INLINE typename V::F AddOrdinaryDeviation(typename V::F x, GroupStatistics<V>* s) {
  const typename V::F d = V::Sub(x, s->mean);
  s->deviation = V::Add(s->deviation, d);
  s->square = V::Fma(d, d, s->square);
  return d;
}

// Whether the rewards that went into s are ordinary, NaN left out; a NaN or infinity that was added shows in the sum.
template <class V>
CT_INLINE bool HasOrdinaryRewards(const GroupStatistics<V>& s) {
  const typename V::M high = V::LessEqual(s.largest, V::Set(kOrdinaryReward));
  const typename V::M low = V::LessEqual(V::Set(-kOrdinaryReward), s.smallest);
  return All<V>(V::And(V::And(high, low), V::LessEqual(V::Abs(s.sum), V::Set(256 * kOrdinaryReward))));
}

template <class V>
CT_INLINE bool HasOrdinaryScale(const GroupCoefficients<V>& c) {
  return All<V>(V::LessEqual(c.scale, V::Set(kOrdinaryScale)));
}

// d = x - mean; none: the group has no advantages.
template <class V>
CT_INLINE typename V::F OrdinaryAdvantage(typename V::F d, typename V::F shift, typename V::F scale,
                                          typename V::M none) {
  return V::Select(none, V::Set(0.0F), V::Mul(V::Sub(d, shift), scale));
}

// Lane g of coefficients.
template <class V>
struct StoredCoefficients {
  alignas(64) float mean[V::kWidth], shift[V::kWidth], scale[V::kWidth];
  uint32_t flat;

  CT_INLINE void Set(const GroupCoefficients<V>& c) {
    V::Store(mean, c.mean);
    V::Store(shift, c.shift);
    V::Store(scale, c.scale);
    flat = V::ToBits(c.flat);
  }
};

// kWidth groups of equal length, without a NaN to mark an end among the columns. False where they are not ordinary.
template <class V>
CT_INLINE bool OrdinaryGroups(const GroupAdvantages& op, const Columns<V>& rewards, StoredCoefficients<V>* out) {
  GroupStatistics<V> s = EmptyGroup<V>();
  s.count = V::Set(static_cast<float>(rewards.count));
  for (size_t i = 0; i < rewards.count; ++i) AddOrdinaryReward<V>(rewards.At(i), &s);
  if (!HasOrdinaryRewards<V>(s)) return false;
  s.mean = V::Div(s.sum, V::Max(s.count, V::Set(1.0F)));
  for (size_t i = 0; i < rewards.count; ++i) AddOrdinaryDeviation<V>(rewards.At(i), &s);
  const GroupCoefficients<V> c = Coefficients<V>(op, s);
  out->Set(c);
  return HasOrdinaryScale<V>(c);
}

// The same of groups of any length, from what statistics.h found: one with a NaN has fewer members than rewards.
template <class V>
CT_INLINE bool AreOrdinary(const GroupStatistics<V>& s, const GroupCoefficients<V>& c, const Rows<V::kWidth>& rows) {
  alignas(64) float counts[V::kWidth];
  for (size_t g = 0; g < V::kWidth; ++g) counts[g] = static_cast<float>(static_cast<int32_t>(rows.length[g]));
  return All<V>(V::Equal(s.count, V::Load(counts))) && HasOrdinaryRewards<V>(s) && HasOrdinaryScale<V>(c);
}

// Writes groups, `limit` being where the last one ends. Every group is written in as many vectors as the longest needs,
// so that their number can be predicted: what is too much is written again by the next groups.
template <class V>
CT_INLINE void ApplyOrdinaryGroups(const GroupAdvantages& op, const Rows<V::kWidth>& groups, size_t limit,
                                   const StoredCoefficients<V>& stored) {
  constexpr size_t w = V::kWidth;
  for (size_t g = 0; g < groups.used; ++g) {
    const typename V::F mean = V::Set(stored.mean[g]);
    const typename V::F shift = V::Set(stored.shift[g]);
    const typename V::F scale = V::Set(stored.scale[g]);
    const typename V::M none = V::Less(scale, V::Set(0.0F));
    const auto advantages = [&](typename V::F x) { return OrdinaryAdvantage<V>(V::Sub(x, mean), shift, scale, none); };
    const size_t begin = groups.begin[g];
    if (begin + (groups.longest + w - 1) / w * w <= limit) {
      for (size_t i = 0; i < groups.longest; i += w) {
        V::Store(op.advantages + begin + i, advantages(V::Load(op.rewards + begin + i)));
      }
      continue;
    }
    const size_t end = begin + groups.length[g];
    size_t i = begin;
    for (; i + w <= end; i += w) V::Store(op.advantages + i, advantages(V::Load(op.rewards + i)));
    if (i < end) V::StorePartial(op.advantages + i, end - i, advantages(V::LoadPartial(op.rewards + i, end - i, 0.0F)));
  }
}

// kWidth groups of kSize rewards each, kSize a divisor of kWidth, from group `first` on: kSize vectors, in registers
// from load to store. False, and nothing done, where the rewards are not ordinary.
template <class V, size_t kSize>
CT_INLINE bool SquareGroups(const GroupAdvantages& op, size_t first) {
  using F = typename V::F;
  constexpr size_t w = V::kWidth;
  constexpr size_t kSegments = w / kSize;
  const size_t base = first * kSize;
  F x[kSize];
  for (size_t i = 0; i < kSize; ++i) x[i] = V::Load(op.rewards + base + i * w);
  simd::Transpose<V>::template RunInside<kSize>(x);
  GroupStatistics<V> s = EmptyGroup<V>();
  s.count = V::Set(static_cast<float>(kSize));
  for (const F& column : x) AddOrdinaryReward<V>(column, &s);
  s.mean = V::Div(s.sum, s.count);
  for (F& column : x) column = AddOrdinaryDeviation<V>(column, &s);
  const GroupCoefficients<V> c = Coefficients<V>(op, s);
  if (!HasOrdinaryRewards<V>(s) || !HasOrdinaryScale<V>(c)) return false;
  const typename V::M none = V::Less(c.scale, V::Set(0.0F));
  for (F& column : x) column = OrdinaryAdvantage<V>(column, c.shift, c.scale, none);
  simd::Transpose<V>::template RunInside<kSize>(x);
  for (size_t i = 0; i < kSize; ++i) V::Store(op.advantages + base + i * w, x[i]);
  // Lane i of segment k is group i * kSegments + k.
  const uint32_t flat = V::ToBits(c.flat);
  uint8_t* out = op.zero_variance + first;
  for (size_t i = 0; i < kSize; ++i) {
    for (size_t k = 0; k < kSegments; ++k) out[i * kSegments + k] = flat >> (k * kSize + i) & 1U;
  }
  return true;
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_ADVANTAGE_ORDINARY_GROUPS_H_
