#ifndef CUDA_INTERPRETER_PLANTED_H_
#define CUDA_INTERPRETER_PLANTED_H_

#include <cuda_runtime.h>

#include <functional>
#include <string>
#include <vector>

// The planted-bug suite: broken kernels, one bug each, and sound ones that use the same features. A detector that stops
// firing, or fires on sound code, fails the suite.
namespace planted {

// Which builds of the kernels must report the bug. Sound kernels are reported by none.
enum class Found { kByNone, kByChecked, kByBoth };

struct Case {
  std::string name;
  Found found;
  std::string report;  // Part of the report's text.
  std::function<void()> run;
};

std::vector<Case> SoundKernels();
std::vector<Case> BarrierBugs();
std::vector<Case> CollectiveBugs();
std::vector<Case> MemoryBugs();
std::vector<Case> RaceBugs();

// Device memory of `count` floats or integers for one case, filled with zeros; freed at the end of the process.
template <class T>
T* DeviceArray(size_t count) {
  void* data = nullptr;
  cudaMalloc(&data, count * sizeof(T));
  cudaMemsetAsync(data, 0, count * sizeof(T), nullptr);
  return static_cast<T*>(data);
}

template <class... Parameters, class... Arguments>
void Start(unsigned blocks, unsigned threads, size_t shared_bytes, void (*kernel)(Parameters...),
           Arguments... arguments) {
  cudaLaunchConfig_t config;
  config.gridDim = blocks;
  config.blockDim = threads;
  config.dynamicSmemBytes = shared_bytes;
  cudaLaunchKernelEx(&config, kernel, arguments...);
}

}  // namespace planted

#endif  // CUDA_INTERPRETER_PLANTED_H_
