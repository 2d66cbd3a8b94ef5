#ifndef CROSSTHINK_RUNTIME_CUDA_CHECK_H_
#define CROSSTHINK_RUNTIME_CUDA_CHECK_H_

#include <cuda_runtime.h>

#include <cstdio>

#include "runtime/cuda/api.h"

namespace crossthink::cuda {

// Turns a CUDA result into the ABI's: the error's number, its name and text in `status`.
inline int32_t Finish(cudaError_t error, const char* what, CrossthinkCudaStatus* status) {
  if (error == cudaSuccess) {
    status->message[0] = '\0';
    return 0;
  }
  std::snprintf(status->message, sizeof(status->message), "%s: %s (%s)", what, cudaGetErrorString(error),
                cudaGetErrorName(error));
  cudaGetLastError();  // Forget it: the next call starts clean, unless the device itself is lost.
  return static_cast<int32_t>(error);
}

template <class T = void>
T* Pointer(CrossthinkAddress address) {
  return reinterpret_cast<T*>(static_cast<uintptr_t>(address));
}

inline cudaStream_t Stream(CrossthinkAddress stream) { return reinterpret_cast<cudaStream_t>(Pointer(stream)); }

}  // namespace crossthink::cuda

#endif  // CROSSTHINK_RUNTIME_CUDA_CHECK_H_
