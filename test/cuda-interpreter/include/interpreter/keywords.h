#ifndef CUDA_INTERPRETER_KEYWORDS_H_
#define CUDA_INTERPRETER_KEYWORDS_H_

// CUDA's keywords and built-in variables for the host compiler.

#include "interpreter/types.h"

#define __global__
#define __device__
#define __host__
#define __constant__ const
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __grid_constant__

// One block runs at a time and all its threads on one OS thread, so a thread-local variable is exactly as shared as
// CUDA's. The checked build recognises it by its address: in the thread-local storage of the kernel's module.
#define __shared__ static thread_local

// Set whenever another thread goes on. (CUDA has them const: nvcc rejects a kernel that assigns to them.)
extern constinit thread_local uint3 threadIdx;
extern constinit thread_local uint3 blockIdx;
extern constinit thread_local dim3 blockDim;
extern constinit thread_local dim3 gridDim;

inline constexpr int warpSize = 32;

namespace cuda_interpreter {

// Dynamic shared memory of the running block, 128-byte aligned. Under nvcc it is an extern __shared__ array, which this
// header cannot imitate: crossthink::cuda::DynamicShared (native/runtime/cuda_device.cuh) hides the difference.
void* DynamicSharedMemory();

}  // namespace cuda_interpreter

#endif  // CUDA_INTERPRETER_KEYWORDS_H_
