#ifndef CROSSTHINK_RUNTIME_CUDA_BLAS_H_
#define CROSSTHINK_RUNTIME_CUDA_BLAS_H_

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <mutex>

#include "kernels/logits.h"
#include "runtime/cuda/api.h"

// Products by cuBLAS, which is opened on first use and never linked: the package loads without it.
namespace crossthink::cuda {

// Row-major C [m, n] = op(A) op(B) + beta C in float32, A and B of one type. Strides in elements.
struct Gemm {
  DType type = DType::kFloat32;
  size_t m = 0;
  size_t n = 0;
  size_t k = 0;
  const void* a = nullptr;  // [m, k], or [k, m] where transposed.
  size_t a_stride = 0;
  bool a_transposed = false;
  const void* b = nullptr;  // [k, n], or [n, k] where transposed.
  size_t b_stride = 0;
  bool b_transposed = false;
  float* c = nullptr;
  size_t c_stride = 0;
  float beta = 0;
};

// What cuBLAS may work in, so that it allocates nothing of its own: what NVIDIA advises for Hopper.
constexpr size_t kBlasWorkspace = size_t{32} << 20;

// cuBLAS on one device, for one stream at a time: the lock is held as long as this lives.
class Blas {
 public:
  // 0 where cuBLAS can be opened; else an error whose message names what was looked for.
  static int32_t Available(CrossthinkCudaStatus* status);

  // Call IsOpen() before anything else. `workspace`: kBlasWorkspace bytes on the device.
  Blas(int32_t device, cudaStream_t stream, void* workspace);
  Blas(const Blas&) = delete;
  Blas& operator=(const Blas&) = delete;

  bool IsOpen() const { return error_ == 0; }
  cudaError_t Run(const Gemm& gemm);
  // What went wrong, into `status`; returns a number that is not 0.
  int32_t Report(cudaError_t error, CrossthinkCudaStatus* status) const;

 private:
  std::unique_lock<std::mutex> lock_;
  void* handle_ = nullptr;
  const char* call_ = "";
  int error_ = 0;  // cublasStatus_t
};

}  // namespace crossthink::cuda

#endif  // CROSSTHINK_RUNTIME_CUDA_BLAS_H_
