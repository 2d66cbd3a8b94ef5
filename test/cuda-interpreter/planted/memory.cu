#include <array>

#include "planted.h"

// Addresses that a kernel must not touch, or not yet.
namespace planted {
namespace {

float host_global[64];
const float kConstants[4] = {1, 2, 3, 4};

__global__ void WriteAt(float* out, unsigned offset) { out[threadIdx.x + offset] = 1; }
__global__ void Read(float* out, const float* in) { out[threadIdx.x] = in[threadIdx.x]; }
__global__ void ReadPast(float* out, const float* in, unsigned offset) { out[threadIdx.x] = in[threadIdx.x + offset]; }

__global__ void DynamicSharedPastTheEnd(float* out) {
  auto* s = static_cast<float*>(cuda_interpreter::DynamicSharedMemory());
  if (threadIdx.x == 63) s[64] = 2;
  out[threadIdx.x] = 0;
}

__global__ void StaticSharedPastTheEnd(float* out, unsigned offset) {
  __shared__ float s[32];
  if (threadIdx.x == 0) {
    s[0] = 0;
    s[offset] = 1;
    out[0] = s[0];
  }
}

__global__ void SharedNobodyWrote(float* out) {
  __shared__ float s[64];
  if (threadIdx.x < 32) s[threadIdx.x] = 1;
  __syncthreads();
  out[threadIdx.x] = s[threadIdx.x];
}

// Reads what the block before it left: passes on most machines.
__global__ void SharedOfAnotherBlock(float* out) {
  auto* s = static_cast<float*>(cuda_interpreter::DynamicSharedMemory());
  if (blockIdx.x == 0) s[threadIdx.x] = 1;
  __syncthreads();
  if (blockIdx.x == 1) out[threadIdx.x] = s[threadIdx.x];
}

__global__ void Misaligned(uint4* out, const char* in) {
  out[threadIdx.x] = *reinterpret_cast<const uint4*>(in + 8 + size_t{16} * threadIdx.x);
}

__global__ void ReadHostGlobal(float* out) { out[threadIdx.x] = host_global[threadIdx.x]; }
__global__ void ReadConstants(float* out) { out[threadIdx.x] = kConstants[threadIdx.x % 4]; }

__global__ void LeakLocalAddress(float** slot, float* out) {
  float local = 1;
  if (threadIdx.x == 0) *slot = &local;
  __syncthreads();
  out[threadIdx.x] = **slot;
  __syncthreads();
}

float* Uninitialised(size_t count) {
  void* data = nullptr;
  cudaMalloc(&data, count * sizeof(float));
  return static_cast<float*>(data);
}

}  // namespace

std::vector<Case> MemoryBugs() {
  return {
      {"constant table of the module (sound)", Found::kByNone, "",
       [] { Start(1, 64, 0, ReadConstants, DeviceArray<float>(64)); }},
      {"write past the end of device memory", Found::kByChecked, "out of bounds",
       [] { Start(1, 64, 0, WriteAt, DeviceArray<float>(64), 1U); }},
      {"read past the end of device memory", Found::kByChecked, "out of bounds",
       [] { Start(1, 64, 0, ReadPast, DeviceArray<float>(64), DeviceArray<float>(64), 1U); }},
      {"read before the start of device memory", Found::kByChecked, "",
       [] { Start(1, 64, 0, ReadPast, DeviceArray<float>(64), DeviceArray<float>(64) - 2, 0U); }},
      {"device memory after cudaFree", Found::kByChecked, "after cudaFree",
       [] {
         auto* in = DeviceArray<float>(64);
         cudaFree(in);
         Start(1, 64, 0, Read, DeviceArray<float>(64), in);
       }},
      {"device memory nobody wrote", Found::kByChecked, "uninitialised device memory",
       [] { Start(1, 64, 0, Read, DeviceArray<float>(64), Uninitialised(64)); }},
      {"dynamic shared memory past the end", Found::kByChecked, "out of bounds",
       [] { Start(1, 64, 256, DynamicSharedPastTheEnd, DeviceArray<float>(64)); }},
      {"static shared memory past the end", Found::kByChecked, "index 32 is out of bounds",
       [] { Start(1, 64, 0, StaticSharedPastTheEnd, DeviceArray<float>(64), 32U); }},
      {"shared memory nobody wrote", Found::kByChecked, "uninitialised shared memory",
       [] { Start(1, 64, 0, SharedNobodyWrote, DeviceArray<float>(64)); }},
      {"shared memory of another block", Found::kByChecked, "uninitialised shared memory",
       [] { Start(2, 64, 256, SharedOfAnotherBlock, DeviceArray<float>(64)); }},
      {"misaligned 16-byte load", Found::kByChecked, "misaligned",
       [] { Start(1, 8, 0, Misaligned, DeviceArray<uint4>(64), DeviceArray<char>(1024)); }},
      {"host heap pointer", Found::kByChecked, "not device memory",
       [] {
         static const std::vector<float> host(64);
         Start(1, 64, 0, Read, DeviceArray<float>(64), host.data());
       }},
      {"host stack pointer", Found::kByChecked, "not device memory",
       [] {
         const std::array<float, 64> host{};
         Start(1, 64, 0, Read, DeviceArray<float>(64), host.data());
       }},
      {"host global variable", Found::kByChecked, "global variable",
       [] {
         host_global[0] = 1;
         Start(1, 64, 0, ReadHostGlobal, DeviceArray<float>(64));
       }},
      {"local memory of another thread", Found::kByChecked, "another thread's local memory",
       [] { Start(1, 64, 0, LeakLocalAddress, DeviceArray<float*>(1), DeviceArray<float>(64)); }},
  };
}

}  // namespace planted
