#ifndef CROSSTHINK_KERNELS_ADVANTAGE_ADVANTAGE_CPU_H_
#define CROSSTHINK_KERNELS_ADVANTAGE_ADVANTAGE_CPU_H_

#include <cstddef>
#include <cstdint>

#include "kernels/advantage/advantage.h"
#include "kernels/advantage/group_formulas.h"
#include "simd/scalar.h"
#include "simd/transpose.h"
#include "spec/annotate.h"
#include "spec/bits.h"

// A lane is a group: kWidth groups are transposed into columns, so that every group is summed in index order whatever
// the instruction set. A group longer than kRow is cut into rows of kRow, one lane each, joined in float64.
namespace crossthink {
namespace {

// Up to kWidth rows of at most kRow numbers each, as columns; NaN where a row has ended.
template <class V>
struct Columns {
  size_t count = 0;  // The longest row.
  alignas(64) float lanes[kRow * V::kWidth];

  CT_INLINE void Load(const float* x, const size_t* begin, const size_t* length) {
    constexpr size_t w = V::kWidth;
    const typename V::F nan = V::Set(spec::QuietNan());
    count = 0;
    for (size_t r = 0; r < w; ++r) count = length[r] > count ? length[r] : count;
    for (size_t c = 0; c < count; c += w) {
      typename V::F square[w];
      for (size_t r = 0; r < w; ++r) {
        const size_t left = length[r] > c ? length[r] - c : 0;
        square[r] = left >= w  ? V::Load(x + begin[r] + c)
                    : left > 0 ? V::LoadPartial(x + begin[r] + c, left, spec::QuietNan())
                               : nan;
      }
      simd::Transpose<V>::Run(square);
      const size_t n = count - c < w ? count - c : w;
      for (size_t j = 0; j < n; ++j) V::Store(lanes + (c + j) * w, square[j]);
    }
  }
  CT_INLINE typename V::F At(size_t column) const { return V::Load(lanes + column * V::kWidth); }
};

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

// Groups [begin, end), at most kWidth of them and none longer than kRow.
template <class V, GroupFormula kFormula>
CT_INLINE void SmallGroups(const GroupAdvantages& op, size_t begin, size_t end, Columns<V>* columns) {
  constexpr size_t w = V::kWidth;
  size_t first[w];
  size_t length[w];
  for (size_t g = 0; g < w; ++g) {
    first[g] = begin + g < end ? op.Begin(begin + g) : 0;
    length[g] = begin + g < end ? op.Begin(begin + g + 1) - first[g] : 0;
  }
  columns[0].Load(op.rewards, first, length);
  if constexpr (kFormula == GroupFormula::kWeightedMean) columns[1].Load(op.lengths, first, length);
  GroupStatistics<V> s = FirstPass<V, kFormula>(columns[0], columns[1]);
  s.mean = V::Div(s.sum, V::Max(s.count, V::Set(1.0F)));
  SecondPass<V>(columns[0], &s);
  StoredCoefficients<V> c;
  c.Set(Coefficients<V>(op, s));
  const size_t limit = op.Begin(end);
  for (size_t g = 0; begin + g < end; ++g) {
    ApplyGroup<V, kFormula>(op, first[g], first[g] + length[g], limit, c, g);
    op.zero_variance[begin + g] = (c.flat >> g & 1U) != 0 ? 1 : 0;
  }
}

// Calls pass(rows in use) for every kWidth rows of [begin, end).
template <class V, class Pass>
CT_INLINE void ForRows(const float* x, const float* lengths, size_t begin, size_t end, Columns<V>* columns, Pass pass) {
  constexpr size_t w = V::kWidth;
  size_t first[w];
  size_t length[w];
  for (size_t row = begin; row < end; row += w * kRow) {
    size_t used = 0;
    for (size_t r = 0; r < w; ++r) {
      first[r] = row + r * kRow;
      length[r] = first[r] >= end ? 0 : end - first[r] < kRow ? end - first[r] : kRow;
      used += length[r] != 0 ? 1 : 0;
    }
    columns[0].Load(x, first, length);
    if (lengths != nullptr) columns[1].Load(lengths, first, length);
    pass(used);
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
void GroupAdvantageRange(const GroupAdvantages& given, size_t begin, size_t end) {
  const GroupAdvantages op = given;  // A copy that no store can alias.
  Columns<V> columns[2];
  size_t g = begin;
  while (g < end) {
    size_t stop = g;
    while (stop < end && stop - g < V::kWidth && op.Begin(stop + 1) - op.Begin(stop) <= kRow) ++stop;
    if (stop > g) {
      SmallGroups<V, kFormula>(op, g, stop, columns);
      g = stop;
    } else {
      LargeGroup<V, kFormula>(op, g++, columns);
    }
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
