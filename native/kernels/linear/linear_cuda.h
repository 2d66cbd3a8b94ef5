#ifndef CROSSTHINK_KERNELS_LINEAR_LINEAR_CUDA_H_
#define CROSSTHINK_KERNELS_LINEAR_LINEAR_CUDA_H_

#include <cuda_runtime.h>

#include <cstddef>

#include "kernels/linear/linear.h"
#include "runtime/cuda/blas.h"

// The operations of linear.h on the GPU, chunk of rows by chunk of rows: the product by cuBLAS into the workspace, the
// rows by the log-prob kernels. `gather` must be null. See logprob_cuda.h for what holds of pointers and workspace; a
// chunk is as many rows as fit into `bytes`, at least one.
namespace crossthink::cuda {

size_t LinearLogitsWorkspace(const LinearLogits& op, size_t bytes);
cudaError_t RunLinearLogits(const LinearLogits& op, size_t bytes, void* workspace, cudaStream_t stream, Blas* blas);

size_t LinearForwardWorkspace(const LinearForward& op, size_t bytes);
cudaError_t RunLinearForward(const LinearForward& op, size_t bytes, void* workspace, cudaStream_t stream, Blas* blas);

size_t LinearBackwardWorkspace(const LinearBackward& op, size_t bytes);
cudaError_t RunLinearBackward(const LinearBackward& op, size_t bytes, void* workspace, cudaStream_t stream, Blas* blas);

// linear.cu: what stands between the products.
cudaError_t AddBias(float* logits, size_t rows, size_t vocab, const float* bias, cudaStream_t stream);
// Copies `rows` rows of hidden states without gaps, zeros for those that take no part in the gradient.
cudaError_t PackLiveRows(const LinearProduct& product, const LogprobBackward& op, void* packed, cudaStream_t stream);
cudaError_t RoundToBfloat16(const float* from, size_t count, uint16_t* to, cudaStream_t stream);
// Adds up the columns of d [rows, columns], rows in ascending order.
cudaError_t SumColumns(const float* d, size_t rows, size_t columns, float* sums, bool add, cudaStream_t stream);

}  // namespace crossthink::cuda

#endif  // CROSSTHINK_KERNELS_LINEAR_LINEAR_CUDA_H_
