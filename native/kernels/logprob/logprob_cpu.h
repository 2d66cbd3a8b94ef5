#ifndef CROSSTHINK_KERNELS_LOGPROB_LOGPROB_CPU_H_
#define CROSSTHINK_KERNELS_LOGPROB_LOGPROB_CPU_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/elements.h"
#include "kernels/logprob/logprob.h"
#include "kernels/tile_sum.h"
#include "spec/bits.h"
#include "spec/exponential.h"
#include "spec/logarithm.h"
#include "spec/tile.h"

namespace crossthink {
namespace {

// log2(e) / T, the factor that takes a logit to log2 units.
CT_INLINE float Log2Factor(float temperature) {
  return static_cast<float>(1.4426950408889634 / static_cast<double>(temperature));
}

template <class E>
CT_INLINE const typename E::T* RowOf(const Logits& logits, size_t row) {
  return static_cast<const typename E::T*>(logits.data) + row * logits.stride;
}

// Why a row has no distribution.
template <class V, class E>
RowStatus Diagnose(const typename E::T* x, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    const float v = E::Read(x + i);
    if (v != v) return RowStatus::kNan;
  }
  return MaxOf<V, E>(x, n) > 0 ? RowStatus::kPositiveInfinity : RowStatus::kAllMasked;
}

template <class V, class E, Weighted kWeighted>
CT_INLINE spec::RowState SumRow(const typename E::T* x, size_t n, float c, spec::TilePartial* scratch) {
  const size_t tiles = spec::TileCount(n);
  for (size_t i = 0; i < tiles; ++i) {
    const size_t begin = i * spec::kTile;
    scratch[i] = SumTile<V, E, kWeighted>(x + begin, n - begin < spec::kTile ? n - begin : spec::kTile, c);
  }
  return JoinTiles(scratch, tiles);
}

CT_INLINE bool HasDistribution(const spec::RowState& row) {
  return row.sum > 0 && row.sum < static_cast<double>(spec::Infinity());
}

// t = z - M of one element by the same fused multiply-add as in the sums.
CT_INLINE float Log2Offset(float x, float c, double reference) { return fmaf(x, c, -static_cast<float>(reference)); }

// ln p from the offset of its logit and log2 of the sum; never -0.
CT_INLINE float LogprobOf(float t, double log2_sum) {
  return static_cast<float>(spec::kLn2 * (static_cast<double>(t) - log2_sum)) + 0.0F;
}

template <class V, class E, Weighted kWeighted>
void LogprobRows(const LogprobForward& op, size_t begin, size_t end, spec::TilePartial* scratch) {
  const double nan = static_cast<double>(spec::QuietNan());
  for (size_t i = begin; i < end; ++i) {
    const typename E::T* x = RowOf<E>(op.logits, i);
    const float c = Log2Factor(op.temperature.At(i));
    spec::RowState row = SumRow<V, E, kWeighted>(x, op.logits.vocab, c, scratch);
    RowStatus status = RowStatus::kOk;
    float logprob = spec::QuietNan();
    float entropy = spec::QuietNan();
    float logsumexp = spec::QuietNan();
    if (!HasDistribution(row)) {
      status = Diagnose<V, E>(x, op.logits.vocab);
      row = {nan, nan, nan, nan};
    } else {
      const double log2_sum = spec::Log2Double(row.sum);
      logsumexp = static_cast<float>(spec::kLn2 * (row.reference + log2_sum));
      entropy = static_cast<float>(spec::kLn2 * (log2_sum - row.weighted / row.sum));
      const int32_t token = op.tokens[i];
      if (token < 0 || static_cast<size_t>(token) >= op.logits.vocab) {
        status = RowStatus::kTargetOutOfRange;
      } else {
        const float t = Log2Offset(E::Read(x + token), c, row.reference);
        logprob = LogprobOf(t, log2_sum);
        if (t == -spec::Infinity()) status = RowStatus::kTargetMasked;
      }
    }
    if (op.logprob != nullptr) op.logprob[i] = logprob;
    if (op.entropy_out != nullptr) op.entropy_out[i] = entropy;
    if (op.logsumexp != nullptr) op.logsumexp[i] = logsumexp;
    if (op.state != nullptr) {
      op.state[i * kStateSize] = row.reference;
      op.state[i * kStateSize + 1] = row.sum;
      op.state[i * kStateSize + 2] = kWeighted == Weighted::kYes ? row.weighted : nan;
    }
    op.status[i] = static_cast<uint8_t>(status);
  }
}

// d_j = 2^t_j (alpha + beta t_j), and the target's one-hot term on top.
struct GradientFactors {
  float c;
  float minus_reference;
  float alpha;
  float beta;
  float target;  // d_logprob / T
};

constexpr float kFactorLimit = 1e36F;  // 127 times as much is finite.

template <class V, bool kEntropy>
CT_INLINE typename V::F GradientOf(typename V::F x, const GradientFactors& g, typename V::F extra) {
  const typename V::F t = V::Fma(x, V::Set(g.c), V::Set(g.minus_reference));
  typename V::F factor = V::Set(g.alpha);
  if constexpr (kEntropy) factor = V::Fma(V::Set(g.beta), V::Max(V::Set(-127.0F), t), factor);
  return V::Fma(spec::Exp2Below128<V>(t), factor, extra);  // The addend makes a masked column's -0 a +0.
}

template <class V, class E, class O, bool kEntropy, bool kStream>
CT_INLINE void GradientRow(const typename E::T* x, size_t n, const GradientFactors& g, typename O::T* out) {
  constexpr size_t w = V::kWidth;
  const typename V::F zero = V::Set(0.0F);
  size_t j = 0;
  if constexpr (kStream) {
    for (; j < n && reinterpret_cast<uintptr_t>(out + j) % (w * sizeof(float)) != 0; ++j) {
      StoreTail<V, O>(out + j, 1, GradientOf<V, kEntropy>(V::Set(E::Read(x + j)), g, zero));
    }
  }
  for (; j + w <= n; j += w) {
    V::Prefetch(x + j + spec::kTile);
    const typename V::F d = GradientOf<V, kEntropy>(E::Load(x + j), g, zero);
    if constexpr (kStream) {
      V::Stream(out + j, d);
    } else {
      O::StoreNumber(out + j, d);
    }
  }
  if (j < n) StoreTail<V, O>(out + j, n - j, GradientOf<V, kEntropy>(LoadTail<V, E>(x + j, n - j), g, zero));
}

template <class V, class E, class O, bool kEntropy, bool kStream>
void LogprobGradientRows(const LogprobBackward& op, size_t begin, size_t end) {
  const size_t n = op.logits.vocab;
  for (size_t i = begin; i < end; ++i) {
    const typename E::T* x = RowOf<E>(op.logits, i);
    auto* out = static_cast<typename O::T*>(op.d_logits) + i * op.d_stride;
    const double reference = op.state[i * kStateSize];
    const double sum = op.state[i * kStateSize + 1];
    const double temperature = static_cast<double>(op.temperature.At(i));
    const double d_logprob = static_cast<double>(op.d_logprob[i]);
    const double d_entropy = kEntropy ? static_cast<double>(op.d_entropy[i]) : 0.0;
    const int32_t token = op.tokens[i];
    const bool in_range = token >= 0 && static_cast<size_t>(token) < n;
    GradientFactors g = {};
    g.c = Log2Factor(op.temperature.At(i));
    g.minus_reference = -static_cast<float>(reference);
    const float x_target = in_range ? E::Read(x + token) : 0.0F;
    const bool valid = in_range && sum > 0 && Log2Offset(x_target, g.c, reference) > -spec::Infinity();
    if (!valid || (d_logprob == 0 && d_entropy == 0)) {
      for (size_t j = 0; j < n; ++j) O::Write(out + j, 0.0F);
      continue;
    }
    const double scale = 1.0 / (temperature * sum);
    double alpha = d_logprob;
    if constexpr (kEntropy) alpha -= d_entropy * (spec::kLn2 * (op.state[i * kStateSize + 2] / sum));
    g.alpha = static_cast<float>(-(scale * alpha));
    g.beta = static_cast<float>(-(scale * (d_entropy * spec::kLn2)));
    g.target = static_cast<float>(d_logprob / temperature);
    // Upstream gradients that are NaN or beyond all measure: the row is NaN as a whole, so that no element can be.
    if (!(fabsf(g.alpha) < kFactorLimit && fabsf(g.beta) < kFactorLimit)) {
      for (size_t j = 0; j < n; ++j) O::Write(out + j, spec::QuietNan());
      continue;
    }
    const typename V::F target = GradientOf<V, kEntropy>(V::Set(x_target), g, V::Set(g.target));
    GradientRow<V, E, O, kEntropy, kStream>(x, n, g, out);
    StoreTail<V, O>(out + token, 1, target);
  }
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_LOGPROB_LOGPROB_CPU_H_
