#include <cstdio>
#include <cstring>
#include <map>

#include "interpreter/control.h"
#include "memory.h"
#include "runtime_state.h"

// Devices, errors and kernel attributes of the runtime API.
namespace cuda_interpreter {
namespace {

constexpr size_t kDeviceMemory = size_t{8} << 30;
constexpr int kMultiprocessors = 4;
constexpr size_t kSharedMemory = 48 << 10;
constexpr size_t kSharedMemoryOptIn = 99 << 10;  // Of sm_86 and sm_89, the smallest among the listed architectures.

thread_local cudaError_t last_error = cudaSuccess;
cudaError_t sticky_error = cudaSuccess;

std::map<const void*, size_t>& SharedLimits() {
  static std::map<const void*, size_t> limits;
  return limits;
}

}  // namespace

cudaError_t SetLastError(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

void SetStickyError(cudaError_t error) {
  if (error != cudaSuccess) sticky_error = error;
}

cudaError_t StickyError() {
  if (Reports().empty()) sticky_error = cudaSuccess;
  return SetLastError(sticky_error);
}

size_t DynamicSharedLimit(const void* kernel) {
  const auto entry = SharedLimits().find(kernel);
  return entry == SharedLimits().end() ? kSharedMemory : entry->second;
}

}  // namespace cuda_interpreter

using namespace cuda_interpreter;

extern "C" {

cudaError_t cudaDriverGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) { return SetLastError(device == 0 ? cudaSuccess : cudaErrorInvalidDevice); }
cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device != 0) return SetLastError(cudaErrorInvalidDevice);
  *properties = {};
  std::snprintf(properties->name, sizeof(properties->name), "CUDA interpreter (host CPU%s)",
                Checked() ? ", checked" : "");
  properties->major = 9;
  properties->minor = 0;
  properties->multiProcessorCount = kMultiprocessors;
  properties->warpSize = 32;
  properties->maxThreadsPerBlock = 1024;
  properties->l2CacheSize = 4 << 20;
  properties->sharedMemPerBlock = kSharedMemory;
  properties->sharedMemPerBlockOptin = kSharedMemoryOptIn;
  properties->totalGlobalMem = kDeviceMemory;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int device) {
  *value = kMultiprocessors;
  return SetLastError(device == 0 ? cudaSuccess : cudaErrorInvalidDevice);
}
cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total_bytes) {
  *total_bytes = kDeviceMemory;
  *free_bytes = kDeviceMemory - LiveBytes();
  return cudaSuccess;
}
cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize || value < 0 ||
      static_cast<size_t>(value) > kSharedMemoryOptIn) {
    return SetLastError(cudaErrorInvalidValue);
  }
  SharedLimits()[kernel] = static_cast<size_t>(value);
  return cudaSuccess;
}

cudaError_t cudaGetLastError() {
  StickyError();
  const cudaError_t error = last_error;
  last_error = cudaSuccess;
  return error;
}
cudaError_t cudaPeekAtLastError() {
  StickyError();
  return last_error;
}
const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration:
      return "cudaErrorInvalidConfiguration";
    case cudaErrorInsufficientDriver:
      return "cudaErrorInsufficientDriver";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice:
      return "cudaErrorInvalidDevice";
    case cudaErrorInvalidResourceHandle:
      return "cudaErrorInvalidResourceHandle";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    case cudaErrorStreamCaptureUnsupported:
      return "cudaErrorStreamCaptureUnsupported";
  }
  return "cudaErrorUnknown";
}
// The text of a failed launch is the first report: what a test or user needs to see.
const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorLaunchFailure && !Reports().empty() ? Reports().front().c_str() : cudaGetErrorName(error);
}

}  // extern "C"
