#ifndef CROSSTHINK_KERNELS_LINEAR_DECODE_H_
#define CROSSTHINK_KERNELS_LINEAR_DECODE_H_

#include <cstddef>
#include <cstdint>

#include "kernels/linear/chain.h"
#include "kernels/linear/linear.h"
#include "simd/transpose.h"
#include "spec/annotate.h"

// The product for the few rows of a decoding step, bound by the reading of the weights: squares of the weights are
// transposed in registers, so that lanes are vocabulary entries and every chain keeps its order.
namespace crossthink {
namespace {

template <class V>
CT_INLINE typename V::F LoadBias(const float* bias, size_t n) {
  return n >= V::kWidth ? V::Load(bias) : V::LoadPartial(bias, n, 0.0F);
}

// Bytes of the weights that a step of a vector of entries takes.
template <class C>
constexpr size_t kStepBytes = sizeof(typename C::T) * C::kPerCell* C::Vector::kWidth;

// Steps in front of the first aligned vector of every row, an even number; 0 where rows do not agree on it. Vectors
// that cross lines would read them twice, and rows a power of two apart put each other out of the first-level cache.
template <class C>
CT_INLINE size_t StepsToAlignment(const typename C::T* weight, size_t stride) {
  constexpr size_t w = C::Vector::kWidth;
  constexpr size_t kCell = C::kPerCell * sizeof(typename C::T);
  if (w == 1 || stride * sizeof(typename C::T) % (w * kCell) != 0) return 0;
  const size_t past = reinterpret_cast<uintptr_t>(weight) % (w * kCell);
  return past % (2 * kCell) == 0 ? (w - past / kCell) % w : 0;
}

// Adds one square of steps to the sums, `steps` <= kWidth of them, from row[i] + k on. hidden: [step][token]. Meanwhile
// fetches as many bytes at `ahead`, a line now and then (all at once they keep loads waiting), and at the start of a
// page the next page's first line, so that its address is known by then.
template <class C, size_t kTokens, bool kWhole>
CT_INLINE void DecodeSquare(const typename C::T* const* row, size_t k, size_t steps, size_t depth, const float* hidden,
                            const char* ahead, typename C::Vector::F* sum) {
  using V = typename C::Vector;
  constexpr size_t w = V::kWidth;
  constexpr size_t kLine = 64;
  constexpr size_t kPage = 4096;
  if (reinterpret_cast<uintptr_t>(ahead) % kPage < w * kStepBytes<C>) V::Prefetch(ahead + kPage);
  typename V::F square[w];
  const size_t cell = w == 1 ? C::StepOf(k) : k;
#pragma GCC unroll 16
  for (size_t i = 0; i < w; ++i) {
    square[i] = kWhole ? C::Load(row[i] + cell * C::kPerCell) : LoadCells<C>(row[i], cell, depth);
  }
  simd::Transpose<V>::Run(square);
#pragma GCC unroll 16
  for (size_t i = 0; i < w; ++i) {
    if (!kWhole && i >= steps) break;
    if (w > 1 && i * kStepBytes<C> % kLine == 0) {
      V::Prefetch(ahead + i * kStepBytes<C>);
      asm volatile("" ::: "memory");  // Keeps the compiler from gathering them.
    }
#pragma GCC unroll 8
    for (size_t t = 0; t < kTokens; ++t) {
      sum[t] = C::Step(square[w == 1 ? 0 : C::StepOf(i)], V::Set(hidden[i * kTokens + t]), sum[t]);
    }
  }
}

// One vector of vocabulary entries; rows of the weights past `entries` are read as the last one. The rows of the next
// vector are fetched meanwhile into the second-level cache, one after the other as they lie in memory: a single stream,
// which the processor prefetches well, as it does not the interleaved rows of the squares.
template <class C, size_t kTokens>
CT_INLINE void DecodeVector(const LinearProduct& op, const float* hidden, size_t first, size_t entries,
                            typename C::Vector::F* total) {
  using V = typename C::Vector;
  using T = typename C::T;
  constexpr size_t w = V::kWidth;
  const T* weight = static_cast<const T*>(op.weight) + first * op.weight_stride;
  const T* row[w];
  for (size_t i = 0; i < w; ++i) row[i] = weight + (i < entries ? i : entries - 1) * op.weight_stride;
  const size_t steps = C::Steps(op.depth);
  const char* next = reinterpret_cast<const char*>(weight + w * op.weight_stride);
  const size_t lead = StepsToAlignment<C>(weight, op.weight_stride);
  const size_t whole = w == 1 ? op.depth / 2 * 2 : op.depth / C::kPerCell;  // Steps that squares may be whole in.
  for (size_t begin = 0; begin < steps; begin += C::kBlock) {
    const size_t end = steps - begin < C::kBlock ? steps : begin + C::kBlock;
    const size_t whole_end = end < whole ? end : whole;
    typename V::F sum[kTokens];
    for (size_t t = 0; t < kTokens; ++t) sum[t] = V::Set(0.0F);
    const auto part = [&](size_t k, size_t n) __attribute__((always_inline)) {
      DecodeSquare<C, kTokens, false>(row, k, n, op.depth, hidden + k * kTokens, next + k * kStepBytes<C>, sum);
    };
    size_t k = begin;
    if (lead > 0) {
      part(k, end - k < lead ? end - k : lead);
      k += lead;
    }
    for (; k + w <= whole_end; k += w) {
      DecodeSquare<C, kTokens, true>(row, k, w, op.depth, hidden + k * kTokens, next + k * kStepBytes<C>, sum);
    }
    for (; k < end; k += w) part(k, end - k);
    for (size_t t = 0; t < kTokens; ++t) total[t] = begin == 0 ? sum[t] : V::Add(total[t], sum[t]);
  }
}

template <class C, size_t kTokens>
void DecodeTokens(const LinearProduct& op, const float* hidden, size_t first, size_t columns, size_t rows, float* out,
                  size_t stride) {
  using V = typename C::Vector;
  constexpr size_t w = V::kWidth;
  for (size_t v = 0; v < columns; v += w) {
    typename V::F total[kTokens] = {};
    DecodeVector<C, kTokens>(op, hidden, first + v, columns - v, total);
    for (size_t t = 0; t < rows; ++t) {
      if (op.bias != nullptr) total[t] = V::Add(total[t], LoadBias<V>(op.bias + first + v, columns - v));
      V::Store(out + t * stride + v, total[t]);
    }
  }
}

// Rows that a decoding product works on: what is not 1, 2, 4 or 8 is filled up with zeros.
constexpr size_t DecodeTokensFor(size_t rows) { return rows <= 2 ? rows : rows <= 4 ? 4 : kDecodeRows; }

// Packs `packed.rows` rows of cells as [step][token].
template <class C, class Row>
void PackTokens(const LinearProduct& op, const PackedRows& packed, const Row& row) {
  const size_t tokens = DecodeTokensFor(packed.rows);
  const size_t steps = C::Steps(op.depth);
  auto* out = static_cast<float*>(packed.data);
  alignas(64) float cells[C::kBlock];
  for (size_t t = 0; t < tokens; ++t) {
    for (size_t k = 0; k < steps; k += C::kBlock) {
      const size_t block = steps - k < C::kBlock ? steps - k : C::kBlock;
      if (t < packed.rows) CopyCells<C>(row(t), k, block, op.depth, cells);
      for (size_t i = 0; i < block; ++i) out[(k + i) * tokens + t] = t < packed.rows ? cells[i] : 0.0F;
    }
  }
}

// All packed rows: at most kDecodeRows.
template <class C>
void DecodeRows(const LinearProduct& op, const PackedRows& packed, size_t first, size_t columns, float* out,
                size_t stride) {
  static_assert(kDecodeRows == 8, "the largest case");
  const auto* hidden = static_cast<const float*>(packed.data);
  switch (DecodeTokensFor(packed.rows)) {
    case 1:
      return DecodeTokens<C, 1>(op, hidden, first, columns, 1, out, stride);
    case 2:
      return DecodeTokens<C, 2>(op, hidden, first, columns, 2, out, stride);
    case 4:
      return DecodeTokens<C, 4>(op, hidden, first, columns, packed.rows, out, stride);
    default:
      return DecodeTokens<C, 8>(op, hidden, first, columns, packed.rows, out, stride);
  }
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_LINEAR_DECODE_H_
