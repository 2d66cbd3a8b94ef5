#include "runtime/cuda/blas.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "runtime/cuda/check.h"

namespace crossthink::cuda {
namespace {

// The part of cublas_api.h that is used, of version 12 and 13 alike.
constexpr int kOpN = 0;
constexpr int kOpT = 1;
constexpr int kReal32 = 0;             // CUDA_R_32F
constexpr int kRealBfloat16 = 14;      // CUDA_R_16BF
constexpr int kCompute32 = 68;         // CUBLAS_COMPUTE_32F: float32 without TF32
constexpr int kDefaultAlgorithm = -1;  // CUBLAS_GEMM_DEFAULT

struct Library {
  int (*create)(void** handle) = nullptr;
  int (*set_stream)(void* handle, cudaStream_t stream) = nullptr;
  int (*set_workspace)(void* handle, void* workspace, size_t bytes) = nullptr;
  int (*gemm)(void* handle, int op_a, int op_b, int m, int n, int k, const void* alpha, const void* a, int a_type,
              int lda, const void* b, int b_type, int ldb, const void* beta, void* c, int c_type, int ldc, int compute,
              int algorithm) = nullptr;
  std::string reason;  // Why there is none; else empty.
};

template <class Function>
bool Find(void* library, const char* name, Function* function) {
  *function = reinterpret_cast<Function>(dlsym(library, name));
  return *function != nullptr;
}

Library OpenLibrary() {
  Library library;
  const char* forced = std::getenv("CROSSTHINK_CUBLAS");
  const char* const names[] = {"libcublas.so.13", "libcublas.so.12"};
  void* handle = nullptr;
  if (forced != nullptr) {
    handle = dlopen(forced, RTLD_NOW | RTLD_LOCAL);
  } else {
    for (const char* name : names) {
      if (handle == nullptr) handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    }
  }
  if (handle == nullptr) {
    library.reason = std::string("cuBLAS not found: looked for ") +
                     (forced != nullptr ? std::string(forced) + " (CROSSTHINK_CUBLAS)"
                                        : "libcublas.so.13 and libcublas.so.12 on the loader's path; CROSSTHINK_CUBLAS "
                                          "names a file elsewhere");
  } else if (!Find(handle, "cublasCreate_v2", &library.create) ||
             !Find(handle, "cublasSetStream_v2", &library.set_stream) ||
             !Find(handle, "cublasSetWorkspace_v2", &library.set_workspace) ||
             !Find(handle, "cublasGemmEx", &library.gemm)) {
    library.reason = "cuBLAS lacks cublasCreate_v2, cublasSetStream_v2, cublasSetWorkspace_v2 or cublasGemmEx";
  }
  return library;
}

const Library& TheLibrary() {
  static const Library library = OpenLibrary();
  return library;
}

std::mutex& HandlesMutex() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

int32_t Blas::Available(CrossthinkCudaStatus* status) {
  const Library& library = TheLibrary();
  std::snprintf(status->message, sizeof(status->message), "%s", library.reason.c_str());
  return library.reason.empty() ? 0 : -1;
}

Blas::Blas(int32_t device, cudaStream_t stream, void* workspace) : lock_(HandlesMutex()) {
  static auto* handles = new std::map<int32_t, void*>;  // Kept for the life of the process, as the module is.
  const Library& library = TheLibrary();
  void*& handle = (*handles)[device];
  const auto call = [&](const char* name, auto run) {
    if (error_ != 0) return;
    call_ = name;
    error_ = run();
  };
  if (handle == nullptr) call("cublasCreate", [&] { return library.create(&handle); });
  call("cublasSetStream", [&] { return library.set_stream(handle, stream); });
  call("cublasSetWorkspace", [&] { return library.set_workspace(handle, workspace, kBlasWorkspace); });
  handle_ = handle;
}

// cuBLAS is column-major: what it calls C [n, m] is our row-major C [m, n], so B comes first.
cudaError_t Blas::Run(const Gemm& g) {
  const float alpha = 1;
  const int type = g.type == DType::kBfloat16 ? kRealBfloat16 : kReal32;
  const auto size = [](size_t n) { return static_cast<int>(n); };
  call_ = "cublasGemmEx";
  error_ = TheLibrary().gemm(handle_, g.b_transposed ? kOpT : kOpN, g.a_transposed ? kOpT : kOpN, size(g.n), size(g.m),
                             size(g.k), &alpha, g.b, type, size(g.b_stride), g.a, type, size(g.a_stride), &g.beta, g.c,
                             kReal32, size(g.c_stride), kCompute32, kDefaultAlgorithm);
  return error_ == 0 ? cudaSuccess : cudaErrorInvalidValue;
}

int32_t Blas::Report(cudaError_t error, CrossthinkCudaStatus* status) const {
  if (error_ == 0) return Finish(error, "kernel launch", status);
  std::snprintf(status->message, sizeof(status->message), "%s failed with cublasStatus_t %d", call_, error_);
  return static_cast<int32_t>(cudaErrorInvalidValue);
}

}  // namespace crossthink::cuda
