#ifndef CROSSTHINK_KERNELS_LOGPROB_LOGPROB_CPU_H_
#define CROSSTHINK_KERNELS_LOGPROB_LOGPROB_CPU_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/elements.h"
#include "kernels/logprob/logprob.h"
#include "kernels/logprob/row.h"
#include "kernels/logprob/top_cpu.h"
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
CT_INLINE void SumTiles(const typename E::T* x, size_t n, float c, size_t first, size_t last,
                        spec::TilePartial* tiles) {
  ForTiles<V, E>(
      x, n, first,
      last, [&](size_t i, const typename E::T* tile, size_t size, float head) __attribute__((always_inline)) {
        tiles[i] = SumTile<V, E, kWeighted>(tile, size, c, head);
      });
}

template <class V, class E, Weighted kWeighted>
CT_INLINE spec::RowState SumRow(const typename E::T* x, size_t n, float c, spec::TilePartial* scratch) {
  const size_t tiles = spec::TileCount(n);
  SumTiles<V, E, kWeighted>(x, n, c, 0, tiles, scratch);
  return JoinTiles(scratch, tiles);
}

// A float32 copy of the elements of a row that take part, capped where asked. `copy` has room for whole vectors.
template <class V, class E>
CT_INLINE void CopyElements(const typename E::T* x, const RowSpan& span, float softcap, float* copy) {
  if (span.columns != nullptr) {
    for (size_t j = 0; j < span.size; ++j) copy[j] = E::Read(x + span.columns[j]);
  }
  for (size_t j = 0; j < span.size; j += V::kWidth) {
    typename V::F v;
    if (span.columns != nullptr) {
      v = V::Load(copy + j);
    } else {
      v = span.size - j >= V::kWidth ? E::Load(x + j) : LoadTail<V, E>(x + j, span.size - j);
    }
    V::Store(copy + j, softcap > 0 ? CapLogits<V>(v, softcap) : v);
  }
}

template <class V, class E, Weighted kWeighted>
CT_INLINE void LogprobRow(const LogprobForward& op, size_t i, const RowSpan& span, const typename E::T* x,
                          LogprobScratch* scratch) {
  const float c = Log2Factor(op.temperature.At(i));
  const bool ignored = IsIgnored(op, i);
  spec::RowState row = spec::EmptyRow();
  if (!ignored && scratch->summed) {
    row = JoinTiles(scratch->tiles, spec::TileCount(span.size));
  } else if (!ignored) {
    row = SumRow<V, E, kWeighted>(x, span.size, c, scratch->tiles);
  }
  if (ignored) {
    WriteRow(op, i, IgnoredRow(), row);
  } else if (HasDistribution(row)) {
    const size_t target = ElementOf(op, span, op.tokens[i]);
    WriteRow(op, i, FinishRow(op, i, row, target, target != kNoElement ? E::Read(x + target) : 0.0F), row);
  } else {
    WriteRow(op, i, NoDistribution(Diagnose<V, E>(x, span.size)), row);
  }
  if (op.top_k == 0 && op.listed == 0) return;
  const LogprobOfElement<E> logprob(x, c, row);
  if (op.top_k != 0) WriteTop<V, E>(op, i, span, logprob, scratch->top);
  if (op.listed != 0) WriteListed(op, i, span, logprob);
}

template <class V, class E, Weighted kWeighted>
void LogprobRows(const LogprobForward& op, size_t begin, size_t end, LogprobScratch* scratch) {
  for (size_t i = begin; i < end; ++i) {
    const typename E::T* x = RowOf<E>(op.logits, i);
    const RowSpan span = SpanOf(op, i);
    if (IsIgnored(op, i) || (span.columns == nullptr && op.softcap <= 0)) {
      LogprobRow<V, E, kWeighted>(op, i, span, x, scratch);
    } else {
      CopyElements<V, E>(x, span, op.softcap, scratch->row);
      LogprobRow<V, Float32Elements<V>, kWeighted>(op, i, span, scratch->row, scratch);
    }
  }
}

template <class V, class E, Weighted kWeighted>
void LogprobSumTiles(const LogprobInput& op, size_t row, size_t first, size_t last, spec::TilePartial* tiles) {
  if (IsIgnored(op, row)) return;
  const float c = Log2Factor(op.temperature.At(row));
  SumTiles<V, E, kWeighted>(RowOf<E>(op.logits, row), op.logits.vocab, c, first, last, tiles);
}

// The gradient of n elements; x may be `out`.
template <class V, class E, class O, bool kEntropy, bool kCapped, bool kStream>
CT_INLINE void GradientRow(const typename E::T* x, size_t n, const GradientFactors& g, typename O::T* out) {
  constexpr size_t w = V::kWidth;
  const typename V::F zero = V::Set(0.0F);
  size_t j = 0;
  if constexpr (kStream) {
    for (; j < n && reinterpret_cast<uintptr_t>(out + j) % (w * sizeof(float)) != 0; ++j) {
      StoreTail<V, O>(out + j, 1, GradientOf<V, kEntropy, kCapped>(V::Set(E::Read(x + j)), g, zero));
    }
  }
  const auto store = [](typename O::T * to, typename V::F d) __attribute__((always_inline)) {
    if constexpr (kStream) {
      V::Stream(to, d);
    } else {
      O::StoreNumber(to, d);
    }
  };
  if constexpr (!kCapped) {
    using P = simd::Together<V>;
    for (; j + P::kVectors * w <= n; j += P::kVectors * w) {
      const auto load = [&](size_t k) __attribute__((always_inline)) {
        V::Prefetch(x + j + k * w + spec::kTile);
        return E::Load(x + j + k * w);
      };
      const typename P::F d = GradientOf<P, kEntropy>(P::Each(load), g, P::Set(0.0F));
#pragma GCC unroll 8
      for (size_t k = 0; k < P::kVectors; ++k) store(out + j + k * w, d.v[k]);
    }
  }
  for (; j + w <= n; j += w) {
    V::Prefetch(x + j + spec::kTile);
    store(out + j, GradientOf<V, kEntropy, kCapped>(E::Load(x + j), g, zero));
  }
  if (j < n) StoreTail<V, O>(out + j, n - j, GradientOf<V, kEntropy, kCapped>(LoadTail<V, E>(x + j, n - j), g, zero));
}

// The same with the target's one-hot term.
template <class V, class E, class O, bool kEntropy, bool kCapped, bool kStream>
CT_INLINE void GradientRow(const typename E::T* x, size_t n, const GradientFactors& g, size_t target,
                           typename O::T* out) {
  const float x_target = target != kNoElement ? E::Read(x + target) : 0.0F;  // Before it is overwritten in place.
  GradientRow<V, E, O, kEntropy, kCapped, kStream>(x, n, g, out);
  if (target == kNoElement) return;
  StoreTail<V, O>(out + target, 1, GradientOf<V, kEntropy, kCapped>(V::Set(x_target), g, V::Set(g.target)));
}

// The gradient of a row that is capped or gathered, by way of a copy of its elements.
template <class V, class E, class O, bool kEntropy>
void GradientOfCopy(const LogprobBackward& op, const typename E::T* x, const RowSpan& span, const GradientFactors& g,
                    size_t target, float* copy, typename O::T* out) {
  using F32 = Float32Elements<V>;
  CopyElements<V, E>(x, span, op.softcap, copy);
  if (span.columns == nullptr) return GradientRow<V, F32, O, kEntropy, true, false>(copy, span.size, g, target, out);
  if (op.softcap > 0) {
    GradientRow<V, F32, F32, kEntropy, true, false>(copy, span.size, g, target, copy);
  } else {
    GradientRow<V, F32, F32, kEntropy, false, false>(copy, span.size, g, target, copy);
  }
  for (size_t j = 0; j < op.logits.vocab; ++j) O::Write(out + j, 0.0F);
  for (size_t j = 0; j < span.size; ++j) O::Write(out + span.columns[j], copy[j]);
}

template <class V, class E, class O, bool kEntropy, bool kStream>
void LogprobGradientRows(const LogprobBackward& op, size_t begin, size_t end, LogprobScratch* scratch) {
  const size_t n = op.logits.vocab;
  for (size_t i = begin; i < end; ++i) {
    const typename E::T* x = RowOf<E>(op.logits, i);
    auto* out = static_cast<typename O::T*>(op.d_logits) + i * op.d_stride;
    GradientFactors g = {};
    const RowGradient kind = MakeGradientFactors<kEntropy>(op, i, &g);
    if (kind != RowGradient::kRegular) {
      const float fill = kind == RowGradient::kZero ? 0.0F : spec::QuietNan();
      for (size_t j = 0; j < n; ++j) O::Write(out + j, fill);
      continue;
    }
    const RowSpan span = SpanOf(op, i);
    const size_t target = ElementOf(op, span, op.tokens[i]);
    if (span.columns == nullptr && op.softcap <= 0) {
      GradientRow<V, E, O, kEntropy, false, kStream>(x, n, g, target, out);
    } else {
      GradientOfCopy<V, E, O, kEntropy>(op, x, span, g, target, scratch->row, out);
    }
  }
}

template <class V>
constexpr LogprobKernels MakeLogprobKernels() {
  using F32 = Float32Elements<V>;
  using B16 = Bfloat16Elements<V>;
  using F16 = Float16Elements<V>;
  constexpr auto kNo = Weighted::kNo;
  constexpr auto kYes = Weighted::kYes;
  constexpr auto kSquares = Weighted::kSquares;
  return {
      {{LogprobRows<V, F32, kNo>, LogprobRows<V, F32, kYes>, LogprobRows<V, F32, kSquares>},
       {LogprobRows<V, B16, kNo>, LogprobRows<V, B16, kYes>, LogprobRows<V, B16, kSquares>},
       {LogprobRows<V, F16, kNo>, LogprobRows<V, F16, kYes>, LogprobRows<V, F16, kSquares>}},
      {{LogprobSumTiles<V, F32, kNo>, LogprobSumTiles<V, F32, kYes>, LogprobSumTiles<V, F32, kSquares>},
       {LogprobSumTiles<V, B16, kNo>, LogprobSumTiles<V, B16, kYes>, LogprobSumTiles<V, B16, kSquares>},
       {LogprobSumTiles<V, F16, kNo>, LogprobSumTiles<V, F16, kYes>, LogprobSumTiles<V, F16, kSquares>}},
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
