#ifndef CROSSTHINK_RUNTIME_CUDA_DEVICE_SCOPE_H_
#define CROSSTHINK_RUNTIME_CUDA_DEVICE_SCOPE_H_

#include <cuda_runtime.h>

#include <cstdint>

namespace crossthink::cuda {

// Makes `device` current for one call and puts the caller's device back: a trainer in the same thread may use another.
class DeviceScope {
 public:
  explicit DeviceScope(int32_t device) {
    error_ = cudaGetDevice(&previous_);
    if (error_ == cudaSuccess && previous_ != device) {
      error_ = cudaSetDevice(device);
      restore_ = error_ == cudaSuccess;
    }
  }
  ~DeviceScope() {
    if (restore_) cudaSetDevice(previous_);
  }
  DeviceScope(const DeviceScope&) = delete;
  DeviceScope& operator=(const DeviceScope&) = delete;

  template <class Call>
  cudaError_t Do(Call call) const {
    return error_ == cudaSuccess ? call() : error_;
  }

 private:
  int previous_ = 0;
  bool restore_ = false;
  cudaError_t error_;
};

}  // namespace crossthink::cuda

#endif  // CROSSTHINK_RUNTIME_CUDA_DEVICE_SCOPE_H_
