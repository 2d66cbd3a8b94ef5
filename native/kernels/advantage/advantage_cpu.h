#ifndef CROSSTHINK_KERNELS_ADVANTAGE_ADVANTAGE_CPU_H_
#define CROSSTHINK_KERNELS_ADVANTAGE_ADVANTAGE_CPU_H_

#include <cstddef>
#include <cstdint>

#include "kernels/advantage/advantage.h"
#include "kernels/advantage/binary_groups.h"
#include "kernels/advantage/columns.h"
#include "kernels/advantage/group_formulas.h"
#include "kernels/advantage/ordinary_groups.h"
#include "simd/scalar.h"
#include "spec/annotate.h"
#include "spec/bits.h"

// A lane is a group: kWidth groups are transposed into columns, so that every group is summed in index order whatever
// the instruction set. A group longer than kRow is cut into rows of kRow, one lane each, joined in float64.
namespace crossthink {
namespace {

// `lengths` is read by kWeightedMean only.
template <class V, GroupFormula kFormula>
CT_INLINE GroupStatistics<V> FirstPass(const Columns<V>& rewards, const Columns<V>& lengths) {
  GroupStatistics<V> s = EmptyGroup<V>();
  for (size_t c = 0; c < rewards.count; ++c) {
    AddReward<V, kFormula>(rewards.At(c), &s);
    if constexpr (kFormula == GroupFormula::kWeightedMean) AddWeighted<V>(rewards.At(c), lengths.At(c), &s);
  }
  return s;
}

// s->mean is known.
template <class V>
CT_INLINE void SecondPass(const Columns<V>& rewards, GroupStatistics<V>* out) {
  GroupStatistics<V> s = *out;
  for (size_t c = 0; c < rewards.count; ++c) AddDeviation<V>(rewards.At(c), &s);
  *out = s;
}

// Writes one group. A full store may spill into the next groups of the block, which are written after this one; `limit`
// is where the block ends.
template <class V, GroupFormula kFormula, class C>
CT_INLINE void ApplyGroup(const GroupAdvantages& op, size_t begin, size_t end, size_t limit, const C& stored,
                          size_t lane) {
  constexpr size_t w = V::kWidth;
  GroupCoefficients<V> c;
  c.mean = V::Set(stored.mean[lane]);
  c.shift = V::Set(stored.shift[lane]);
  c.scale = V::Set(stored.scale[lane]);
  for (size_t i = begin; i < end; i += w) {
    if (i + w <= limit) {
      V::Store(op.advantages + i, AdvantageOf<V, kFormula>(V::Load(op.rewards + i), c));
    } else {
      const typename V::F x = V::LoadPartial(op.rewards + i, limit - i, 0.0F);
      V::StorePartial(op.advantages + i, limit - i, AdvantageOf<V, kFormula>(x, c));
    }
  }
}

// Consecutive groups from `first` on, none longer than kRow.
template <class V, GroupFormula kFormula>
CT_INLINE void SmallGroups(const GroupAdvantages& op, size_t first, const Rows<V::kWidth>& groups,
                           Columns<V>* columns) {
  const size_t limit = groups.begin[groups.used - 1] + groups.length[groups.used - 1];
  columns[0].template Load<false>(op.rewards, groups);
  if constexpr (kFormula == GroupFormula::kWeightedMean) columns[1].template Load<false>(op.lengths, groups);
  GroupStatistics<V> s = FirstPass<V, kFormula>(columns[0], columns[1]);
  s.mean = V::Div(s.sum, V::Max(s.count, V::Set(1.0F)));
  SecondPass<V>(columns[0], &s);
  StoredCoefficients<V> stored;
  stored.Set(Coefficients<V>(op, s));
  for (size_t g = 0; g < groups.used; ++g) {
    ApplyGroup<V, kFormula>(op, groups.begin[g], groups.begin[g] + groups.length[g], limit, stored, g);
  }
  for (size_t g = 0; g < groups.used; ++g) op.zero_variance[first + g] = stored.flat >> g & 1U;
}

// Calls pass(rows in use) for every kWidth rows of [begin, end).
template <class V, class Pass>
CT_INLINE void ForRows(const float* x, const float* lengths, size_t begin, size_t end, Columns<V>* columns, Pass pass) {
  for (size_t row = begin; row < end;) {
    Rows<V::kWidth> rows;
    for (; rows.used < V::kWidth && row < end; row += kRow) rows.Append(row, end - row < kRow ? end - row : kRow);
    rows.Fill();
    columns[0].template Load<false>(x, rows);
    if (lengths != nullptr) columns[1].template Load<false>(lengths, rows);
    pass(rows.used);
  }
}

// Statistics of rewards [begin, end): rows joined in float64 in index order, then rounded.
template <class V, GroupFormula kFormula>
GroupStatistics<simd::Scalar> LargeStatistics(const float* x, const float* lengths, size_t begin, size_t end,
                                              Columns<V>* columns) {
  constexpr size_t w = V::kWidth;
  float a[w], b[w], c[w], d[w];
  GroupTotals total = EmptyTotals();
  ForRows<V>(x, lengths, begin, end, columns, [&](size_t used) {
    const GroupStatistics<V> rows = FirstPass<V, kFormula>(columns[0], columns[1]);
    V::Store(a, rows.second);
    V::Store(b, rows.largest);
    if constexpr (kFormula == GroupFormula::kBest) {
      // Row by row with the largest so far: what a row's best leaves behind is a candidate for the second.
      for (size_t r = 0; r < used; ++r) {
        JoinExtremes(a[r], b[r], &total);
        total.largest = b[r] > total.largest ? b[r] : total.largest;
      }
    }
    V::Store(c, rows.weight);
    V::Store(d, rows.weighted);
    for (size_t r = 0; r < used; ++r) JoinWeighted(c[r], d[r], &total);
    V::Store(a, rows.count);
    V::Store(c, rows.sum);
    V::Store(d, rows.smallest);
    for (size_t r = 0; r < used; ++r) JoinFirst(a[r], c[r], d[r], b[r], &total);
  });
  const float mean = MeanOf(total);
  ForRows<V>(x, nullptr, begin, end, columns, [&](size_t used) {
    GroupStatistics<V> rows = EmptyGroup<V>();
    rows.mean = V::Set(mean);
    SecondPass<V>(columns[0], &rows);
    V::Store(a, rows.deviation);
    V::Store(b, rows.square);
    for (size_t r = 0; r < used; ++r) JoinSecond(a[r], b[r], &total);
  });
  return StatisticsOf(total, mean);
}

template <class V, GroupFormula kFormula>
void LargeGroup(const GroupAdvantages& op, size_t group, Columns<V>* columns) {
  const size_t begin = op.Begin(group);
  const size_t end = op.Begin(group + 1);
  const float* lengths = kFormula == GroupFormula::kWeightedMean ? op.lengths : nullptr;
  const auto s = LargeStatistics<V, kFormula>(op.rewards, lengths, begin, end, columns);
  StoredCoefficients<simd::Scalar> c;
  c.Set(Coefficients<simd::Scalar>(op, s));
  ApplyGroup<V, kFormula>(op, begin, end, end, c, 0);
  op.zero_variance[group] = c.flat != 0 ? 1 : 0;
}

template <class V, GroupFormula kFormula>
void GroupAdvantageRange(const GroupAdvantages& given, size_t begin, size_t end);

// Groups from `first` on of a size that has loops of its own: as many as these can do. Where they stopped.
template <class V, size_t kSize>
CT_INLINE size_t GroupsOfSize(const GroupAdvantages& op, size_t first, size_t end) {
  if constexpr (V::kWidth >= 4) {
    constexpr size_t kEnough = 64;  // Groups that pay for a table. It has fewer, so this does not go round.
    if (end - first >= kEnough) {
      first = BinaryGroups<V, kSize>(op, first, end, GroupAdvantageRange<V, GroupFormula::kLinear>);
    }
  }
  if constexpr (V::kWidth >= kSize) return SquareGroupRange<V, kSize>(op, first, end);
  return first;
}

template <class V>
CT_INLINE size_t GroupsOfOneSize(const GroupAdvantages& op, size_t first, size_t end) {
  switch (op.group_size) {
    case 4:
      return GroupsOfSize<V, 4>(op, first, end);
    case 8:
      return GroupsOfSize<V, 8>(op, first, end);
    case 16:
      return GroupsOfSize<V, 16>(op, first, end);
    default:
      return first;
  }
}

constexpr size_t kBlocks = 2;

template <class V, GroupFormula kFormula>
void GroupAdvantageRange(const GroupAdvantages& given, size_t begin, size_t end) {
  const GroupAdvantages op = given;  // A copy that no store can alias.
  Columns<V> columns[2];
  size_t g = begin;
  size_t again = begin;  // From this group on all may be ordinary.
  while (g < end) {
    if (kFormula == GroupFormula::kLinear && g >= again) {
      if (op.offsets == nullptr) g = GroupsOfOneSize<V>(op, g, end);
      while (end - g >= kBlocks * V::kWidth && OrdinaryGroups<V, kBlocks>(op, g, columns)) g += kBlocks * V::kWidth;
      again = g + kBlocks * V::kWidth;
    }
    if (g == end) break;
    Rows<V::kWidth> groups;
    for (size_t first = op.Begin(g); groups.used < V::kWidth && g + groups.used < end;) {
      const size_t next = op.Begin(g + groups.used + 1);
      if (next - first > kRow) break;
      groups.Append(first, next - first);
      first = next;
    }
    if (groups.used == 0) {
      LargeGroup<V, kFormula>(op, g++, columns);
      continue;
    }
    groups.Fill();
    SmallGroups<V, kFormula>(op, g, groups, columns);
    g += groups.used;
  }
}

template <class V>
float BatchScale(const float* rewards, size_t n, float epsilon) {
  Columns<V> columns[2];
  return BatchScaleOf(LargeStatistics<V, GroupFormula::kLinear>(rewards, nullptr, 0, n, columns), epsilon);
}

template <class V>
constexpr AdvantageKernel MakeAdvantageKernel() {
  return {{GroupAdvantageRange<V, GroupFormula::kLinear>, GroupAdvantageRange<V, GroupFormula::kWeightedMean>,
           GroupAdvantageRange<V, GroupFormula::kBest>},
          BatchScale<V>};
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_ADVANTAGE_ADVANTAGE_CPU_H_
