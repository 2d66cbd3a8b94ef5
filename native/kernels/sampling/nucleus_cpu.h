#ifndef CROSSTHINK_KERNELS_SAMPLING_NUCLEUS_CPU_H_
#define CROSSTHINK_KERNELS_SAMPLING_NUCLEUS_CPU_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/elements.h"
#include "kernels/sampling/candidates.h"
#include "kernels/sampling/sampling.h"
#include "kernels/tile_sum.h"
#include "spec/bits.h"
#include "spec/mass.h"
#include "spec/order.h"

// Finding the cut of top-p. A sample tells between which two values it should lie; only tokens between them are listed,
// and the masses of those in front are added up where they stand. The sample decides how long that takes, never what
// is kept: masses are exact, and where the cut does not lie between the two values, it is looked for elsewhere.
namespace crossthink {
namespace {

constexpr size_t kSampleSize = 1024;

// Some tokens' values and probabilities: the sample.
struct SampledTokens {
  alignas(64) float values[kSampleSize];
  alignas(64) float probabilities[kSampleSize];
  size_t size;
};

// Tokens of at least `high` should be in front of the cut, those below `low` behind it.
struct CutBracket {
  float low;
  float high;
};

struct TailSums {
  float mass;
  float squares;  // Sum of p^2: what the mass may be off by as an estimate, squared.
};

// Sums over the sampled tokens below `value`.
template <class V>
CT_INLINE TailSums TailBelow(const SampledTokens& sample, float value) {
  const typename V::F zero = V::Set(0.0F);
  typename V::F mass = zero;
  typename V::F squares = zero;
  for (size_t i = 0; i < sample.size; i += V::kWidth) {
    const typename V::M below = V::Less(V::Load(sample.values + i), V::Set(value));
    const typename V::F p = V::Select(below, V::Load(sample.probabilities + i), zero);
    mass = V::Add(mass, p);
    squares = V::Fma(p, p, squares);
  }
  return {V::TreeSum(mass), V::TreeSum(squares)};
}

template <class V>
CT_INLINE float LargestBelow(const SampledTokens& sample, float value) {
  typename V::F largest = V::Set(-spec::Infinity());
  for (size_t i = 0; i < sample.size; i += V::kWidth) {
    const typename V::F v = V::Load(sample.values + i);
    largest = V::Max(largest, V::Select(V::Less(v, V::Set(value)), v, largest));
  }
  return V::MaxLane(largest);
}

// About the largest value below which the sampled mass is at most `mass`; above all of the sample where all of it is.
template <class V>
CT_INLINE float ValueAtTail(const SampledTokens& sample, float mass) {
  uint32_t low = spec::OrderedBits(kLowestLogit);
  uint32_t high = spec::OrderedBits(LargestBelow<V>(sample, spec::Infinity())) + 1;
  if (TailBelow<V>(sample, spec::FromOrderedBits(high)).mass <= mass) return spec::FromOrderedBits(high);
  while (high - low > 1) {
    const uint32_t middle = low + (high - low) / 2;
    const float below = TailBelow<V>(sample, spec::FromOrderedBits(middle)).mass;
    (below <= mass ? low : high) = middle;
    if (below <= mass && below > 0.98F * mass) break;
  }
  return spec::FromOrderedBits(low);
}

// Where the cut should lie that leaves `tail` of probability, in the sample's units, behind it among `size` tokens.
// Only the tail is estimated: its tokens are many and small, those in front of it may be few and missed.
template <class V>
CT_INLINE CutBracket BracketOf(const SampledTokens& sample, double tail, size_t size) {
  constexpr float kDeviations = 3.0F;
  const float largest = LargestBelow<V>(sample, spec::Infinity());
  const auto wanted = static_cast<float>(tail * static_cast<double>(sample.size) / static_cast<double>(size));
  const float middle = ValueAtTail<V>(sample, wanted);
  const float margin = kDeviations * sqrtf(TailBelow<V>(sample, middle).squares);
  // To the next sampled value on either side: what the row has between two of them is unknown.
  CutBracket bracket = {-spec::Infinity(), ValueAtTail<V>(sample, wanted + margin)};
  bracket.high = bracket.high > largest ? spec::Infinity() : spec::FromOrderedBits(spec::OrderedBits(bracket.high) + 1);
  if (wanted > margin) bracket.low = LargestBelow<V>(sample, ValueAtTail<V>(sample, wanted - margin));
  // Few in front of it: they may as well be listed.
  if (CountAtLeast<V>(sample.values, sample.size, bracket.low) * 32 < sample.size) bracket.high = spec::Infinity();
  return bracket;
}

template <class V, class E>
CT_INLINE void SampleRowTokens(const typename E::T* x, size_t n, float c, float reference, SampledTokens* sample) {
  constexpr size_t w = V::kWidth;
  sample->size = kSampleSize;
  for (size_t i = 0; i < kSampleSize; i += w) {
    const typename V::F v = E::Load(x + i * (n - w) / kSampleSize);
    V::Store(sample->values + i, v);
    V::Store(sample->probabilities + i, spec::Exp2Below128<V>(V::Fma(v, V::Set(c), V::Set(-reference))));
  }
}

// An eighth of a set, at most kSampleSize of it.
template <class V>
CT_INLINE void SampleSet(const TokenSet& set, SampledTokens* sample) {
  constexpr size_t w = V::kWidth;
  const size_t wanted = set.size / 8 < kSampleSize ? set.size / 8 : kSampleSize;
  sample->size = wanted / w * w;
  for (size_t i = 0; i < sample->size; i += w) {
    const size_t at = i * (set.size - w) / sample->size;
    V::Store(sample->values + i, V::Load(set.values + at));
    V::Store(sample->probabilities + i, V::Load(set.probabilities + at));
  }
}

// Lists the tokens of a row inside the bracket; returns the mass of those in front of it, that of each block of 512 in
// `head`.
template <class V, class E>
CT_INLINE uint64_t SplitRow(const typename E::T* x, size_t n, float c, float reference, const CutBracket& bracket,
                            TokenSet* set, double* head) {
  constexpr size_t w = V::kWidth;
  uint64_t total = 0;
  size_t count = 0;
  for (size_t begin = 0; begin < n; begin += kMaximaBlock) {
    const size_t end = begin + kMaximaBlock < n ? begin + kMaximaBlock : n;
    typename V::D sum = V::ZeroDouble();
    for (size_t j = begin; j < end; j += w) {
      const typename V::F v = end - j >= w ? E::Load(x + j) : LoadTail<V, E>(x + j, end - j);
      const typename V::M front = V::LessEqual(V::Set(bracket.high), v);
      sum = V::AddToDouble(sum, V::Select(front, MassesOf<V>(v, c, reference), V::Set(0.0F)));
      const typename V::M inside = V::And(V::LessEqual(V::Set(bracket.low), v), V::Not(front));
      // Most vectors have some: going on without asking costs less than the wrong guesses.
      V::CompressIndex(set->ids + count, inside, static_cast<uint32_t>(j));
      count += V::Compress(set->values + count, inside, v);
    }
    *head = V::SumDouble(sum);
    total += static_cast<uint64_t>(*head++);
  }
  set->size = count;
  return total;
}

// The key of the last of tokens that all have one value, at `limit` of their mass.
CT_INLINE uint64_t LastOfTies(const TokenSet& set, uint64_t limit) {
  const uint64_t mass = spec::Mass(set.probabilities[0]);
  const uint64_t kept = mass == 0 ? set.size : (limit + mass - 1) / mass;
  return spec::OrderKey(set.values[0], set.ids[(kept < set.size ? kept : set.size) - 1]);
}

CT_INLINE bool AllTied(const TokenSet& set) {
  for (size_t i = 0; i < set.size; ++i) {
    if (set.values[i] != set.values[0]) return false;
  }
  return true;
}

// The key of the last token that stays when, in descending order, one is kept while the mass in front of it is below
// `limit` (at least one). `total` is the mass of the set. Large sets are narrowed first.
template <class V>
uint64_t LastByMass(const TokenSet& set, uint64_t total, uint64_t limit, TokenSet* narrowed, Candidate* candidates) {
  constexpr size_t kSmall = 512;
  const TokenSet* rest = &set;
  for (int round = 0; round < 8 && rest->size > kSmall; ++round) {
    SampledTokens sample;
    SampleSet<V>(*rest, &sample);
    const double tail =
        limit < total ? static_cast<double>(total - limit) * static_cast<double>(1 / spec::kMassScale) : 0;
    CutBracket bracket = BracketOf<V>(sample, tail, rest->size);
    const uint64_t front = MassFrom<V>(*rest, bracket.high);
    const uint64_t reached = MassFrom<V>(*rest, bracket.low);
    if (front >= limit) {
      bracket = {bracket.high, spec::Infinity()};
      total = front;
    } else if (reached < limit) {
      bracket = {-spec::Infinity(), bracket.low};
      limit -= reached;
      total -= reached;
    } else {
      limit -= front;
      total = reached - front;
    }
    const size_t size = rest->size;
    Between<V>(*rest, bracket.low, bracket.high, narrowed);
    rest = narrowed;
    if (rest->size == size) break;
  }
  if (rest->size == 0) return 0;
  if (rest->size > kSmall && AllTied(*rest)) return LastOfTies(*rest, limit);
  FillCandidates(*rest, candidates);
  const size_t kept = Cut<CutBy::kMass>(candidates, rest->size, limit);
  uint64_t last = candidates[0].key;
  for (size_t i = 1; i < kept; ++i) last = candidates[i].key < last ? candidates[i].key : last;
  return last;
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_SAMPLING_NUCLEUS_CPU_H_
