#ifndef CROSSTHINK_KERNELS_SAMPLING_DECISIONS_H_
#define CROSSTHINK_KERNELS_SAMPLING_DECISIONS_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/logprob/row.h"
#include "kernels/sampling/sampling.h"
#include "spec/annotate.h"
#include "spec/bits.h"
#include "spec/logarithm.h"
#include "spec/mass.h"
#include "spec/order.h"
#include "spec/philox.h"
#include "spec/tile.h"

// The arithmetic of a draw: what is cut where, and which tile is drawn from. docs/numerics.md, section 5.
namespace crossthink {
namespace {

constexpr float kLowestLogit = -0x1.fffffep127F;  // Every logit but -inf reaches it.

// Which tile an inverse-CDF draw over the whole row falls into, and where in it.
struct TileChoice {
  size_t tile;
  double fraction;
};

CT_HD CT_INLINE TileChoice ChooseTile(const spec::TilePartial* tiles, size_t count, const spec::RowState& row,
                                      double target) {
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
  return {chosen, (target - before) / mass};
}

// The integer mass of one element inside its tile.
template <class V>
CT_HD CT_INLINE typename V::F TileMass(typename V::F x, float c, float reference) {
  const typename V::F p = spec::Exp2Below128<V>(V::Fma(x, V::Set(c), V::Set(-reference)));
  return V::Truncate(V::Mul(p, V::Set(spec::kTileMassScale)));
}

// How far into a tile of that total a fraction reaches; both integer-valued and below 2^53.
CT_HD CT_INLINE double TileTarget(double fraction, double total) {
  const double target = floor(fraction * total);
  return target > total - 1 ? total - 1 : target;
}

// A value below every token of the nucleus: tokens with less than (1 - p) S / V of mass add up to less than 1 - p.
CT_HD CT_INLINE float NucleusBound(const spec::RowState& row, size_t n, float top_p, float c) {
  const double least = (1.0 - static_cast<double>(top_p)) * row.sum / static_cast<double>(n);
  if (!(least > 0)) return kLowestLogit;
  // Two hundredths of a log2 unit cover every rounding on the way.
  const double bound = (row.reference + spec::Log2Double(least) - 0.02) / static_cast<double>(c);
  return bound > -3e38 ? static_cast<float>(bound - 1e-6 * fabs(bound)) : kLowestLogit;
}

// The mass of a whole row on the candidates' scale: rows are summed relative to row.reference, candidates to the row's
// maximum, a power of two apart.
CT_HD CT_INLINE double RowMass(const spec::RowState& row, float reference) {
  const double scale = spec::PowerOfTwo(static_cast<int>(row.reference - static_cast<double>(reference)));
  return row.sum * scale * static_cast<double>(spec::kMassScale);
}

// What a top-p cut leaves in front of it: p of that mass, as an integer. Inclusive: a token stays at <= p, not < p.
CT_HD CT_INLINE uint64_t NucleusLimit(double mass, float top_p, bool inclusive) {
  const auto limit = static_cast<uint64_t>(static_cast<double>(top_p) * mass);
  return inclusive || limit == 0 ? limit + 1 : limit;
}

// The last key that stays at a cut behind that token: of its value, all tokens or those up to its id.
CT_HD CT_INLINE uint64_t CutKey(uint64_t last, bool keep_ties) {
  return keep_ties ? spec::OrderKey(spec::KeyValue(last), 0xffffffffU) : last;
}

// A value below every token with at least min_p of the largest one's mass.
CT_HD CT_INLINE float MinPBound(float largest, float min_p, float c) {
  const double z = static_cast<double>(largest) * static_cast<double>(c);
  const double bound = (z + spec::Log2Double(static_cast<double>(min_p)) - 0.02) / static_cast<double>(c);
  return bound > -3e38 ? static_cast<float>(bound - 1e-6 * fabs(bound)) : kLowestLogit;
}

// Part of a row's mass that a set of that total kept.
CT_HD CT_INLINE float SupportShare(uint64_t total, double row_mass) {
  const auto share = static_cast<float>(static_cast<double>(total) / row_mass);
  return share < 1.0F ? share : 1.0F;
}

// -log2 of a candidate's probability; log2_total as in CandidateLogprob.
CT_HD CT_INLINE double Surprise(float x, float c, float reference, double log2_total) {
  return log2_total - static_cast<double>(fmaf(x, c, -reference));
}

// Typical-p's order: nearest to the entropy first.
CT_HD CT_INLINE uint64_t TypicalKey(double surprise, double entropy, uint32_t token) {
  return spec::OrderKey(-static_cast<float>(fabs(surprise - entropy)), token);
}

// A uniform number of a token's own in (0, 1), and Gumbel noise of it in log2 units, -log2(-ln u). The form -ln(1 - u)
// with a small u keeps the resolution of u where large noise, and with it the winner, comes from.
CT_HD CT_INLINE float GumbelUniform(uint32_t token, const spec::PhiloxWords& key) {
  const spec::PhiloxWords counter = {{token >> 2, 0, key.w[2], key.w[3]}};
  const uint32_t word = spec::Philox4x32(counter, key.w[0], key.w[1]).w[token & 3U];
  return static_cast<float>(word) * 0x1p-32F + 0x1p-33F;
}
template <class V>
CT_HD CT_INLINE typename V::F GumbelNoiseOf(typename V::F u) {
  const typename V::F exponential = V::Sub(V::Set(0.0F), spec::Log1p<V>(V::Sub(V::Set(0.0F), u)));
  return V::Sub(V::Set(0.0F), spec::Log2<V>(exponential));
}

// The integer mass of a token of a residual max(p - q, 0): at most 2^52 in all.
CT_HD CT_INLINE uint64_t ResidualMass(double p, double q) {
  const double excess = p - q;
  return excess > 0 ? static_cast<uint64_t>(excess * 0x1p52) : 0;
}

// Where the search of a draw ends among `size` tokens without any mass to tell them apart by.
CT_HD CT_INLINE size_t MasslessIndex(size_t size) { return (size - 1) / kMaximaBlock * kMaximaBlock; }

// Log-prob of an element among candidates of that total mass.
CT_HD CT_INLINE float CandidateLogprob(float x, float c, float reference, uint64_t total) {
  return LogprobOf(fmaf(x, c, -reference), spec::Log2Double(static_cast<double>(total)) - 40.0);
}

// Log-prob of an element of a row.
CT_HD CT_INLINE float RowLogprob(float x, float c, const spec::RowState& row) {
  return LogprobOf(Log2Offset(x, c, row.reference), spec::Log2Double(row.sum));
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_SAMPLING_DECISIONS_H_
