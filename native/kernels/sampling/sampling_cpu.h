#ifndef CROSSTHINK_KERNELS_SAMPLING_SAMPLING_CPU_H_
#define CROSSTHINK_KERNELS_SAMPLING_SAMPLING_CPU_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/elements.h"
#include "kernels/logprob/logprob_cpu.h"
#include "kernels/sampling/candidates.h"
#include "kernels/sampling/sampling.h"
#include "kernels/tile_sum.h"
#include "spec/exponential.h"
#include "spec/logarithm.h"
#include "spec/mass.h"
#include "spec/philox.h"
#include "spec/tile.h"

namespace crossthink {
namespace {

struct Drawn {
  int32_t token;
  float logprob;
};

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
      const typename V::F p = spec::Exp2Below128<V>(V::Fma(v, V::Set(c), V::Set(-reference)));
      const typename V::F mass = V::Truncate(V::Mul(p, V::Set(spec::kTileMassScale)));
      V::Store(masses + j, mass);
      sum = V::AddToDouble(sum, mass);
    }
    sums[row] = V::SumDouble(sum);
    total += sums[row];
  }
  // Integer-valued and below 2^53: exact, so any order of addition gives the same.
  double target = floor(fraction * total);
  if (target > total - 1) target = total - 1;
  size_t row = 0;
  double before = 0;
  while (before + sums[row] <= target) before += sums[row++];
  size_t j = row * spec::kLanes;
  while (before + static_cast<double>(masses[j]) <= target) before += static_cast<double>(masses[j++]);
  return j;
}

// An inverse-CDF draw over the whole row in two levels: the tile by the float64 prefix sums of the tile masses, the
// element by integer masses.
template <class V, class E>
Drawn DrawFromRow(const typename E::T* x, size_t n, float c, const spec::TilePartial* tiles, const spec::RowState& row,
                  uint64_t bits) {
  const double target = spec::UnitDouble(bits) * row.sum;
  const size_t count = spec::TileCount(n);
  double before = 0;
  double mass = 0;
  size_t chosen = 0;
  spec::RowState prefix = {row.reference, 0, 0, 0};
  for (size_t i = 0; i < count; ++i) {
    const double at = prefix.sum;
    spec::Accumulate(&prefix, tiles[i].reference, tiles[i].sum, 0, 0);
    if (prefix.sum == at) continue;
    chosen = i;
    before = at;
    mass = prefix.sum - at;
    if (prefix.sum > target) break;
  }
  const size_t begin = chosen * spec::kTile;
  const size_t length = n - begin < spec::kTile ? n - begin : spec::kTile;
  const double fraction = (target - before) / mass;
  const size_t token = begin + DrawInTile<V, E>(x + begin, length, c, tiles[chosen].reference, fraction);
  const float t = Log2Offset(E::Read(x + token), c, row.reference);
  return {static_cast<int32_t>(token), LogprobOf(t, spec::Log2Double(row.sum))};
}

// The largest logit, ties to the lowest token id: a point mass.
template <class V, class E>
Drawn Greedy(const typename E::T* x, size_t n) {
  const float largest = MaxOf<V, E>(x, n);
  size_t token = 0;
  for (; token + V::kWidth <= n; token += V::kWidth) {
    if (V::Any(V::Equal(V::Set(largest), E::Load(x + token)))) break;
  }
  while (E::Read(x + token) != largest) ++token;
  return {static_cast<int32_t>(token), 0.0F};
}

struct Filters {
  size_t top_k;  // 0: off.
  float top_p;   // 1: off.
};

// A value below every token of the nucleus: tokens with less than (1 - p) S / V of mass add up to less than 1 - p.
CT_INLINE float BoundForMass(const spec::RowState& row, size_t n, float top_p, float c) {
  const double least = (1.0 - static_cast<double>(top_p)) * row.sum / static_cast<double>(n);
  if (!(least > 0)) return kLowestLogit;
  // Two hundredths of a log2 unit cover every rounding on the way.
  const double bound = (row.reference + spec::Log2Double(least) - 0.02) / static_cast<double>(c);
  return bound > -3e38 ? static_cast<float>(bound - 1e-6 * fabs(bound)) : kLowestLogit;
}

// What a top-p cut leaves in front of it: p of all mass, as an integer on the candidates' scale.
CT_INLINE uint64_t MassLimit(const spec::RowState& row, float reference, float top_p) {
  // The row is summed relative to row.reference, candidates to the row's maximum: a power of two apart.
  const double total = row.sum * spec::PowerOfTwo(static_cast<int>(row.reference - static_cast<double>(reference)));
  return static_cast<uint64_t>(static_cast<double>(top_p) * (total * static_cast<double>(spec::kMassScale)));
}

CT_INLINE uint64_t TotalMass(const Candidate* c, size_t n) {
  uint64_t total = 0;
  for (size_t i = 0; i < n; ++i) total += c[i].mass;
  return total;
}

// Collects the candidates and cuts them; the kept ones lead s->candidates. Returns how many are kept; *found of all.
template <class V, class E>
size_t Keep(const typename E::T* x, size_t n, float c, float reference, size_t maxima, const Filters& filters,
            const spec::RowState& row, SamplingScratch* s, size_t* found) {
  if (filters.top_k != 0) {
    *found = Collect<V, E>(x, n, s->maxima, BoundForCount<V>(s->maxima, maxima, filters.top_k), s);
    Weigh<V>(*found, c, reference, s);
    const size_t kept = Cut<CutBy::kCount>(s->candidates, *found, filters.top_k);
    if (!(filters.top_p < 1.0F)) return kept;
    const auto total = static_cast<double>(TotalMass(s->candidates, kept));
    return Cut<CutBy::kMass>(s->candidates, kept, static_cast<uint64_t>(static_cast<double>(filters.top_p) * total));
  }
  const uint64_t limit = MassLimit(row, reference, filters.top_p);
  const float bound = BoundForMass(row, n, filters.top_p, c);
  *found = Collect<V, E>(x, n, s->maxima, bound, s);
  Weigh<V>(*found, c, reference, s);
  // The bound leaves out less than 1 - p; truncation of masses could still make the rest fall short: then take all.
  if (bound > kLowestLogit && TotalMass(s->candidates, *found) < limit) {
    *found = Collect<V, E>(x, n, s->maxima, kLowestLogit, s);
    Weigh<V>(*found, c, reference, s);
  }
  return Cut<CutBy::kMass>(s->candidates, *found, limit);
}

template <class V, class E>
Drawn DrawFiltered(const typename E::T* x, size_t n, float c, const Filters& filters, const spec::RowState& row,
                   SamplingScratch* s, uint64_t bits) {
  const size_t maxima = BlockMaxima<V, E>(x, n, s->maxima);
  const float reference = ReferenceOf(MaxOf<V, Float32Elements<V>>(s->maxima, maxima), c);
  if (!spec::IsFinite(reference)) return {-1, spec::QuietNan()};  // Finite logits whose product with c overflows.
  size_t found = 0;
  size_t kept = Keep<V, E>(x, n, c, reference, maxima, filters, row, s, &found);
  if (kept == 0) kept = Cut<CutBy::kCount>(s->candidates, found, 1);
  const uint64_t total = TotalMass(s->candidates, kept);
  uint64_t last = s->candidates[0].key;
  for (size_t i = 1; i < kept; ++i) last = s->candidates[i].key < last ? s->candidates[i].key : last;
  // The draw goes through the kept tokens in ascending order of id.
  uint64_t target = spec::DrawBelow(bits, total);
  size_t chosen = 0;
  for (size_t i = 0; i < found; ++i) {
    if (spec::OrderKey(s->values[i], s->ids[i]) < last) continue;
    const uint64_t mass = spec::Mass(s->probabilities[i]);
    chosen = i;
    if (target < mass) break;
    target -= mass;
  }
  const float t = fmaf(s->values[chosen], c, -reference);
  const double log2_total = spec::Log2Double(static_cast<double>(total)) - 40.0;
  return {static_cast<int32_t>(s->ids[chosen]), LogprobOf(t, log2_total)};
}

template <class V, class E>
void SampleRows(const Sampling& op, size_t begin, size_t end, SamplingScratch* scratch) {
  const size_t n = op.logits.vocab;
  for (size_t i = begin; i < end; ++i) {
    const typename E::T* x = RowOf<E>(op.logits, i);
    const float temperature = op.temperature.At(i);
    const bool greedy = temperature == 0.0F;
    const float c = Log2Factor(greedy ? 1.0F : temperature);
    const float raw_c = Log2Factor(1.0F);
    const auto top_k = static_cast<size_t>(op.top_k.At(i));
    const Filters filters = {top_k < n ? top_k : 0, op.top_p.At(i)};
    const bool filtered = filters.top_k != 0 || filters.top_p < 1.0F;
    const bool needs_row = !greedy && filters.top_k == 0;
    const bool needs_raw = op.raw_logprob != nullptr || !needs_row;
    // One sweep for each scale that is needed, tile by tile so that the second finds its tile in the cache.
    const bool same = c == raw_c;
    for (size_t tile = 0; tile < spec::TileCount(n); ++tile) {
      const typename E::T* at = x + tile * spec::kTile;
      const size_t length = n - tile * spec::kTile < spec::kTile ? n - tile * spec::kTile : spec::kTile;
      if (needs_row) scratch->processed[tile] = SumTile<V, E, Weighted::kNo>(at, length, c);
      if (!needs_raw) continue;
      scratch->raw[tile] =
          needs_row && same ? scratch->processed[tile] : SumTile<V, E, Weighted::kNo>(at, length, raw_c);
    }
    const spec::TilePartial* tiles = needs_row ? scratch->processed : scratch->raw;
    const spec::RowState row = JoinTiles(tiles, spec::TileCount(n));
    const uint64_t bits = spec::FirstWord64(spec::Draw(op.seed, op.sequences[i], static_cast<uint32_t>(op.positions[i]),
                                                       op.sample, spec::Purpose::kSample));
    Drawn drawn = {-1, spec::QuietNan()};
    if (!HasDistribution(row)) {
      // Nothing to draw from.
    } else if (greedy) {
      drawn = Greedy<V, E>(x, n);
    } else if (filtered) {
      drawn = DrawFiltered<V, E>(x, n, c, filters, row, scratch, bits);
    } else {
      drawn = DrawFromRow<V, E>(x, n, c, tiles, row, bits);
    }
    op.status[i] = static_cast<uint8_t>(drawn.token >= 0 ? RowStatus::kOk : Diagnose<V, E>(x, n));
    op.tokens[i] = drawn.token;
    if (op.logprob != nullptr) op.logprob[i] = drawn.logprob;
    if (op.raw_logprob == nullptr) continue;
    op.raw_logprob[i] = spec::QuietNan();
    const spec::RowState raw = JoinTiles(scratch->raw, spec::TileCount(n));
    if (drawn.token < 0 || !HasDistribution(raw)) continue;
    const float t = Log2Offset(E::Read(x + drawn.token), raw_c, raw.reference);
    op.raw_logprob[i] = LogprobOf(t, spec::Log2Double(raw.sum));
  }
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_SAMPLING_SAMPLING_CPU_H_
