#ifndef CROSSTHINK_KERNELS_SAMPLING_CANDIDATES_H_
#define CROSSTHINK_KERNELS_SAMPLING_CANDIDATES_H_

#include <cstddef>
#include <cstdint>

#include "kernels/elements.h"
#include "kernels/sampling/decisions.h"
#include "kernels/sampling/sampling.h"
#include "kernels/tile_sum.h"
#include "spec/annotate.h"
#include "spec/bits.h"
#include "spec/exponential.h"
#include "spec/mass.h"
#include "spec/order.h"

// Finding the few tokens that can be kept without sorting the row: block maxima give a bound, only blocks that reach it
// are read again, and the exact cut is made on integer keys and masses. How the search goes does not show in the
// result.
namespace crossthink {
namespace {

// Lane-wise maxima of each block of 512 elements: kWidth values a block. Returns the number of values.
template <class V, class E>
CT_INLINE size_t BlockMaxima(const typename E::T* x, size_t n, float* maxima) {
  constexpr size_t w = V::kWidth;
  size_t count = 0;
  for (size_t begin = 0; begin < n; begin += kMaximaBlock, count += w) {
    const size_t end = begin + kMaximaBlock < n ? begin + kMaximaBlock : n;
    typename V::F m[4];
    for (auto& lane : m) lane = V::Set(-spec::Infinity());
    size_t j = begin;
    for (; j + 4 * w <= end; j += 4 * w) {
      for (size_t k = 0; k < 4; ++k) m[k] = V::Max(m[k], E::Load(x + j + k * w));
    }
    for (; j + w <= end; j += w) m[0] = V::Max(m[0], E::Load(x + j));
    if (j < end) m[0] = V::Max(m[0], LoadTail<V, E>(x + j, end - j));
    V::Store(maxima + count, V::Max(V::Max(m[0], m[1]), V::Max(m[2], m[3])));
  }
  return count;
}

template <class V>
CT_INLINE size_t CountAtLeast(const float* x, size_t n, float bound) {
  size_t count = 0;
  for (size_t i = 0; i < n; i += V::kWidth) count += V::Count(V::LessEqual(V::Set(bound), V::Load(x + i)));
  return count;
}

// A value that at least k of the maxima reach, hence at least k elements of the row; -FLT_MAX where too few are finite.
// Any such value would do: bisection stops when it keeps not many more than k. Where the maxima are many, those of four
// blocks are joined first (in `joined`): that finds as good a value in a quarter of the time.
template <class V>
CT_INLINE float BoundForCount(const float* maxima, size_t n, size_t k, float* joined) {
  constexpr size_t w = V::kWidth;
  if (n / 4 >= 4 * k + 4 * w) {
    size_t count = 0;
    for (size_t i = 0; i + 4 * w <= n; i += 4 * w, count += w) {
      const typename V::F low = V::Max(V::Load(maxima + i), V::Load(maxima + i + w));
      const typename V::F high = V::Max(V::Load(maxima + i + 2 * w), V::Load(maxima + i + 3 * w));
      V::Store(joined + count, V::Max(low, high));
    }
    maxima = joined;
    n = count;
  }
  if (CountAtLeast<V>(maxima, n, kLowestLogit) < k) return kLowestLogit;
  uint32_t low = spec::OrderedBits(kLowestLogit);
  uint32_t high = spec::OrderedBits(MaxOf<V, Float32Elements<V>>(maxima, n)) + 1;
  while (high - low > 1) {
    const uint32_t middle = low + (high - low) / 2;
    const size_t count = CountAtLeast<V>(maxima, n, spec::FromOrderedBits(middle));
    if (count < k) {
      high = middle;
    } else {
      low = middle;
      if (count <= k + k / 4 + 2) break;
    }
  }
  return spec::FromOrderedBits(low);
}

// Elements >= bound in ascending order of token id.
template <class V, class E>
CT_INLINE void Collect(const typename E::T* x, size_t n, const float* maxima, float bound, TokenSet* set) {
  constexpr size_t w = V::kWidth;
  const typename V::F least = V::Set(bound);
  size_t count = 0;
  for (size_t begin = 0; begin < n; begin += kMaximaBlock, maxima += w) {
    if (!V::Any(V::LessEqual(least, V::Load(maxima)))) continue;
    const size_t end = begin + kMaximaBlock < n ? begin + kMaximaBlock : n;
    for (size_t j = begin; j < end; j += w) {
      const typename V::F v = end - j >= w ? E::Load(x + j) : LoadTail<V, E>(x + j, end - j);
      const typename V::M reached = V::LessEqual(least, v);
      if (!V::Any(reached)) continue;
      V::CompressIndex(set->ids + count, reached, static_cast<uint32_t>(j));
      count += V::Compress(set->values + count, reached, v);
    }
  }
  set->size = count;
}

// Probabilities of the set relative to the row's largest. The tail of the last vector is scratch.
template <class V>
CT_INLINE void Weigh(TokenSet* set, float c, float reference) {
  for (size_t i = 0; i < set->size; i += V::kWidth) {
    const typename V::F t = V::Fma(V::Load(set->values + i), V::Set(c), V::Set(-reference));
    V::Store(set->probabilities + i, spec::Exp2Below128<V>(t));
  }
}

CT_INLINE void FillCandidates(const TokenSet& set, Candidate* candidates) {
  for (size_t i = 0; i < set.size; ++i) {
    candidates[i] = {spec::OrderKey(set.values[i], set.ids[i]), spec::Mass(set.probabilities[i])};
  }
}

constexpr size_t kMassFlush = 4096;  // So few masses of up to 2^40 stay exact in a float64 lane.

// Masses of the elements of a row, as Mass() of their probabilities.
template <class V>
CT_INLINE typename V::F MassesOf(typename V::F x, float c, float reference) {
  const typename V::F p = spec::Exp2Below128<V>(V::Fma(x, V::Set(c), V::Set(-reference)));
  return V::Truncate(V::Mul(p, V::Set(spec::kMassScale)));
}

// Sum of the masses at [0, n) whose value is at least `least`.
template <class V>
CT_INLINE uint64_t MassFrom(const float* values, const float* probabilities, size_t n, float least) {
  constexpr size_t w = V::kWidth;
  const typename V::F zero = V::Set(0.0F);
  uint64_t total = 0;
  for (size_t begin = 0; begin < n; begin += kMassFlush) {
    const size_t end = begin + kMassFlush < n ? begin + kMassFlush : n;
    typename V::D sum = V::ZeroDouble();
    for (size_t i = begin; i < end; i += w) {
      typename V::M counts = V::LessEqual(V::Set(least), V::Load(values + i));
      if (end - i < w) counts = V::And(counts, V::FromMaskBits((1U << (end - i)) - 1U));
      const typename V::F mass = V::Truncate(V::Mul(V::Load(probabilities + i), V::Set(spec::kMassScale)));
      sum = V::AddToDouble(sum, V::Select(counts, mass, zero));
    }
    total += static_cast<uint64_t>(V::SumDouble(sum));
  }
  return total;
}

template <class V>
CT_INLINE uint64_t MassFrom(const TokenSet& set, float least) {
  return MassFrom<V>(set.values, set.probabilities, set.size, least);
}

template <class V>
CT_INLINE uint64_t TotalMass(const TokenSet& set) {
  return MassFrom<V>(set, -spec::Infinity());
}

// Moves the tokens of `from` with low <= value < high to `to`, which may be `from`.
template <class V>
CT_INLINE void Between(const TokenSet& from, float low, float high, TokenSet* to) {
  constexpr size_t w = V::kWidth;
  size_t count = 0;
  for (size_t i = 0; i < from.size; i += w) {
    const typename V::F v = V::Load(from.values + i);
    typename V::M inside = V::And(V::LessEqual(V::Set(low), v), V::Less(v, V::Set(high)));
    if (from.size - i < w) inside = V::And(inside, V::FromMaskBits((1U << (from.size - i)) - 1U));
    if (!V::Any(inside)) continue;
    V::CompressInts(to->ids + count, inside, from.ids + i);
    V::Compress(to->probabilities + count, inside, V::Load(from.probabilities + i));
    count += V::Compress(to->values + count, inside, v);
  }
  to->size = count;
}

// Keeps the tokens whose key is at least `last`.
template <class V>
CT_INLINE void KeepFrom(uint64_t last, TokenSet* set) {
  // The key's token breaks ties of its value: up to it such values stay, behind it they go. Ids ascend.
  const float value = spec::KeyValue(last);
  const uint32_t token = spec::KeyToken(last);
  size_t count = 0;
  for (size_t i = 0; i < set->size; i += V::kWidth) {
    const typename V::F v = V::Load(set->values + i);
    const size_t left = set->size - i < V::kWidth ? set->size - i : V::kWidth;
    typename V::M kept = V::Less(V::Set(value), v);
    if (set->ids[i] <= token) {
      uint32_t up_to = 0;
      for (size_t k = 0; k < left; ++k) up_to |= set->ids[i + k] <= token ? 1U << k : 0U;
      kept = V::Or(kept, V::And(V::Equal(V::Set(value), v), V::FromMaskBits(up_to)));
    }
    kept = V::And(kept, V::FromMaskBits((uint32_t{1} << left) - 1U));
    if (!V::Any(kept)) continue;
    const typename V::F p = V::Load(set->probabilities + i);
    V::CompressInts(set->ids + count, kept, set->ids + i);
    V::Compress(set->probabilities + count, kept, p);
    count += V::Compress(set->values + count, kept, v);
  }
  set->size = count;
}

enum class CutBy { kCount, kMass };

template <CutBy kBy>
CT_INLINE uint64_t WeightOf(const Candidate& c) {
  return kBy == CutBy::kCount ? 1 : c.mass;
}

// The cut of the first n candidates: in descending order of keys, one is kept while the weight in front of it is below
// `limit`. Returns how many are kept; they are moved to the front. Quickselect, deterministic pivots.
template <CutBy kBy>
CT_INLINE size_t Cut(Candidate* c, size_t n, uint64_t limit) {
  size_t low = 0;
  size_t high = n;
  uint64_t before = 0;
  while (high - low > 24) {
    const uint64_t a = c[low].key;
    const uint64_t b = c[low + (high - low) / 2].key;
    const uint64_t d = c[high - 1].key;
    const uint64_t pivot = a > b ? (b > d ? b : (a > d ? d : a)) : (a > d ? a : (b > d ? d : b));
    uint64_t weight = 0;
    size_t middle = low;
    size_t at = low;
    for (size_t i = low; i < high; ++i) {
      const Candidate candidate = c[i];
      if (candidate.key < pivot) continue;
      c[i] = c[middle];
      c[middle] = candidate;
      if (candidate.key == pivot) {
        at = middle;
      } else {
        weight += WeightOf<kBy>(candidate);
      }
      ++middle;
    }
    // [low, middle) is >= pivot; the pivot goes last of them.
    const Candidate last = c[at];
    c[at] = c[middle - 1];
    c[middle - 1] = last;
    if (before + weight >= limit) {
      high = middle - 1;
    } else {
      before += weight + WeightOf<kBy>(last);
      low = middle;
      if (before >= limit) return low;
    }
  }
  for (size_t i = low + 1; i < high; ++i) {
    const Candidate candidate = c[i];
    size_t j = i;
    for (; j > low && c[j - 1].key < candidate.key; --j) c[j] = c[j - 1];
    c[j] = candidate;
  }
  for (; low < high && before < limit; ++low) before += WeightOf<kBy>(c[low]);
  return low;
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_SAMPLING_CANDIDATES_H_
