#ifndef CROSSTHINK_RUNTIME_CUDA_MEMORY_H_
#define CROSSTHINK_RUNTIME_CUDA_MEMORY_H_

#include "runtime/cuda/api.h"

// Devices, memory and streams behind the C ABI; what each does is said there (api.h).
namespace crossthink::cuda {

int32_t DeviceCount(int32_t* count, CrossthinkCudaStatus* status);
int32_t DeviceInfo(int32_t device, CrossthinkCudaDevice* info, CrossthinkCudaStatus* status);
int32_t Allocate(int32_t device, uint64_t bytes, CrossthinkAddress* address, CrossthinkCudaStatus* status);
int32_t Release(int32_t device, CrossthinkAddress address, CrossthinkCudaStatus* status);
int32_t Copy(int32_t device, CrossthinkAddress to, CrossthinkAddress from, uint64_t bytes, int32_t direction,
             CrossthinkAddress stream, CrossthinkCudaStatus* status);
int32_t Fill(int32_t device, CrossthinkAddress address, int32_t byte, uint64_t bytes, CrossthinkAddress stream,
             CrossthinkCudaStatus* status);
int32_t PointerDevice(CrossthinkAddress address, int32_t* device, CrossthinkCudaStatus* status);
int32_t IpcExport(int32_t device, CrossthinkAddress address, uint8_t* handle, CrossthinkCudaStatus* status);
int32_t IpcOpen(int32_t device, const uint8_t* handle, CrossthinkAddress* address, CrossthinkCudaStatus* status);
int32_t IpcClose(int32_t device, CrossthinkAddress address, CrossthinkCudaStatus* status);
int32_t StreamCreate(int32_t device, CrossthinkAddress* stream, CrossthinkCudaStatus* status);
int32_t StreamDestroy(int32_t device, CrossthinkAddress stream, CrossthinkCudaStatus* status);
int32_t StreamSynchronize(int32_t device, CrossthinkAddress stream, CrossthinkCudaStatus* status);

}  // namespace crossthink::cuda

#endif  // CROSSTHINK_RUNTIME_CUDA_MEMORY_H_
