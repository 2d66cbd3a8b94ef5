#ifndef CUDA_INTERPRETER_ACCESS_H_
#define CUDA_INTERPRETER_ACCESS_H_

#include <cstddef>

namespace cuda_interpreter {

enum class AccessKind { kRead, kWrite, kAtomic };

// Checks one memory access of the running thread: is the address on the device or in shared memory, aligned, inside its
// allocation or array, written before it is read, and free of races? Called by the instrumentation (hooks.cpp).
void OnAccess(const void* address, size_t size, AccessKind kind, const void* caller);

// The instrumentation has announced itself: kernels are checked.
void SetChecked();

}  // namespace cuda_interpreter

#endif  // CUDA_INTERPRETER_ACCESS_H_
