#ifndef CROSSTHINK_REFERENCE_GEMM_H_
#define CROSSTHINK_REFERENCE_GEMM_H_

// Matrix product for small matrices. Every output is one chain of fused multiply-adds in ascending k, so its bits
// depend neither on the instruction set nor on how the outputs are tiled or shared among threads.
#include <cstddef>

namespace crossthink::reference {

// A view of A(i, k) = data[i * row + k * column]: a matrix or its transpose.
template <int kValue>
struct Constant {
  static constexpr int value = kValue;
};

struct Left {
  const float* data;
  size_t row;
  size_t column;
};

template <class V, int kRows, int kColumns>
inline void GemmTile(int depth, Left a, const float* b, size_t b_row, float* c, size_t c_row, bool accumulate) {
  typename V::Float sum[kRows][kColumns];
  for (int i = 0; i < kRows; i++)
    for (int j = 0; j < kColumns; j++) sum[i][j] = accumulate ? V::Load(c + i * c_row + j * V::kLanes) : V::Set(0.0f);
  for (int k = 0; k < depth; k++) {
    typename V::Float right[kColumns];
    for (int j = 0; j < kColumns; j++) right[j] = V::Load(b + k * b_row + j * V::kLanes);
    for (int i = 0; i < kRows; i++) {
      const auto left = V::Set(a.data[i * a.row + k * a.column]);
      for (int j = 0; j < kColumns; j++) sum[i][j] = V::Fma(left, right[j], sum[i][j]);
    }
  }
  for (int i = 0; i < kRows; i++)
    for (int j = 0; j < kColumns; j++) V::Store(c + i * c_row + j * V::kLanes, sum[i][j]);
}

template <class V, int kColumns>
inline void GemmPanel(int rows, int depth, Left a, const float* b, size_t b_row, float* c, size_t c_row,
                      bool accumulate) {
  int i = 0;
  const auto block = [&](auto height) {
    constexpr int kHeight = decltype(height)::value;
    for (; i + kHeight <= rows; i += kHeight)
      GemmTile<V, kHeight, kColumns>(depth, {a.data + i * a.row, a.row, a.column}, b, b_row, c + i * c_row, c_row,
                                     accumulate);
  };
  block(Constant<V::kTileRows>{});
  block(Constant<2>{});
  block(Constant<1>{});
}

// c[rows, columns] = a[rows, depth] * b[depth, columns], added to c where `accumulate`.
template <class V>
void Gemm(int rows, int columns, int depth, Left a, const float* b, size_t b_row, float* c, size_t c_row,
          bool accumulate) {
  // Blocks of b that stay in the first-level cache while the rows of a pass by.
  constexpr int kDepthBlock = 256;
  constexpr int kRowBlock = 64;
  constexpr int kWide = V::kTileColumns * V::kLanes;
  for (int k = 0; k == 0 || k < depth; k += kDepthBlock) {
    const int depth_here = depth - k < kDepthBlock ? depth - k : kDepthBlock;
    const bool add = accumulate || k > 0;
    for (int i = 0; i < rows; i += kRowBlock) {
      const int rows_here = rows - i < kRowBlock ? rows - i : kRowBlock;
      const Left a_here{a.data + i * a.row + k * a.column, a.row, a.column};
      const float* b_here = b + k * b_row;
      float* c_here = c + i * c_row;
      int j = 0;
      for (; j + kWide <= columns; j += kWide)
        GemmPanel<V, V::kTileColumns>(rows_here, depth_here, a_here, b_here + j, b_row, c_here + j, c_row, add);
      for (; j + V::kLanes <= columns; j += V::kLanes)
        GemmPanel<V, 1>(rows_here, depth_here, a_here, b_here + j, b_row, c_here + j, c_row, add);
      for (; j < columns; j++) {
        for (int r = 0; r < rows_here; r++) {
          float sum = add ? c_here[r * c_row + j] : 0.0f;
          for (int q = 0; q < depth_here; q++)
            sum = __builtin_fmaf(a_here.data[r * a.row + q * a.column], b_here[q * b_row + j], sum);
          c_here[r * c_row + j] = sum;
        }
      }
    }
  }
}

}  // namespace crossthink::reference

#endif  // CROSSTHINK_REFERENCE_GEMM_H_
