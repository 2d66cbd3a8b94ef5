#ifndef CROSSTHINK_KERNELS_SAMPLING_DRAW_CPU_H_
#define CROSSTHINK_KERNELS_SAMPLING_DRAW_CPU_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/elements.h"
#include "kernels/sampling/candidates.h"
#include "kernels/sampling/decisions.h"
#include "kernels/sampling/sampling.h"
#include "kernels/tile_sum.h"
#include "spec/exponential.h"
#include "spec/logarithm.h"
#include "spec/mass.h"
#include "spec/philox.h"
#include "spec/tile.h"

// The draw itself: from a whole row, from a set of kept tokens, by inverse CDF or by Gumbel-max.
namespace crossthink {
namespace {

// Picks the element of one tile whose integer masses, added up in order, first exceed `fraction` of their total.
template <class V, class E>
size_t DrawInTile(const typename E::T* x, size_t n, float c, float reference, double fraction) {
  constexpr size_t w = V::kWidth;
  alignas(64) float masses[spec::kTile];
  double sums[spec::kRowsPerTile] = {};
  double total = 0;
  for (size_t row = 0; row * spec::kLanes < n; ++row) {
    typename V::D sum = V::ZeroDouble();
    const size_t begin = row * spec::kLanes;
    const size_t end = begin + spec::kLanes < n ? begin + spec::kLanes : n;
    for (size_t j = begin; j < end; j += w) {
      const typename V::F v = end - j >= w ? E::Load(x + j) : LoadTail<V, E>(x + j, end - j);
      const typename V::F mass = TileMass<V>(v, c, reference);
      V::Store(masses + j, mass);
      sum = V::AddToDouble(sum, mass);
    }
    sums[row] = V::SumDouble(sum);
    total += sums[row];
  }
  // Integer-valued and below 2^53: exact, so any order of addition gives the same.
  const double target = TileTarget(fraction, total);
  size_t row = 0;
  double before = 0;
  while (before + sums[row] <= target) before += sums[row++];
  size_t j = row * spec::kLanes;
  while (before + static_cast<double>(masses[j]) <= target) before += static_cast<double>(masses[j++]);
  return j;
}

// An inverse-CDF draw over the whole row in two levels: the tile by the float64 prefix sums of the tile masses, the
// element by integer masses. Returns the token.
template <class V, class E>
size_t DrawFromRow(const typename E::T* x, size_t n, float c, const spec::TilePartial* tiles, const spec::RowState& row,
                   uint64_t bits) {
  const TileChoice choice = ChooseTile(tiles, spec::TileCount(n), row, spec::UnitDouble(bits) * row.sum);
  const size_t begin = choice.tile * spec::kTile;
  const size_t length = n - begin < spec::kTile ? n - begin : spec::kTile;
  return begin + DrawInTile<V, E>(x + begin, length, c, tiles[choice.tile].reference, choice.fraction);
}

// An inverse-CDF draw over a set in ascending order of id: integer masses, `total` of them. Returns the index in the
// set.
template <class V>
size_t DrawFromSet(const TokenSet& set, uint64_t total, uint64_t bits) {
  uint64_t target = spec::DrawBelow(bits, total);
  size_t i = 0;
  for (; i + kMaximaBlock < set.size; i += kMaximaBlock) {
    const uint64_t mass = MassFrom<V>(set.values + i, set.probabilities + i, kMaximaBlock, -spec::Infinity());
    if (target < mass) break;
    target -= mass;
  }
  size_t chosen = i;
  for (; i < set.size; ++i) {
    const uint64_t mass = spec::Mass(set.probabilities[i]);
    if (mass == 0) continue;
    chosen = i;
    if (target < mass) break;
    target -= mass;
  }
  return chosen;
}

// The same over a set and, in front of it, all tokens of the row of at least `front`, whose mass in each block is in
// `head`. Returns the token.
template <class V, class E>
size_t DrawFromHead(const typename E::T* x, size_t n, float c, float reference, float front, const double* head,
                    const TokenSet& set, uint64_t total, uint64_t bits) {
  constexpr size_t w = V::kWidth;
  uint64_t target = spec::DrawBelow(bits, total);
  size_t i = 0;
  for (size_t begin = 0;; begin += kMaximaBlock, ++head) {
    const size_t end = begin + kMaximaBlock < n ? begin + kMaximaBlock : n;
    size_t next = i;
    while (next < set.size && set.ids[next] < end) ++next;
    const uint64_t mass =
        static_cast<uint64_t>(*head) + MassFrom<V>(set.values + i, set.probabilities + i, next - i, -spec::Infinity());
    if (target >= mass) {
      target -= mass;
      i = next;
      continue;
    }
    alignas(64) float masses[kMaximaBlock];
    for (size_t j = begin; j < end; j += w) {
      const typename V::F v = end - j >= w ? E::Load(x + j) : LoadTail<V, E>(x + j, end - j);
      const typename V::M counts = V::LessEqual(V::Set(front), v);
      V::Store(masses + (j - begin), V::Select(counts, MassesOf<V>(v, c, reference), V::Set(0.0F)));
    }
    for (; i < next; ++i) masses[set.ids[i] - begin] = static_cast<float>(spec::Mass(set.probabilities[i]));
    size_t j = 0;
    for (; target >= static_cast<uint64_t>(masses[j]); ++j) target -= static_cast<uint64_t>(masses[j]);
    return begin + j;
  }
}

// Gumbel noise for `count` tokens.
template <class V>
CT_INLINE void GumbelNoise(const uint32_t* ids, size_t count, const spec::PhiloxWords& key, float* noise) {
  for (size_t i = 0; i < count; ++i) noise[i] = GumbelUniform(ids[i], key);
  for (size_t i = 0; i < count; i += V::kWidth) V::Store(noise + i, GumbelNoiseOf<V>(V::Load(noise + i)));
}

// Index of the largest t + noise, ties to the lower one, over n elements whose ids are `ids` or, null, 0 to n - 1.
template <class V, class E>
size_t GumbelMax(const typename E::T* x, const uint32_t* ids, size_t n, float c, float reference,
                 const spec::PhiloxWords& key) {
  constexpr size_t kBlock = 256;
  alignas(64) float noise[kBlock];
  uint32_t block_ids[kBlock];
  float best = -spec::Infinity();
  size_t chosen = 0;
  for (size_t begin = 0; begin < n; begin += kBlock) {
    const size_t count = n - begin < kBlock ? n - begin : kBlock;
    for (size_t i = 0; i < kBlock; ++i) {
      block_ids[i] = i >= count ? 0 : ids != nullptr ? ids[begin + i] : static_cast<uint32_t>(begin + i);
    }
    GumbelNoise<V>(block_ids, count, key, noise);
    for (size_t i = 0; i < count; ++i) {
      const float t = fmaf(E::Read(x + begin + i), c, -reference);
      const float score = t + noise[i];
      if (t > -spec::Infinity() && score > best) {
        best = score;
        chosen = begin + i;
      }
    }
  }
  return chosen;
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_SAMPLING_DRAW_CPU_H_
