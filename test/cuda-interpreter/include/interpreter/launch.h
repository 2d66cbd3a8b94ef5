#ifndef CUDA_INTERPRETER_LAUNCH_H_
#define CUDA_INTERPRETER_LAUNCH_H_

// Launches. Kernels are started with cudaLaunchKernelEx, CUDA's own function template: plain C++ for both compilers,
// unlike <<<...>>>.

#include <cstddef>
#include <functional>
#include <memory>
#include <tuple>
#include <utility>

#include "interpreter/runtime_api.h"
#include "interpreter/types.h"

struct cudaLaunchAttribute;  // None is modelled.

struct cudaLaunchConfig_t {
  dim3 gridDim;
  dim3 blockDim;
  size_t dynamicSmemBytes = 0;
  cudaStream_t stream = nullptr;
  cudaLaunchAttribute* attrs = nullptr;
  unsigned numAttrs = 0;
};

namespace cuda_interpreter {

// A launch with its arguments copied, as CUDA copies them.
struct Launch {
  const void* kernel = nullptr;  // Entry point: names the kernel in reports.
  cudaLaunchConfig_t config;
  std::shared_ptr<void> arguments;
  size_t argument_bytes = 0;
  void (*run_thread)(const void* kernel, void* arguments) = nullptr;
};

cudaError_t Submit(const Launch& launch);

template <class... Parameters>
void RunThread(const void* kernel, void* arguments) {
  std::apply(reinterpret_cast<void (*)(Parameters...)>(reinterpret_cast<uintptr_t>(kernel)),
             *static_cast<std::tuple<Parameters...>*>(arguments));
}

}  // namespace cuda_interpreter

template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  using Tuple = std::tuple<Parameters...>;
  cuda_interpreter::Launch launch;
  launch.kernel = reinterpret_cast<const void*>(kernel);
  launch.config = *config;
  launch.arguments = std::make_shared<Tuple>(static_cast<Parameters>(std::forward<Arguments>(arguments))...);
  launch.argument_bytes = sizeof(Tuple);
  launch.run_thread = &cuda_interpreter::RunThread<Parameters...>;
  return cuda_interpreter::Submit(launch);
}

template <class... Parameters>
cudaError_t cudaFuncSetAttribute(void (*kernel)(Parameters...), cudaFuncAttribute attribute, int value) {
  return cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), attribute, value);
}

#endif  // CUDA_INTERPRETER_LAUNCH_H_
