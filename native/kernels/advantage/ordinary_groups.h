#ifndef CROSSTHINK_KERNELS_ADVANTAGE_ORDINARY_GROUPS_H_
#define CROSSTHINK_KERNELS_ADVANTAGE_ORDINARY_GROUPS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

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

// Where the rewards that went into s are ordinary, NaN left out; a NaN or infinity that was added shows in the sum.
template <class V>
CT_INLINE typename V::M OrdinaryRewards(const GroupStatistics<V>& s) {
  const typename V::M high = V::LessEqual(s.largest, V::Set(kOrdinaryReward));
  const typename V::M low = V::LessEqual(V::Set(-kOrdinaryReward), s.smallest);
  return V::And(V::And(high, low), V::LessEqual(V::Abs(s.sum), V::Set(256 * kOrdinaryReward)));
}

template <class V>
CT_INLINE typename V::M OrdinaryScale(const GroupCoefficients<V>& c) {
  return V::LessEqual(c.scale, V::Set(kOrdinaryScale));
}

// d = x - mean; some: the group has advantages.
template <class V>
CT_INLINE typename V::F OrdinaryAdvantage(typename V::F d, typename V::F shift, typename V::F scale,
                                          typename V::M some) {
  return V::Select(some, V::Mul(V::Sub(d, shift), scale), V::Set(0.0F));
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
    const typename V::M some = V::LessEqual(V::Set(0.0F), scale);
    const auto advantages = [&](typename V::F x) { return OrdinaryAdvantage<V>(V::Sub(x, mean), shift, scale, some); };
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

// Bytes of lanes' bits, one per group: lane i of segment k is group i * kSegments + k.
template <size_t kSize, size_t kSegments>
CT_INLINE void StoreFlags(uint32_t lanes, uint8_t* out) {
  constexpr size_t kPiece = 8 / kSegments < kSize ? 8 / kSegments : kSize;  // Lanes of a segment in a step.
  constexpr size_t kStep = kPiece * kSegments;
  uint64_t bits = 0;  // Byte j of the step picks one.
  for (size_t j = 0; j < kStep; ++j) bits |= uint64_t{1} << (8 * j + j % kSegments * kPiece + j / kSegments);
  for (size_t i = 0; i < kSize; i += kPiece) {
    uint64_t step = 0;
    for (size_t k = 0; k < kSegments; ++k) {
      step |= (lanes >> (k * kSize + i) & ((1U << kPiece) - 1U)) << (k * kPiece);
    }
    const uint64_t picked = step * 0x0101010101010101ULL & bits;
    const uint64_t bytes = (picked + 0x7f7f7f7f7f7f7f7fULL) >> 7 & 0x0101010101010101ULL;
    memcpy(out + i * kSegments, &bytes, kStep);
  }
}

// kBlocks times kWidth groups of any length, from group `first` on. False, and nothing done, where one is longer than a
// row, where they may not be read beyond their ends, or where they are not ordinary.
template <class V, size_t kBlocks>
CT_INLINE bool OrdinaryGroups(const GroupAdvantages& op, size_t first, Columns<V>* rewards) {
  using F = typename V::F;
  using M = typename V::M;
  constexpr size_t w = V::kWidth;
  const size_t limit = op.Begin(first + kBlocks * w);
  Rows<w> groups[kBlocks];
  GroupStatistics<V> s[kBlocks];
  size_t longest = 0;
  size_t shortest = kRow;
  for (size_t b = 0; b < kBlocks; ++b) {
    for (size_t g = 0; g < w; ++g) {
      const size_t begin = op.Begin(first + b * w + g);
      groups[b].Append(begin, op.Begin(first + b * w + g + 1) - begin);
    }
    longest = groups[b].longest > longest ? groups[b].longest : longest;
    shortest = groups[b].shortest < shortest ? groups[b].shortest : shortest;
  }
  if (longest > kRow || limit + longest + w > op.count) return false;
  for (size_t b = 0; b < kBlocks; ++b) {
    rewards[b].template Load<true>(op.rewards, groups[b]);
    alignas(64) float counts[w];
    for (size_t g = 0; g < w; ++g) counts[g] = static_cast<float>(static_cast<int32_t>(groups[b].length[g]));
    s[b] = EmptyGroup<V>();
    s[b].count = V::Load(counts);
  }
  // Whether group g has a reward i.
  const auto has = [](const F& count, size_t i) {
    return V::Less(V::Set(static_cast<float>(static_cast<int32_t>(i))), count);
  };
  const float* next = op.rewards + limit;
  const float* results = op.advantages + groups[0].begin[0];
  size_t i = 0;
  for (; i < shortest; ++i) {
    for (size_t b = 0; b < kBlocks; ++b) {
      V::Prefetch(next + (i * kBlocks + b) * w);
      AddOrdinaryReward<V>(rewards[b].At(i), &s[b]);
    }
  }
  for (; i < longest; ++i) {
    for (size_t b = 0; b < kBlocks; ++b) {
      V::Prefetch(next + (i * kBlocks + b) * w);
      const M valid = has(s[b].count, i);
      const F x = rewards[b].At(i);
      s[b].sum = V::Select(valid, V::Add(s[b].sum, x), s[b].sum);
      s[b].smallest = V::Select(valid, V::Min(s[b].smallest, x), s[b].smallest);
      s[b].largest = V::Select(valid, V::Max(s[b].largest, x), s[b].largest);
    }
  }
  M ordinary = OrdinaryRewards<V>(s[0]);
  for (size_t b = 1; b < kBlocks; ++b) ordinary = V::And(ordinary, OrdinaryRewards<V>(s[b]));
  if (!All<V>(ordinary)) return false;
  for (size_t b = 0; b < kBlocks; ++b) s[b].mean = V::Div(s[b].sum, V::Max(s[b].count, V::Set(1.0F)));
  for (i = 0; i < shortest; ++i) {
    for (size_t b = 0; b < kBlocks; ++b) {
      V::Prefetch(results + (i * kBlocks + b) * w);
      AddOrdinaryDeviation<V>(rewards[b].At(i), &s[b]);
    }
  }
  for (; i < longest; ++i) {
    for (size_t b = 0; b < kBlocks; ++b) {
      V::Prefetch(results + (i * kBlocks + b) * w);
      AddOrdinaryDeviation<V>(V::Select(has(s[b].count, i), rewards[b].At(i), s[b].mean), &s[b]);
    }
  }
  StoredCoefficients<V> c[kBlocks];
  for (size_t b = 0; b < kBlocks; ++b) {
    const GroupCoefficients<V> of = Coefficients<V>(op, s[b]);
    ordinary = V::And(ordinary, OrdinaryScale<V>(of));
    c[b].Set(of);
  }
  if (!All<V>(ordinary)) return false;
  for (size_t b = 0; b < kBlocks; ++b) {
    const size_t end = groups[b].begin[w - 1] + groups[b].length[w - 1];
    ApplyOrdinaryGroups<V>(op, groups[b], end, c[b]);
    StoreFlags<w, 1>(c[b].flat, op.zero_variance + first + b * w);
  }
  return true;
}

// How many squares of `size` vectors go through their sums together: one alone waits for its own additions, one after
// the other.
constexpr size_t SquaresOf(size_t size) { return size == 4 ? 2 : size == 8 ? 1 : 4; }

// Squares of kSize vectors, kSize a divisor of kWidth, from group `first` on. False, and nothing done, where the
// rewards are not ordinary.
template <class V, size_t kSize>
CT_INLINE bool SquareGroups(const GroupAdvantages& op, size_t first) {
  using F = typename V::F;
  constexpr size_t w = V::kWidth;
  constexpr size_t kSquares = SquaresOf(kSize);
  const float* rewards = op.rewards + first * kSize;
  float* advantages = op.advantages + first * kSize;
  F x[kSquares][kSize];
  GroupStatistics<V> s[kSquares];
  for (size_t q = 0; q < kSquares; ++q) {
    for (size_t i = 0; i < kSize; ++i) x[q][i] = V::Load(rewards + (q * kSize + i) * w);
    simd::Transpose<V>::template RunInside<kSize>(x[q]);
    s[q] = EmptyGroup<V>();
    s[q].count = V::Set(static_cast<float>(kSize));
  }
  for (size_t i = 0; i < kSize; ++i) {
    for (size_t q = 0; q < kSquares; ++q) {
      V::Prefetch(rewards + (i * kSquares + q) * w + kAhead);
      AddOrdinaryReward<V>(x[q][i], &s[q]);
    }
  }
  for (size_t q = 0; q < kSquares; ++q) s[q].mean = V::Div(s[q].sum, s[q].count);
  for (size_t i = 0; i < kSize; ++i) {
    for (size_t q = 0; q < kSquares; ++q) {
      V::Prefetch(advantages + (i * kSquares + q) * w);
      x[q][i] = AddOrdinaryDeviation<V>(x[q][i], &s[q]);
    }
  }
  GroupCoefficients<V> c[kSquares];
  typename V::M ordinary[kSquares];
  for (size_t q = 0; q < kSquares; ++q) {
    c[q] = Coefficients<V>(op, s[q]);
    ordinary[q] = V::And(OrdinaryRewards<V>(s[q]), OrdinaryScale<V>(c[q]));
    if (q != 0) ordinary[0] = V::And(ordinary[0], ordinary[q]);
  }
  if (!All<V>(ordinary[0])) return false;
  for (size_t q = 0; q < kSquares; ++q) {
    const typename V::M some = V::LessEqual(V::Set(0.0F), c[q].scale);
    for (size_t i = 0; i < kSize; ++i) x[q][i] = OrdinaryAdvantage<V>(x[q][i], c[q].shift, c[q].scale, some);
    simd::Transpose<V>::template RunInside<kSize>(x[q]);
    for (size_t i = 0; i < kSize; ++i) V::Store(advantages + (q * kSize + i) * w, x[q][i]);
    StoreFlags<kSize, w / kSize>(V::ToBits(c[q].flat), op.zero_variance + first + q * w);
  }
  return true;
}

// As many groups as possible, from `first` on, of a size that has registers of its own. Where it stopped.
template <class V, size_t kSize>
CT_INLINE size_t SquareGroupRange(const GroupAdvantages& given, size_t first, size_t end) {
  constexpr size_t kGroups = SquaresOf(kSize) * V::kWidth;
  GroupAdvantages op = given;
  op.raw_singletons = false;  // There are none.
  if (op.estimator == GroupEstimator::kGrpo) {
    op.estimator = GroupEstimator::kGrpo;  // A constant: what follows has no branches.
    while (end - first >= kGroups && SquareGroups<V, kSize>(op, first)) first += kGroups;
  } else {
    while (end - first >= kGroups && SquareGroups<V, kSize>(op, first)) first += kGroups;
  }
  return first;
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_ADVANTAGE_ORDINARY_GROUPS_H_
