// What stands between the products of a linear head on the GPU: elementwise sweeps over a chunk of logits in the
// second- level cache or the workspace. Bytes moved per logit: bias 8, rounding 6, column sums 4; packing 2 sizes of an
// element per element of the hidden states.
#include "kernels/linear/linear_cuda.h"
#include "kernels/logprob/row.h"
#include "runtime/cuda/device.cuh"
#include "spec/half.h"

namespace crossthink::cuda {
namespace {

constexpr unsigned kBlock = 256;

__device__ __forceinline__ size_t ThreadNumber() { return size_t{blockIdx.x} * kBlock + threadIdx.x; }

__global__ __launch_bounds__(kBlock) void LinearBias(float* logits, size_t count, size_t vocab, const float* bias) {
  const size_t i = ThreadNumber();
  if (i < count) logits[i] += bias[i % vocab];
}

// One block a row.
template <class T>
__global__ __launch_bounds__(kBlock) void LinearPack(LogprobBackward op, const T* hidden, size_t stride, size_t depth,
                                                     T* packed) {
  const size_t row = blockIdx.x;
  GradientFactors factors;
  const RowGradient kind = op.d_entropy != nullptr ? MakeGradientFactors<true>(op, row, &factors)
                                                   : MakeGradientFactors<false>(op, row, &factors);
  const bool live = kind != RowGradient::kZero;
  for (size_t k = threadIdx.x; k < depth; k += kBlock) packed[row * depth + k] = live ? hidden[row * stride + k] : T{0};
}

__global__ __launch_bounds__(kBlock) void LinearRound(const float* from, size_t count, uint16_t* to) {
  const size_t i = ThreadNumber();
  if (i < count) to[i] = spec::ToBfloat16(from[i]);
}

__global__ __launch_bounds__(kBlock) void LinearColumnSums(const float* d, size_t rows, size_t columns, float* sums,
                                                           bool add) {
  const size_t column = ThreadNumber();
  if (column >= columns) return;
  float sum = add ? sums[column] : 0.0F;
  for (size_t row = 0; row < rows; ++row) sum += d[row * columns + column];
  sums[column] = sum;
}

template <class T>
cudaError_t Pack(const LinearProduct& product, const LogprobBackward& op, void* packed, cudaStream_t stream) {
  return Launch(LinearPack<T>, product.rows, kBlock, 0, stream, op, static_cast<const T*>(product.hidden),
                product.hidden_stride, product.depth, static_cast<T*>(packed));
}

}  // namespace

cudaError_t AddBias(float* logits, size_t rows, size_t vocab, const float* bias, cudaStream_t stream) {
  const size_t count = rows * vocab;
  return Launch(LinearBias, CeilDivide(count, kBlock), kBlock, 0, stream, logits, count, vocab, bias);
}

cudaError_t PackLiveRows(const LinearProduct& product, const LogprobBackward& op, void* packed, cudaStream_t stream) {
  return product.type == DType::kFloat32 ? Pack<float>(product, op, packed, stream)
                                         : Pack<uint16_t>(product, op, packed, stream);
}

cudaError_t RoundToBfloat16(const float* from, size_t count, uint16_t* to, cudaStream_t stream) {
  return Launch(LinearRound, CeilDivide(count, kBlock), kBlock, 0, stream, from, count, to);
}

cudaError_t SumColumns(const float* d, size_t rows, size_t columns, float* sums, bool add, cudaStream_t stream) {
  return Launch(LinearColumnSums, CeilDivide(columns, kBlock), kBlock, 0, stream, d, rows, columns, sums, add);
}

}  // namespace crossthink::cuda
