#include <cuda_runtime.h>

#include "runtime/cuda/api.h"
#include "runtime/cuda/memory.h"
#include "runtime/cuda/operations.h"

// The table behind libcrossthink_cuda.so's only exported symbol.
namespace crossthink::cuda {
namespace {

CrossthinkCudaApi MakeTable() {
  CrossthinkCudaApi api = {};
  api.abi_version = kAbiVersion;
  api.struct_bytes = sizeof(CrossthinkCudaApi);
  api.runtime_version = CUDART_VERSION;
#if defined(CROSSTHINK_CUDA_INTERPRETER)
  api.interpreted = 1;
#endif
  api.device_count = DeviceCount;
  api.device_info = DeviceInfo;
  api.allocate = Allocate;
  api.release = Release;
  api.copy = Copy;
  api.fill = Fill;
  api.pointer_device = PointerDevice;
  api.ipc_export = IpcExport;
  api.ipc_open = IpcOpen;
  api.ipc_close = IpcClose;
  api.stream_create = StreamCreate;
  api.stream_destroy = StreamDestroy;
  api.stream_synchronize = StreamSynchronize;
  AddOperations(&api);
  return api;
}

}  // namespace

extern "C" const CrossthinkCudaApi* crossthink_cuda_api() {
  static const CrossthinkCudaApi api = MakeTable();
  return &api;
}

}  // namespace crossthink::cuda
