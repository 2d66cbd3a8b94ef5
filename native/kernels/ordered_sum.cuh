#ifndef CROSSTHINK_KERNELS_ORDERED_SUM_CUH_
#define CROSSTHINK_KERNELS_ORDERED_SUM_CUH_

#include <cstddef>

#include "runtime/cuda/device.cuh"

namespace crossthink::cuda {
namespace {

// Rows whose numbers are in shared memory at a time: one per thread of the block.
constexpr unsigned kSumRows = 256;

// Float64 sums of kColumns columns over `rows` rows in index order, by one block of kSumRows threads, starting from 0.
// The rows are evaluated by all threads, `row(i, numbers)`, and added by one thread a column: the order is part of the
// specification, and an addition waits for the one before it, so a sum over n rows takes about 8n cycles. What a row
// leaves out it gives as 0, which changes no bit of a sum that started from +0.
//
// Returns the sum of column threadIdx.x; nothing of use in threads that have none.
template <size_t kColumns, class Row>
__device__ __forceinline__ double SumInOrder(size_t rows, Row row) {
  constexpr size_t kStride = kColumns | 1;  // Odd: threads write to different banks.
  __shared__ double numbers[kSumRows * kStride];
  double sum = 0;
  for (size_t first = 0; first < rows; first += kSumRows) {
    const size_t left = rows - first < kSumRows ? rows - first : kSumRows;
    if (threadIdx.x < left) row(first + threadIdx.x, numbers + threadIdx.x * kStride);
    __syncthreads();
    if (threadIdx.x < kColumns) {
#pragma unroll 8
      for (size_t i = 0; i < left; ++i) sum += numbers[i * kStride + threadIdx.x];
    }
    __syncthreads();
  }
  return sum;
}

}  // namespace
}  // namespace crossthink::cuda

#endif  // CROSSTHINK_KERNELS_ORDERED_SUM_CUH_
