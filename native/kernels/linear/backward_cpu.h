#ifndef CROSSTHINK_KERNELS_LINEAR_BACKWARD_CPU_H_
#define CROSSTHINK_KERNELS_LINEAR_BACKWARD_CPU_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/elements.h"
#include "kernels/linear/chain.h"
#include "kernels/linear/linear.h"
#include "kernels/linear/product_tile.h"
#include "kernels/logprob/logprob_cpu.h"
#include "kernels/logprob/row.h"
#include "kernels/softcap.h"
#include "spec/annotate.h"
#include "spec/bits.h"

// The gradients of the linear head, in float32 for either type of operands. Lanes are columns of the hidden size; one
// factor of each product is D, read in place, the other is packed into panels.
namespace crossthink {
namespace {

// What the row kernel's softcap makes of n logits. Whole vectors are overwritten.
template <class V>
CT_INLINE void CapRow(float* logits, size_t n, float softcap) {
  for (size_t j = 0; j < n; j += V::kWidth) V::Store(logits + j, CapLogits<V>(V::Load(logits + j), softcap));
}

template <class V, bool kEntropy>
void GradientOfRows(const LogprobBackward& op, const LinearProduct& product, const GradientChunk& chunk) {
  using E = Float32Elements<V>;
  for (size_t i = 0; i < chunk.rows; ++i) {
    const auto row = static_cast<size_t>(product.gather[chunk.begin + i]);
    float* d = chunk.d + i * chunk.stride;
    GradientFactors g = {};
    if (MakeGradientFactors<kEntropy>(op, row, &g) == RowGradient::kNan) {
      for (size_t j = 0; j < chunk.columns; ++j) d[j] = spec::QuietNan();
      continue;
    }
    const size_t element = ElementOf(op, SpanOf(op, row), op.tokens[row]) - chunk.first;
    const size_t target = element < chunk.columns ? element : kNoElement;
    if (op.softcap > 0) {
      CapRow<V>(d, chunk.columns, op.softcap);
      GradientRow<V, E, E, kEntropy, true, false>(d, chunk.columns, g, target, d);
    } else {
      GradientRow<V, E, E, kEntropy, false, false>(d, chunk.columns, g, target, d);
    }
  }
}

// Panels that are packed together, so that D is read once for all of them.
constexpr size_t kPanelsPerTask = 4;

template <class V>
constexpr size_t kPanelColumns = kPanelsPerTask* TileShape<V>::kPanel;

template <class V>
constexpr size_t kPanelBytes = kPanelColumns<V>* Float32Chain<V>::kBlock * sizeof(float);

// One row of a panel: `columns` of its lanes, zeros beyond.
template <class V, class E>
CT_INLINE void PackRow(const typename E::T* from, size_t columns, float* out) {
  constexpr size_t w = V::kWidth;
  size_t j = 0;
  for (; j + w <= columns; j += w) V::Store(out + j, E::Load(from + j));
  for (; j < TileShape<V>::kPanel; ++j) out[j] = j < columns ? E::Read(from + j) : 0.0F;
}

// out[i, j] (+)= sum over k < steps of A(i, k) * panel(k, j), i < rows, j < columns <= kPanel.
template <class V>
CT_INLINE void PanelProduct(CellView a, size_t rows, const float* panel, size_t columns, size_t steps, float* out,
                            size_t out_row, bool add) {
  using Shape = TileShape<V>;
  using C = Float32Chain<V>;
  size_t i = 0;
  const auto tiles = [&](auto height) {
    constexpr size_t kRows = decltype(height)::value;
    for (; i + kRows <= rows; i += kRows) {
      const CellView here = {a.data + i * a.row, a.row, a.step};
      float* to = out + i * out_row;
      if (columns == Shape::kPanel) {
        ProductTile<C, kRows, Shape::kVectors>(here, panel, steps, to, out_row, add, {});
        continue;
      }
      // The last panel may be narrow: what follows its columns is not ours.
      alignas(64) float tile[kRows * Shape::kPanel];
      ProductTile<C, kRows, Shape::kVectors>(here, panel, steps, tile, Shape::kPanel, false, {});
      for (size_t r = 0; r < kRows; ++r) {
        for (size_t j = 0; j < columns; ++j) {
          float* p = to + r * out_row + j;
          const float sum = tile[r * Shape::kPanel + j];
          *p = add ? *p + sum : sum;
        }
      }
    }
  };
  tiles(std::integral_constant<size_t, Shape::kRows>());
  tiles(std::integral_constant<size_t, 1>());
}

// All panels of [column, column + columns) against one block of `steps` rows, row(k) giving row k of the packed factor.
template <class V, class E, class Row>
CT_INLINE void PanelsProduct(CellView a, size_t rows, const Row& row, size_t steps, size_t column, size_t columns,
                             float* panels, float* out, size_t out_row, bool add) {
  constexpr size_t kPanel = TileShape<V>::kPanel;
  constexpr size_t kRows = TileShape<V>::kRows;
  for (size_t k = 0; k < steps; ++k) {
    const typename E::T* from = row(k) + column;
    for (size_t j = 0; j < columns; j += kPanel) {
      PackRow<V, E>(from + j, columns - j < kPanel ? columns - j : kPanel, panels + j * steps + k * kPanel);
    }
  }
  // Rows of D stay in the first-level cache while the panels pass by.
  for (size_t i = 0; i < rows; i += kRows) {
    const CellView here = {a.data + i * a.row, a.row, a.step};
    for (size_t j = 0; j < columns; j += kPanel) {
      PanelProduct<V>(here, rows - i < kRows ? rows - i : kRows, panels + j * steps,
                      columns - j < kPanel ? columns - j : kPanel, steps, out + i * out_row + column + j, out_row, add);
    }
  }
}

template <class V, class E>
void HiddenGradient(const LinearProduct& op, const GradientChunk& chunk, size_t column, size_t columns, float* panels,
                    float* out, bool add) {
  constexpr size_t kBlock = Float32Chain<V>::kBlock;
  for (size_t v = 0; v < chunk.columns; v += kBlock) {
    const size_t steps = chunk.columns - v < kBlock ? chunk.columns - v : kBlock;
    const CellView d = {reinterpret_cast<const char*>(chunk.d + v), chunk.stride * sizeof(float), sizeof(float)};
    const auto row = [&](size_t k) {
      return static_cast<const typename E::T*>(op.weight) + (chunk.first + v + k) * op.weight_stride;
    };
    PanelsProduct<V, E>(d, chunk.rows, row, steps, column, columns, panels, out, op.depth, add || v > 0);
  }
}

template <class V, class E>
void WeightGradient(const LinearProduct& op, const GradientChunk& chunk, size_t column, size_t columns, float* panels,
                    float* out, bool add) {
  for (size_t n = 0; n < chunk.rows; n += kGradientRows) {
    const size_t steps = chunk.rows - n < kGradientRows ? chunk.rows - n : kGradientRows;
    const CellView d = {reinterpret_cast<const char*>(chunk.d + n * chunk.stride), sizeof(float),
                        chunk.stride * sizeof(float)};
    const auto row = [&](size_t k) {
      return static_cast<const typename E::T*>(op.hidden) +
             static_cast<size_t>(op.gather[chunk.begin + n + k]) * op.hidden_stride;
    };
    PanelsProduct<V, E>(d, chunk.columns, row, steps, column, columns, panels, out, op.depth, add || n > 0);
  }
}

template <class V>
void BiasGradient(const GradientChunk& chunk, float* out, bool add) {
  constexpr size_t w = V::kWidth;
  for (size_t n = 0; n < chunk.rows; n += kGradientRows) {
    const size_t end = chunk.rows - n < kGradientRows ? chunk.rows : n + kGradientRows;
    for (size_t v = 0; v < chunk.columns; v += w) {
      typename V::F sum = V::Set(0.0F);
      for (size_t i = n; i < end; ++i) sum = V::Add(sum, V::Load(chunk.d + i * chunk.stride + v));
      float lanes[w];
      V::Store(lanes, sum);
      for (size_t j = 0; j < w && v + j < chunk.columns; ++j)
        out[v + j] = add || n > 0 ? out[v + j] + lanes[j] : lanes[j];
    }
  }
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_LINEAR_BACKWARD_CPU_H_
