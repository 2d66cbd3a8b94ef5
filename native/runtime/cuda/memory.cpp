#include "runtime/cuda/memory.h"

#include <cstring>

#include "runtime/cuda/check.h"
#include "runtime/cuda/device_scope.h"

namespace crossthink::cuda {
namespace {

CrossthinkAddress Address(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer); }

}  // namespace

int32_t DeviceCount(int32_t* count, CrossthinkCudaStatus* status) {
  *count = 0;
  int driver = 0;
  // Statically linked, the runtime answers version 0 where libcuda.so.1 is missing; any other call would say
  // "insufficient driver", which sends people the wrong way.
  cudaDriverGetVersion(&driver);
  if (driver == 0) {
    std::snprintf(status->message, sizeof(status->message),
                  "no NVIDIA driver (libcuda.so.1) on this machine; version %s or newer is needed", kMinimumDriver);
    return static_cast<int32_t>(cudaErrorInsufficientDriver);
  }
  int found = 0;
  const cudaError_t error = cudaGetDeviceCount(&found);
  if (error == cudaErrorNoDevice) {
    cudaGetLastError();
    return 0;
  }
  if (error == cudaErrorInsufficientDriver) {
    cudaGetLastError();
    std::snprintf(status->message, sizeof(status->message),
                  "the NVIDIA driver offers CUDA %d.%d only; version %s or newer is needed", driver / 1000,
                  driver % 1000 / 10, kMinimumDriver);
    return static_cast<int32_t>(error);
  }
  *count = found;
  return Finish(error, "cudaGetDeviceCount", status);
}

int32_t DeviceInfo(int32_t device, CrossthinkCudaDevice* info, CrossthinkCudaStatus* status) {
  cudaDeviceProp properties{};
  const cudaError_t error = cudaGetDeviceProperties(&properties, device);
  if (error == cudaSuccess) {
    *info = {};
    std::strncpy(info->name, properties.name, sizeof(info->name) - 1);
    info->major = properties.major;
    info->minor = properties.minor;
    info->multiprocessors = properties.multiProcessorCount;
    info->memory_bytes = properties.totalGlobalMem;
  }
  return Finish(error, "cudaGetDeviceProperties", status);
}

int32_t Allocate(int32_t device, uint64_t bytes, CrossthinkAddress* address, CrossthinkCudaStatus* status) {
  void* pointer = nullptr;
  const DeviceScope scope(device);
  const cudaError_t error = scope.Do([&] { return cudaMalloc(&pointer, bytes); });
  *address = Address(pointer);
  return Finish(error, "cudaMalloc", status);
}

int32_t Release(int32_t device, CrossthinkAddress address, CrossthinkCudaStatus* status) {
  const DeviceScope scope(device);
  return Finish(scope.Do([&] { return cudaFree(Pointer(address)); }), "cudaFree", status);
}

int32_t Copy(int32_t device, CrossthinkAddress to, CrossthinkAddress from, uint64_t bytes, int32_t direction,
             CrossthinkAddress stream, CrossthinkCudaStatus* status) {
  const DeviceScope scope(device);
  const cudaError_t error = scope.Do([&] {
    return cudaMemcpyAsync(Pointer(to), Pointer(from), bytes, static_cast<cudaMemcpyKind>(direction), Stream(stream));
  });
  return Finish(error, "cudaMemcpyAsync", status);
}

int32_t Fill(int32_t device, CrossthinkAddress address, int32_t byte, uint64_t bytes, CrossthinkAddress stream,
             CrossthinkCudaStatus* status) {
  const DeviceScope scope(device);
  const cudaError_t error = scope.Do([&] { return cudaMemsetAsync(Pointer(address), byte, bytes, Stream(stream)); });
  return Finish(error, "cudaMemsetAsync", status);
}

int32_t PointerDevice(CrossthinkAddress address, int32_t* device, CrossthinkCudaStatus* status) {
  cudaPointerAttributes attributes{};
  cudaError_t error = cudaPointerGetAttributes(&attributes, Pointer(address));
  if (error == cudaSuccess && attributes.type != cudaMemoryTypeDevice && attributes.type != cudaMemoryTypeManaged) {
    error = cudaErrorInvalidValue;
  }
  *device = attributes.device;
  return Finish(error, "the address is not device memory of this process", status);
}

int32_t IpcExport(int32_t device, CrossthinkAddress address, uint8_t* handle, CrossthinkCudaStatus* status) {
  cudaIpcMemHandle_t native{};
  static_assert(sizeof(native) == kCrossthinkCudaIpcBytes);
  const DeviceScope scope(device);
  const cudaError_t error = scope.Do([&] { return cudaIpcGetMemHandle(&native, Pointer(address)); });
  std::memcpy(handle, &native, sizeof(native));
  return Finish(error, "cudaIpcGetMemHandle", status);
}

int32_t IpcOpen(int32_t device, const uint8_t* handle, CrossthinkAddress* address, CrossthinkCudaStatus* status) {
  cudaIpcMemHandle_t native{};
  std::memcpy(&native, handle, sizeof(native));
  void* pointer = nullptr;
  const DeviceScope scope(device);
  const cudaError_t error =
      scope.Do([&] { return cudaIpcOpenMemHandle(&pointer, native, cudaIpcMemLazyEnablePeerAccess); });
  *address = Address(pointer);
  return Finish(error, "cudaIpcOpenMemHandle", status);
}

int32_t IpcClose(int32_t device, CrossthinkAddress address, CrossthinkCudaStatus* status) {
  const DeviceScope scope(device);
  return Finish(scope.Do([&] { return cudaIpcCloseMemHandle(Pointer(address)); }), "cudaIpcCloseMemHandle", status);
}

int32_t StreamCreate(int32_t device, CrossthinkAddress* stream, CrossthinkCudaStatus* status) {
  cudaStream_t created = nullptr;
  const DeviceScope scope(device);
  const cudaError_t error = scope.Do([&] { return cudaStreamCreateWithFlags(&created, cudaStreamNonBlocking); });
  *stream = Address(created);
  return Finish(error, "cudaStreamCreate", status);
}

int32_t StreamDestroy(int32_t device, CrossthinkAddress stream, CrossthinkCudaStatus* status) {
  const DeviceScope scope(device);
  return Finish(scope.Do([&] { return cudaStreamDestroy(Stream(stream)); }), "cudaStreamDestroy", status);
}

int32_t StreamSynchronize(int32_t device, CrossthinkAddress stream, CrossthinkCudaStatus* status) {
  const DeviceScope scope(device);
  return Finish(scope.Do([&] { return cudaStreamSynchronize(Stream(stream)); }), "cudaStreamSynchronize", status);
}

}  // namespace crossthink::cuda
