#ifndef CROSSTHINK_KERNELS_LINEAR_PRODUCT_TILE_H_
#define CROSSTHINK_KERNELS_LINEAR_PRODUCT_TILE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "spec/annotate.h"

// The inner loop of every matrix product of this folder: a few rows of A, read in place one cell at a time, against a
// panel of B of a few vectors, packed step by step. The sums of one block of steps stay in registers.
namespace crossthink {
namespace {

// Cells of A: row i, step k at data + i * row + k * step (bytes).
struct CellView {
  const char* data;
  size_t row;
  size_t step;
};

// How much of the product a tile is, by registers: 32 of 16 or 4 lanes, 16 of 8 lanes.
template <class V>
struct TileShape {
  static constexpr size_t kRows = V::kWidth == 8 ? 6 : V::kWidth == 1 ? 4 : 12;
  static constexpr size_t kVectors = V::kWidth == 1 ? 4 : 2;
  static constexpr size_t kPanel = kVectors * V::kWidth;
  static constexpr size_t kRest = kRows / 3;  // Rows of the tiles that do what is left over, down to one row at last.
};

template <class V>
CT_INLINE typename V::F Broadcast(const char* p) {
  float cell;
  memcpy(&cell, p, sizeof(cell));
  return V::Set(cell);
}

// out (+)= sum over `steps` of A(i, k) * panel(k, j). Where `ahead` has data, as many of its cells are fetched.
template <class C, size_t kRows, size_t kVectors>
CT_INLINE void ProductTile(CellView a, const float* panel, size_t steps, float* out, size_t out_row, bool add,
                           CellView ahead) {
  using V = typename C::Vector;
  constexpr size_t w = V::kWidth;
  constexpr size_t kUnroll = 4;
  constexpr size_t kLine = 64;
  typename V::F sum[kRows][kVectors];
#pragma GCC unroll 12
  for (size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (size_t j = 0; j < kVectors; ++j) sum[i][j] = V::Set(0.0F);
  }
  // Three rows per pointer: one register each would be too many.
  constexpr size_t kPointers = (kRows + 2) / 3;
  const char* pointer[kPointers];
#pragma GCC unroll 4
  for (size_t i = 0; i < kPointers; ++i) pointer[i] = a.data + 3 * i * a.row;
  const auto step = [&](size_t u) __attribute__((always_inline)) {
    typename V::F b[kVectors];
#pragma GCC unroll 4
    for (size_t j = 0; j < kVectors; ++j) b[j] = V::Load(panel + (u * kVectors + j) * w);
#pragma GCC unroll 12
    for (size_t i = 0; i < kRows; ++i) {
      const typename V::F left = Broadcast<V>(pointer[i / 3] + i % 3 * a.row + u * a.step);
#pragma GCC unroll 4
      for (size_t j = 0; j < kVectors; ++j) sum[i][j] = C::Step(left, b[j], sum[i][j]);
    }
  };
  size_t k = 0;
  for (; k + kUnroll <= steps; k += kUnroll) {
    if (ahead.data != nullptr && k * ahead.step % kLine == 0) {
#pragma GCC unroll 12
      for (size_t i = 0; i < kRows; ++i) V::Prefetch(ahead.data + i * ahead.row + k * ahead.step);
    }
#pragma GCC unroll 4
    for (size_t u = 0; u < kUnroll; ++u) step(u);
    panel += kUnroll * kVectors * w;
#pragma GCC unroll 4
    for (size_t i = 0; i < kPointers; ++i) {
      pointer[i] += kUnroll * a.step;
      asm("" : "+r"(pointer[i]));  // Keeps the compiler from giving each row a counter of its own.
    }
  }
  for (; k < steps; ++k) {
    step(0);
    panel += kVectors * w;
    for (size_t i = 0; i < kPointers; ++i) pointer[i] += a.step;
  }
#pragma GCC unroll 12
  for (size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (size_t j = 0; j < kVectors; ++j) {
      float* p = out + i * out_row + j * w;
      V::Store(p, add ? V::Add(V::Load(p), sum[i][j]) : sum[i][j]);
    }
  }
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_LINEAR_PRODUCT_TILE_H_
