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

// Fetches into the second-level cache: what is fetched is as large as all rows of a square.
CT_INLINE void FetchFar(const char* p, size_t bytes) {
  for (size_t i = 0; i < bytes; i += 64) __builtin_prefetch(p + i, 0, 2);
}

// One vector of vocabulary entries; rows of the weights past `entries` are read as the last one.
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
  // The rows of the next vector, in the order of their addresses, while this one is worked on.
  const size_t fetched = (w * op.weight_stride * sizeof(T) + (steps + w - 1) / w - 1) / ((steps + w - 1) / w);
  const char* ahead = reinterpret_cast<const char*>(weight + w * op.weight_stride);
  for (size_t begin = 0; begin < steps; begin += C::kBlock) {
    const size_t end = steps - begin < C::kBlock ? steps : begin + C::kBlock;
    typename V::F sum[kTokens];
    for (size_t t = 0; t < kTokens; ++t) sum[t] = V::Set(0.0F);
    for (size_t k = begin; k < end; k += w, ahead += fetched) {
      FetchFar(ahead, fetched);
      typename V::F square[w];
#pragma GCC unroll 16
      for (size_t i = 0; i < w; ++i) square[i] = LoadCells<C>(row[i], w == 1 ? C::StepOf(k) : k, op.depth);
      simd::Transpose<V>::Run(square);
      const float* x = hidden + k;
      if (k + w <= end) {
#pragma GCC unroll 16
        for (size_t i = 0; i < w; ++i) {
#pragma GCC unroll 8
          for (size_t t = 0; t < kTokens; ++t) {
            sum[t] = C::Step(square[w == 1 ? 0 : C::StepOf(i)], V::Set(x[t * steps + i]), sum[t]);
          }
        }
      } else {
        for (size_t i = 0; k + i < end; ++i) {
          for (size_t t = 0; t < kTokens; ++t) sum[t] = C::Step(square[C::StepOf(i)], V::Set(x[t * steps + i]), sum[t]);
        }
      }
    }
    for (size_t t = 0; t < kTokens; ++t) total[t] = begin == 0 ? sum[t] : V::Add(total[t], sum[t]);
  }
}

template <class C, size_t kTokens>
void DecodeTokens(const LinearProduct& op, const float* hidden, size_t first, size_t columns, size_t rows, float* out,
                  size_t stride) {
  using V = typename C::Vector;
  constexpr size_t w = V::kWidth;
  for (size_t v = 0; v < columns; v += w) {
    typename V::F total[kTokens];
    for (size_t t = 0; t < kTokens; ++t) total[t] = V::Set(0.0F);
    DecodeVector<C, kTokens>(op, hidden, first + v, columns - v, total);
    for (size_t t = 0; t < rows; ++t) {
      if (op.bias != nullptr) total[t] = V::Add(total[t], LoadBias<V>(op.bias + first + v, columns - v));
      V::Store(out + t * stride + v, total[t]);
    }
  }
}

// Rows that a decoding product works on: what is not 1, 2, 4 or 8 is filled up with zeros.
constexpr size_t DecodeTokensFor(size_t rows) { return rows <= 2 ? rows : rows <= 4 ? 4 : kDecodeRows; }

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
