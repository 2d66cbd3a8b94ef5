#ifndef CUDA_INTERPRETER_MODULES_H_
#define CUDA_INTERPRETER_MODULES_H_

namespace cuda_interpreter {

enum class ModuleMemory {
  kNone,
  kConstant,      // Read-only data of a loaded module: tables of the kernels.
  kVariable,      // Writable data of a loaded module: a host global, or a __device__ variable (not modelled).
  kStaticShared,  // Thread-local data of the kernel's module: a __shared__ variable.
};

// Says what `address` is among the data of loaded modules, for code at `caller`.
ModuleMemory ClassifyModuleMemory(const void* address, const void* caller);

}  // namespace cuda_interpreter

#endif  // CUDA_INTERPRETER_MODULES_H_
