#ifndef CROSSTHINK_RUNTIME_CUDA_DEVICE_CUH_
#define CROSSTHINK_RUNTIME_CUDA_DEVICE_CUH_

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

// What every .cu file needs of CUDA, in a form that nvcc and the host interpreter (test/cuda-interpreter) both compile.
// CUDA's own word for it is one that the C++ library uses.
#define CT_NOINLINE __attribute__((noinline))

namespace crossthink::cuda {
namespace {

constexpr unsigned kFullWarp = 0xffffffffU;
constexpr unsigned kWarp = 32;

__device__ __forceinline__ unsigned LaneIndex() { return threadIdx.x % kWarp; }
__device__ __forceinline__ unsigned WarpIndex() { return threadIdx.x / kWarp; }

// The block's dynamic shared memory. One name for all kernels of a file: CUDA wants one extern array.
__device__ __forceinline__ void* DynamicShared() {
#if defined(CROSSTHINK_CUDA_INTERPRETER)
  return cuda_interpreter::DynamicSharedMemory();
#else
  extern __shared__ __align__(16) unsigned char dynamic_shared[];
  return dynamic_shared;
#endif
}

// The largest value of the warp, and of its keys.
__device__ __forceinline__ uint32_t WarpMax(uint32_t key) { return __reduce_max_sync(kFullWarp, key); }

// Starts a kernel; the arguments' types must be the parameters'.
template <class... Parameters, class... Arguments>
cudaError_t Launch(void (*kernel)(Parameters...), size_t blocks, unsigned threads, size_t shared_bytes,
                   cudaStream_t stream, const Arguments&... arguments) {
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(static_cast<unsigned>(blocks));
  config.blockDim = dim3(threads);
  config.dynamicSmemBytes = shared_bytes;
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, Parameters(arguments)...);
}

__host__ __device__ constexpr size_t CeilDivide(size_t a, size_t b) { return (a + b - 1) / b; }

// Multiprocessors of the current device; 1 where it cannot say.
inline unsigned MultiprocessorCount() {
  int device = 0;
  int count = 0;
  if (cudaGetDevice(&device) != cudaSuccess ||
      cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device) != cudaSuccess || count < 1) {
    return 1;
  }
  return static_cast<unsigned>(count);
}

}  // namespace
}  // namespace crossthink::cuda

#endif  // CROSSTHINK_RUNTIME_CUDA_DEVICE_CUH_
