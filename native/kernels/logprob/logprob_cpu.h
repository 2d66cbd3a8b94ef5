#ifndef CROSSTHINK_KERNELS_LOGPROB_LOGPROB_CPU_H_
#define CROSSTHINK_KERNELS_LOGPROB_LOGPROB_CPU_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/elements.h"
#include "kernels/logprob/logprob.h"
#include "kernels/logprob/row.h"
#include "kernels/tile_sum.h"
#include "spec/bits.h"
#include "spec/exponential.h"
#include "spec/logarithm.h"
#include "spec/tile.h"

namespace crossthink {
namespace {

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

template <class V, class E, Weighted kWeighted>
void LogprobRows(const LogprobForward& op, size_t begin, size_t end, spec::TilePartial* scratch) {
  for (size_t i = begin; i < end; ++i) {
    const typename E::T* x = RowOf<E>(op.logits, i);
    const float c = Log2Factor(op.temperature.At(i));
    const spec::RowState row = SumRow<V, E, kWeighted>(x, op.logits.vocab, c, scratch);
    const int32_t token = op.tokens[i];
    const bool in_range = token >= 0 && static_cast<size_t>(token) < op.logits.vocab;
    const RowResult result = HasDistribution(row) ? FinishRow(row, c, in_range, in_range ? E::Read(x + token) : 0.0F)
                                                  : NoDistribution(Diagnose<V, E>(x, op.logits.vocab));
    WriteRow(op, i, result, row, kWeighted == Weighted::kYes);
  }
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
    const int32_t token = op.tokens[i];
    const bool in_range = token >= 0 && static_cast<size_t>(token) < n;
    const float x_target = in_range ? E::Read(x + token) : 0.0F;
    GradientFactors g = {};
    const RowGradient kind = MakeGradientFactors<kEntropy>(op, i, in_range, x_target, &g);
    if (kind != RowGradient::kRegular) {
      const float fill = kind == RowGradient::kZero ? 0.0F : spec::QuietNan();
      for (size_t j = 0; j < n; ++j) O::Write(out + j, fill);
      continue;
    }
    const typename V::F target = GradientOf<V, kEntropy>(V::Set(x_target), g, V::Set(g.target));
    GradientRow<V, E, O, kEntropy, kStream>(x, n, g, out);
    StoreTail<V, O>(out + token, 1, target);
  }
}

template <class V>
constexpr LogprobKernels MakeLogprobKernels() {
  using F32 = Float32Elements<V>;
  using B16 = Bfloat16Elements<V>;
  using F16 = Float16Elements<V>;
  constexpr auto kNo = Weighted::kNo;
  constexpr auto kYes = Weighted::kYes;
  return {
      {{LogprobRows<V, F32, kNo>, LogprobRows<V, F32, kYes>},
       {LogprobRows<V, B16, kNo>, LogprobRows<V, B16, kYes>},
       {LogprobRows<V, F16, kNo>, LogprobRows<V, F16, kYes>}},
      {{{LogprobGradientRows<V, F32, F32, false, false>, LogprobGradientRows<V, F32, F32, true, false>},
        {LogprobGradientRows<V, F32, F32, false, false>, LogprobGradientRows<V, F32, F32, true, false>}},
       {{LogprobGradientRows<V, B16, F32, false, false>, LogprobGradientRows<V, B16, F32, true, false>},
        {LogprobGradientRows<V, B16, B16, false, false>, LogprobGradientRows<V, B16, B16, true, false>}},
       {{LogprobGradientRows<V, F16, F32, false, false>, LogprobGradientRows<V, F16, F32, true, false>},
        {LogprobGradientRows<V, F16, F16, false, false>, LogprobGradientRows<V, F16, F16, true, false>}}},
      {{LogprobGradientRows<V, F32, F32, false, true>, LogprobGradientRows<V, F32, F32, true, true>},
       {LogprobGradientRows<V, B16, F32, false, true>, LogprobGradientRows<V, B16, F32, true, true>},
       {LogprobGradientRows<V, F16, F32, false, true>, LogprobGradientRows<V, F16, F32, true, true>}},
  };
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_LOGPROB_LOGPROB_CPU_H_
