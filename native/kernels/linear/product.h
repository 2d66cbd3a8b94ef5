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

constexpr size_t RoundUp(size_t n, size_t to) { return (n + to - 1) / to * to; }

template <class C>
CT_INLINE const typename C::T* HiddenRow(const LinearProduct& op, size_t i) {
  return static_cast<const typename C::T*>(op.hidden) + i * op.hidden_stride;
}

template <class C>
LinearSizes SizesOf(size_t rows, size_t depth) {
  using V = typename C::Vector;
  if (rows <= kDecodeRows) return {DecodeTokensFor(rows) * C::Steps(depth) * sizeof(float), 0, 0};
  const size_t padded = RoundUp(rows, V::kWidth);
  return {padded * C::Steps(depth) * sizeof(float), kSlab * padded * sizeof(float),
          TileShape<V>::kRows * C::kBlock * sizeof(float)};
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
    for (size_t i = 0; i < packed.rows; ++i) {
      CopyCells<C>(HiddenRow<C>(op, begin + i), 0, steps, op.depth, out + i * steps);
    }
    memset(out + packed.rows * steps, 0, (DecodeTokensFor(packed.rows) - packed.rows) * steps * sizeof(float));
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

// Rows [0, columns) of the weights from `weight` on, against one block of steps of the packed rows, all panels.
template <class C>
CT_INLINE void ProductBlock(CellView weight, size_t columns, const float* packed, size_t padded, size_t steps,
                            float* out, bool add, size_t fetch_rows) {
  using V = typename C::Vector;
  using Shape = TileShape<V>;
  constexpr size_t w = V::kWidth;
  size_t v = 0;
  const auto panels = [&](auto height) {
    constexpr size_t kRows = decltype(height)::value;
    for (; v + kRows <= columns; v += kRows) {
      const CellView a = {weight.data + v * weight.row, weight.row, weight.step};
      const char* ahead = v + fetch_rows <= columns ? a.data + kRows * weight.row : nullptr;
      const float* panel = packed;
      float* to = out + v * padded;
      size_t lane = 0;
      for (; lane + Shape::kPanel <= padded; lane += Shape::kPanel, panel += steps * Shape::kPanel, ahead = nullptr) {
        ProductTile<C, kRows, Shape::kVectors>(a, panel, steps, to + lane, padded, add, ahead);
      }
      for (; lane < padded; lane += w, panel += steps * w, ahead = nullptr) {
        ProductTile<C, kRows, 1>(a, panel, steps, to + lane, padded, add, ahead);
      }
    }
  };
  panels(std::integral_constant<size_t, Shape::kRows>());
  panels(std::integral_constant<size_t, Shape::kRest>());
  panels(std::integral_constant<size_t, 1>());
}

// The product of `columns` <= kSlab rows of the weights from `first` on and all packed rows, [columns, padded].
template <class C>
void ProductSlab(const LinearProduct& op, const PackedRows& packed, size_t first, size_t columns,
                 const LinearScratch& scratch) {
  using T = typename C::T;
  constexpr size_t kRows = TileShape<typename C::Vector>::kRows;
  const size_t padded = RoundUp(packed.rows, C::Vector::kWidth);
  const size_t steps = C::Steps(op.depth);
  const T* weight = static_cast<const T*>(op.weight) + first * op.weight_stride;
  const auto* panels = static_cast<const float*>(packed.data);
  auto* copy = static_cast<float*>(scratch.weight);
  for (size_t k = 0; k < steps; k += C::kBlock) {
    const size_t block = steps - k < C::kBlock ? steps - k : C::kBlock;
    const T* at = weight + k * C::kPerCell;
    if (C::kStored && (k + block) * C::kPerCell <= op.depth) {
      const CellView cells = {reinterpret_cast<const char*>(at), op.weight_stride * sizeof(T), sizeof(float)};
      ProductBlock<C>(cells, columns, panels + k * padded, padded, block, scratch.product, k > 0, 2 * kRows);
    } else {
      for (size_t v = 0; v < columns; v += kRows) {
        const size_t rows = columns - v < kRows ? columns - v : kRows;
        for (size_t i = 0; i < rows; ++i) {
          CopyCells<C>(weight + (v + i) * op.weight_stride, k, block, op.depth, copy + i * block);
        }
        const CellView cells = {reinterpret_cast<const char*>(copy), block * sizeof(float), sizeof(float)};
        ProductBlock<C>(cells, rows, panels + k * padded, padded, block, scratch.product + v * padded, k > 0, SIZE_MAX);
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
