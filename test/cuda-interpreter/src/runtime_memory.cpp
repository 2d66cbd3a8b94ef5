#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "memory.h"
#include "report.h"
#include "runtime_state.h"

// Memory of the runtime API.
namespace {

using namespace cuda_interpreter;

// What cudaIpcMemHandle_t carries: where another process finds the memory file.
struct IpcHandle {
  pid_t process;
  int file;
  size_t bytes;
};
static_assert(sizeof(IpcHandle) <= sizeof(cudaIpcMemHandle_t));

cudaError_t Forbidden() {
  InvalidateCaptures();
  return SetLastError(cudaErrorStreamCaptureUnsupported);
}

// Each side of a copy must be where `kind` says it is. (On a device a host pointer could be pinned memory; a pointer to
// device memory given as host memory is a mistake there too.)
bool SidesMatch(const void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  const auto on_host = [bytes](const void* p) { return !TouchesDevice(p, bytes); };
  switch (kind) {
    case cudaMemcpyHostToHost:
      return on_host(to) && on_host(from);
    case cudaMemcpyHostToDevice:
      return OnDevice(to, bytes) && on_host(from);
    case cudaMemcpyDeviceToHost:
      return on_host(to) && OnDevice(from, bytes);
    case cudaMemcpyDeviceToDevice:
      return OnDevice(to, bytes) && OnDevice(from, bytes);
    case cudaMemcpyDefault:
      return (OnDevice(to, bytes) || on_host(to)) && (OnDevice(from, bytes) || on_host(from));
  }
  return false;
}

cudaError_t Copy(void* to, const void* from, size_t bytes) {
  std::memmove(to, from, bytes);
  if (OnDevice(to, bytes)) MarkWritten(to, bytes);
  return StickyError();
}

}  // namespace

extern "C" {

cudaError_t cudaMalloc(void** address, size_t bytes) {
  if (Capturing()) return Forbidden();
  *address = nullptr;
  if (bytes == 0) return cudaSuccess;
  const Allocation* allocation = Allocate(bytes);
  if (allocation == nullptr) return SetLastError(cudaErrorMemoryAllocation);
  *address = allocation->begin;
  return cudaSuccess;
}

cudaError_t cudaFree(void* address) {
  if (Capturing()) return Forbidden();
  if (address == nullptr || Free(address, false)) return cudaSuccess;
  return SetLastError(cudaErrorInvalidValue);
}

cudaError_t cudaMallocHost(void** address, size_t bytes) {
  *address = std::malloc(bytes);
  return *address != nullptr ? cudaSuccess : SetLastError(cudaErrorMemoryAllocation);
}

cudaError_t cudaFreeHost(void* address) {
  std::free(address);
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  if (Capturing()) return Forbidden();
  if (bytes == 0) return cudaSuccess;
  return SidesMatch(to, from, bytes, kind) ? Copy(to, from, bytes) : SetLastError(cudaErrorInvalidValue);
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  if (bytes == 0) return cudaSuccess;
  if (!SidesMatch(to, from, bytes, kind)) return SetLastError(cudaErrorInvalidValue);
  if (Capture(stream, [=] { return Copy(to, from, bytes); })) return cudaSuccess;
  return Copy(to, from, bytes);
}

cudaError_t cudaMemsetAsync(void* address, int value, size_t bytes, cudaStream_t stream) {
  if (bytes == 0) return cudaSuccess;
  if (!OnDevice(address, bytes)) return SetLastError(cudaErrorInvalidValue);
  const auto fill = [=] {
    std::memset(address, value, bytes);
    MarkWritten(address, bytes);
    return StickyError();
  };
  return Capture(stream, fill) ? cudaSuccess : fill();
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* address) {
  *attributes = {};
  if (OnDevice(address, 1)) {
    attributes->type = cudaMemoryTypeDevice;
    attributes->devicePointer = const_cast<void*>(address);
  }
  return cudaSuccess;
}

cudaError_t cudaIpcGetMemHandle(cudaIpcMemHandle_t* handle, void* address) {
  const Allocation* allocation = FindAllocation(address);
  if (allocation == nullptr || allocation->freed || allocation->foreign || allocation->begin != address) {
    return SetLastError(cudaErrorInvalidValue);
  }
  const IpcHandle content{getpid(), allocation->file, allocation->bytes};
  *handle = {};
  std::memcpy(handle, &content, sizeof(content));
  return cudaSuccess;
}

cudaError_t cudaIpcOpenMemHandle(void** address, cudaIpcMemHandle_t handle, unsigned) {
  IpcHandle content{};
  std::memcpy(&content, &handle, sizeof(content));
  // CUDA refuses a handle of the same process.
  if (content.process == getpid()) return SetLastError(cudaErrorInvalidResourceHandle);
  const int file = open(Format("/proc/%d/fd/%d", content.process, content.file).c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return SetLastError(cudaErrorInvalidResourceHandle);
  const Allocation* allocation = MapForeign(file, content.bytes);
  if (allocation == nullptr) {
    close(file);
    return SetLastError(cudaErrorMemoryAllocation);
  }
  *address = allocation->begin;
  return cudaSuccess;
}

cudaError_t cudaIpcCloseMemHandle(void* address) {
  return Free(address, true) ? cudaSuccess : SetLastError(cudaErrorInvalidValue);
}

}  // extern "C"
