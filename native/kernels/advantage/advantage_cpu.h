#ifndef CROSSTHINK_KERNELS_ADVANTAGE_ADVANTAGE_CPU_H_
#define CROSSTHINK_KERNELS_ADVANTAGE_ADVANTAGE_CPU_H_

#include <cstddef>
#include <cstdint>

#include "kernels/advantage/advantage.h"
#include "kernels/advantage/statistics.h"
#include "simd/scalar.h"
#include "simd/transpose.h"
#include "spec/annotate.h"
#include "spec/bits.h"

// A lane is a group: kWidth groups are transposed into columns, so that every group is summed in index order whatever
// the instruction set. A group longer than kRow is cut into rows of kRow, one lane each, joined in float64.
namespace crossthink {
namespace {

// Up to kWidth rows of at most kRow rewards each, as columns; NaN where a row has ended.
template <class V>
struct Columns {
  size_t count = 0;  // The longest row.
  alignas(64) float lanes[kRow * V::kWidth];

  CT_INLINE void Load(const float* x, const size_t* begin, const size_t* length) {
    constexpr size_t w = V::kWidth;
    count = 0;
    for (size_t r = 0; r < w; ++r) count = length[r] > count ? length[r] : count;
    for (size_t c = 0; c < count; c += w) {
      typename V::F square[w];
      for (size_t r = 0; r < w; ++r) {
        const size_t left = length[r] > c ? length[r] - c : 0;
        square[r] = left >= w  ? V::Load(x + begin[r] + c)
                    : left > 0 ? V::LoadPartial(x + begin[r] + c, left, spec::QuietNan())
                               : V::Set(spec::QuietNan());
      }
      simd::Transpose<V>::Run(square);
      const size_t n = count - c < w ? count - c : w;
      for (size_t j = 0; j < n; ++j) V::Store(lanes + (c + j) * w, square[j]);
    }
  }

  CT_INLINE void FirstPass(GroupStatistics<V>* out) const {
    GroupStatistics<V> s = EmptyGroup<V>();
    for (size_t c = 0; c < count; ++c) AddReward<V>(V::Load(lanes + c * V::kWidth), &s);
    *out = s;
  }

  // out->mean is known.
  CT_INLINE void SecondPass(GroupStatistics<V>* out) const {
    GroupStatistics<V> s = *out;
    for (size_t c = 0; c < count; ++c) AddDeviation<V>(V::Load(lanes + c * V::kWidth), &s);
    *out = s;
  }
};

// Writes one group. A full store may spill into the next groups of the block, which are written after this one; `limit`
// is where the block ends.
template <class V>
CT_INLINE void ApplyGroup(const GroupAdvantages& op, size_t begin, size_t end, size_t limit,
                          const GroupCoefficients<simd::Scalar>& c) {
  constexpr size_t w = V::kWidth;
  const GroupCoefficients<V> all = {V::Set(c.mean), V::Set(c.shift), V::Set(c.scale),
                                    V::FromMaskBits(c.flat ? 0xffffffffU : 0U)};
  for (size_t i = begin; i < end; i += w) {
    const bool full = i + w <= limit;
    const typename V::F x = full ? V::Load(op.rewards + i) : V::LoadPartial(op.rewards + i, limit - i, 0.0F);
    const typename V::F a = AdvantageOf<V>(x, all);
    if (full) {
      V::Store(op.advantages + i, a);
    } else {
      V::StorePartial(op.advantages + i, limit - i, a);
    }
  }
}

// Groups [begin, end), at most kWidth of them and none longer than kRow.
template <class V>
CT_INLINE void SmallGroups(const GroupAdvantages& op, size_t begin, size_t end, Columns<V>* columns) {
  constexpr size_t w = V::kWidth;
  size_t first[w];
  size_t length[w];
  for (size_t g = 0; g < w; ++g) {
    first[g] = begin + g < end ? op.Begin(begin + g) : 0;
    length[g] = begin + g < end ? op.Begin(begin + g + 1) - first[g] : 0;
  }
  columns->Load(op.rewards, first, length);
  GroupStatistics<V> s;
  columns->FirstPass(&s);
  s.mean = V::Div(s.sum, V::Max(s.count, V::Set(1.0F)));
  columns->SecondPass(&s);
  const GroupCoefficients<V> c = Coefficients<V>(s, op.estimator, op.epsilon);
  float mean[w], shift[w], scale[w];
  V::Store(mean, c.mean);
  V::Store(shift, c.shift);
  V::Store(scale, c.scale);
  const uint32_t flat = V::ToBits(c.flat);
  const size_t limit = op.Begin(end);
  for (size_t g = 0; begin + g < end; ++g) {
    const bool is_flat = (flat >> g & 1U) != 0;
    ApplyGroup<V>(op, first[g], first[g] + length[g], limit, {mean[g], shift[g], scale[g], is_flat});
    op.zero_variance[begin + g] = is_flat ? 1 : 0;
  }
}

// Calls pass(lanes in use) for every kWidth rows of [begin, end).
template <class V, class Pass>
CT_INLINE void ForRows(const float* x, size_t begin, size_t end, Columns<V>* columns, Pass pass) {
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
    columns->Load(x, first, length);
    pass(used);
  }
}

template <class V>
void LargeGroup(const GroupAdvantages& op, size_t group, Columns<V>* columns) {
  constexpr size_t w = V::kWidth;
  const size_t begin = op.Begin(group);
  const size_t end = op.Begin(group + 1);
  GroupTotals total = EmptyTotals();
  GroupStatistics<V> rows;
  float a[w], b[w], lo[w], hi[w];
  ForRows<V>(op.rewards, begin, end, columns, [&](size_t used) {
    columns->FirstPass(&rows);
    V::Store(a, rows.count);
    V::Store(b, rows.sum);
    V::Store(lo, rows.smallest);
    V::Store(hi, rows.largest);
    for (size_t r = 0; r < used; ++r) JoinFirst(a[r], b[r], lo[r], hi[r], &total);
  });
  const float mean = MeanOf(total);
  ForRows<V>(op.rewards, begin, end, columns, [&](size_t used) {
    rows = EmptyGroup<V>();
    rows.mean = V::Set(mean);
    columns->SecondPass(&rows);
    V::Store(a, rows.deviation);
    V::Store(b, rows.square);
    for (size_t r = 0; r < used; ++r) JoinSecond(a[r], b[r], &total);
  });
  const auto c = Coefficients<simd::Scalar>(StatisticsOf(total, mean), op.estimator, op.epsilon);
  ApplyGroup<V>(op, begin, end, end, c);
  op.zero_variance[group] = c.flat ? 1 : 0;
}

template <class V>
void GroupAdvantageRange(const GroupAdvantages& op, size_t begin, size_t end) {
  Columns<V> columns;
  size_t g = begin;
  while (g < end) {
    size_t stop = g;
    while (stop < end && stop - g < V::kWidth && op.Begin(stop + 1) - op.Begin(stop) <= kRow) ++stop;
    if (stop > g) {
      SmallGroups<V>(op, g, stop, &columns);
      g = stop;
    } else {
      LargeGroup<V>(op, g++, &columns);
    }
  }
}

template <class V>
constexpr AdvantageKernel MakeAdvantageKernel() {
  return {GroupAdvantageRange<V>};
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_ADVANTAGE_ADVANTAGE_CPU_H_
