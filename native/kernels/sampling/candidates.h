#ifndef CROSSTHINK_KERNELS_SAMPLING_CANDIDATES_H_
#define CROSSTHINK_KERNELS_SAMPLING_CANDIDATES_H_

#include <cstddef>
#include <cstdint>

#include "kernels/elements.h"
#include "kernels/sampling/sampling.h"
#include "spec/annotate.h"
#include "spec/bits.h"
#include "spec/mass.h"
#include "spec/order.h"

// Finding the few tokens that can be kept without sorting the row: block maxima give a bound, only blocks that reach it
// are read again, and the exact cut is made on integer keys and masses. How the search goes does not show in the
// result.
namespace crossthink {
namespace {

constexpr float kLowestLogit = -0x1.fffffep127F;  // Every logit but -inf reaches it.

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
// Any such value would do: bisection stops when it keeps not many more than k.
template <class V>
CT_INLINE float BoundForCount(const float* maxima, size_t n, size_t k) {
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
CT_INLINE size_t Collect(const typename E::T* x, size_t n, const float* maxima, float bound, SamplingScratch* s) {
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
      V::CompressIndex(s->ids + count, reached, static_cast<uint32_t>(j));
      count += V::Compress(s->values + count, reached, v);
    }
  }
  return count;
}

// Fills probabilities and candidates of the first n values; the tail of the last vector is scratch.
template <class V>
CT_INLINE void Weigh(size_t n, float c, float reference, SamplingScratch* s) {
  for (size_t i = 0; i < n; i += V::kWidth) {
    const typename V::F t = V::Fma(V::Load(s->values + i), V::Set(c), V::Set(-reference));
    V::Store(s->probabilities + i, spec::Exp2Below128<V>(t));
  }
  for (size_t i = 0; i < n; ++i) {
    s->candidates[i] = {spec::OrderKey(s->values[i], s->ids[i]), spec::Mass(s->probabilities[i])};
  }
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
