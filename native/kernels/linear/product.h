#ifndef CROSSTHINK_KERNELS_LINEAR_PRODUCT_H_
#define CROSSTHINK_KERNELS_LINEAR_PRODUCT_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/linear/chain.h"
#include "kernels/linear/decode.h"
#include "kernels/linear/linear.h"
#include "kernels/linear/product_tile.h"
#include "simd/transpose.h"
#include "spec/annotate.h"

// Logits of a block of rows and a range of the vocabulary: packing of the hidden states, and the product.
namespace crossthink {
namespace {

// Vocabulary entries whose products are made together before they are turned into rows of logits.
constexpr size_t kSlab = 96;

// Cells from one copied row of weights to the next. Not a power of two.
template <class C>
constexpr size_t kCopyStride = C::kBlock + 16;

constexpr size_t RoundUp(size_t n, size_t to) { return (n + to - 1) / to * to; }

template <class C>
CT_INLINE const typename C::T* HiddenRow(const LinearProduct& op, size_t i) {
  const size_t row = op.gather == nullptr ? i : static_cast<size_t>(op.gather[i]);
  return static_cast<const typename C::T*>(op.hidden) + row * op.hidden_stride;
}

template <class C>
LinearSizes SizesOf(size_t rows, size_t depth) {
  using V = typename C::Vector;
  if (rows <= kDecodeRows) return {DecodeTokensFor(rows) * C::Steps(depth) * sizeof(float), 0, 0};
  const size_t padded = RoundUp(rows, V::kWidth);
  return {padded * C::Steps(depth) * sizeof(float), kSlab * padded * sizeof(float),
          TileShape<V>::kRows * kCopyStride<C> * sizeof(float)};
}

// One vector of rows of a panel `width` wide: cells [begin, begin + steps) to out[step][lane].
template <class C>
CT_INLINE void PackVector(const LinearProduct& op, size_t row, size_t rows, size_t begin, size_t steps, size_t width,
                          float* out) {
  using V = typename C::Vector;
  constexpr size_t w = V::kWidth;
  typename V::F square[w];
  for (size_t k = 0; k < steps; k += w) {
    for (size_t i = 0; i < w; ++i) {
      square[i] = i < rows ? LoadCells<C>(HiddenRow<C>(op, row + i), begin + k, op.depth) : V::Set(0.0F);
    }
    simd::Transpose<V>::Run(square);
    for (size_t i = 0; i < w && k + i < steps; ++i) V::Store(out + C::StepOf(k + i) * width, square[i]);
  }
}

// Layout: block of steps, panel, step, lane. Panels are kPanel lanes wide, the last ones a single vector.
template <class C>
void Pack(const LinearProduct& op, size_t begin, const PackedRows& packed) {
  using V = typename C::Vector;
  constexpr size_t w = V::kWidth;
  const size_t steps = C::Steps(op.depth);
  auto* out = static_cast<float*>(packed.data);
  if (packed.rows <= kDecodeRows) {
    PackTokens<C>(op, packed, [&](size_t i) { return HiddenRow<C>(op, begin + i); });
    return;
  }
  const size_t padded = RoundUp(packed.rows, w);
  for (size_t k = 0; k < steps; k += C::kBlock) {
    const size_t block = steps - k < C::kBlock ? steps - k : C::kBlock;
    for (size_t row = 0; row < padded;) {
      const size_t width = padded - row < TileShape<V>::kPanel ? w : TileShape<V>::kPanel;
      for (size_t lane = 0; lane < width; lane += w, row += w) {
        const size_t rows = packed.rows - row < w ? packed.rows - row : w;
        PackVector<C>(op, begin + row, rows, k, block, width, out + lane);
      }
      out += block * width;
    }
  }
}

// Rows [0, columns) of `weight` against one block of steps of the packed rows, all panels, to out [columns, padded].
// `stored`: where the same rows stand in memory; `next`: what comes after them. Both are only fetched.
template <class C>
CT_INLINE void ProductBlock(CellView weight, size_t columns, const float* packed, size_t padded, size_t steps,
                            float* out, bool add, CellView stored, const char* next) {
  using V = typename C::Vector;
  using Shape = TileShape<V>;
  constexpr size_t w = V::kWidth;
  size_t v = 0;
  const auto panels = [&](auto height) __attribute__((always_inline)) {
    constexpr size_t kRows = decltype(height)::value;
    for (; v + kRows <= columns; v += kRows) {
      const CellView a = {weight.data + v * weight.row, weight.row, weight.step};
      const size_t after = v + kRows;
      CellView ahead = {after < columns ? stored.data + after * stored.row : next, stored.row, stored.step};
      const float* panel = packed;
      float* to = out + v * padded;
      size_t lane = 0;
      for (; lane + Shape::kPanel <= padded; lane += Shape::kPanel, panel += steps * Shape::kPanel) {
        ProductTile<C, kRows, Shape::kVectors>(a, panel, steps, to + lane, padded, add, ahead);
        ahead.data = nullptr;
      }
      for (; lane < padded; lane += w, panel += steps * w, ahead.data = nullptr) {
        ProductTile<C, kRows, 1>(a, panel, steps, to + lane, padded, add, ahead);
      }
    }
  };
  panels(std::integral_constant<size_t, Shape::kRows>());
  panels(std::integral_constant<size_t, Shape::kRest>());
  panels(std::integral_constant<size_t, 1>());
}

// Whether rows of the weights are read where they stand: not where they are not cells, nor where they are read once per
// panel of tokens (rows a power of two apart would put each other out of the first-level cache).
template <class C>
CT_INLINE bool ReadInPlace(size_t padded) {
  return C::kStored && padded <= 2 * TileShape<typename C::Vector>::kPanel;
}

// The product of `columns` <= kSlab rows of the weights from `first` on and all packed rows, [columns, padded].
template <class C>
void ProductSlab(const LinearProduct& op, const PackedRows& packed, size_t first, size_t columns,
                 const LinearScratch& scratch) {
  using T = typename C::T;
  constexpr size_t kRows = TileShape<typename C::Vector>::kRows;
  const size_t padded = RoundUp(packed.rows, C::Vector::kWidth);
  const size_t steps = C::Steps(op.depth);
  const size_t row_bytes = op.weight_stride * sizeof(T);
  const char* weight = static_cast<const char*>(op.weight) + first * row_bytes;
  const auto* panels = static_cast<const float*>(packed.data);
  // Few rows stay in the second-level cache as a whole: the weights are then read along their rows. Else one block of
  // steps does, for all weights of the slab.
  const size_t at_once = ReadInPlace<C>(padded) ? kRows : columns;
  for (size_t top = 0; top < columns; top += at_once) {
    const size_t bottom = columns - top < at_once ? columns : top + at_once;
    for (size_t k = 0; k < steps; k += C::kBlock) {
      const size_t block = steps - k < C::kBlock ? steps - k : C::kBlock;
      const bool in_place = ReadInPlace<C>(padded) && (k + block) * C::kPerCell <= op.depth;
      const size_t chunk = in_place ? bottom - top : kRows;
      for (size_t v = top; v < bottom; v += chunk) {
        const size_t rows = bottom - v < chunk ? bottom - v : chunk;
        const CellView stored = {weight + v * row_bytes + k * C::kPerCell * sizeof(T), row_bytes,
                                 sizeof(T) * C::kPerCell};
        const bool last = v + rows == bottom;  // Then comes the next block of steps, or the next rows from the start.
        const char* next = !last               ? stored.data + rows * row_bytes
                           : k + block < steps ? weight + top * row_bytes + (k + block) * C::kPerCell * sizeof(T)
                                               : weight + bottom * row_bytes;
        CellView cells = stored;
        if (!in_place) {
          auto* copy = static_cast<float*>(scratch.weight);
          cells = {static_cast<const char*>(scratch.weight), kCopyStride<C> * sizeof(float), sizeof(float)};
          for (size_t i = 0; i < rows; ++i) {
            CopyCells<C>(reinterpret_cast<const T*>(weight + (v + i) * row_bytes), k, block, op.depth,
                         copy + i * kCopyStride<C>);
          }
        }
        ProductBlock<C>(cells, rows, panels + k * padded, padded, block, scratch.product + v * padded, k > 0, stored,
                        next);
      }
    }
  }
}

// Turns a slab into rows of logits and adds the bias.
template <class V>
void StoreSlab(const LinearProduct& op, size_t rows, size_t first, size_t columns, const float* product, float* out,
               size_t stride) {
  constexpr size_t w = V::kWidth;
  const size_t padded = RoundUp(rows, w);
  typename V::F square[w];
  for (size_t v = 0; v < columns; v += w) {
    const size_t rest = columns - v;
    for (size_t n = 0; n < padded; n += w) {
      for (size_t i = 0; i < w; ++i) square[i] = V::Load(product + (v + (i < rest ? i : 0)) * padded + n);
      simd::Transpose<V>::Run(square);
      typename V::F bias = V::Set(0.0F);
      if (op.bias != nullptr) bias = LoadBias<V>(op.bias + first + v, rest);
      for (size_t i = 0; i < w && n + i < rows; ++i) {
        V::Store(out + (n + i) * stride + v, op.bias != nullptr ? V::Add(square[i], bias) : square[i]);
      }
    }
  }
}

template <class C>
void LogitsOfBlock(const LinearProduct& op, const PackedRows& packed, size_t first, size_t columns,
                   const LinearScratch& scratch, float* out, size_t stride) {
  [[maybe_unused]] const typename C::Mode mode = {};
  if (packed.rows <= kDecodeRows) {
    DecodeRows<C>(op, packed, first, columns, out, stride);
    return;
  }
  for (size_t v = 0; v < columns; v += kSlab) {
    const size_t slab = columns - v < kSlab ? columns - v : kSlab;
    ProductSlab<C>(op, packed, first + v, slab, scratch);
    StoreSlab<typename C::Vector>(op, packed.rows, first + v, slab, scratch.product, out + v, stride);
  }
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_LINEAR_PRODUCT_H_
