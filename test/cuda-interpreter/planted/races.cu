#include "planted.h"

// Accesses that nothing orders.
namespace planted {
namespace {

__global__ void MissingBarrier(float* out) {
  __shared__ float s[64];
  s[threadIdx.x] = static_cast<float>(threadIdx.x);
  out[threadIdx.x] = s[63 - threadIdx.x];
}

__global__ void MissingBarrierBeforeReuse(float* out) {
  __shared__ float s[64];
  float sum = 0;
  for (int round = 0; round < 3; ++round) {
    s[threadIdx.x] = static_cast<float>(threadIdx.x);
    __syncthreads();
    sum += s[63 - threadIdx.x];
  }
  out[threadIdx.x] = sum;
}

__global__ void PlainIncrement(int* out) { out[0] = out[0] + 1; }
__global__ void PlainMeetsAtomic(int* out) {
  if (threadIdx.x == 0) {
    out[0] = 1;
  } else {
    atomicAdd(out, 1);
  }
}

__global__ void BlocksWriteOneAddress(unsigned* out) {
  if (threadIdx.x == 0) out[0] = blockIdx.x;
}

__global__ void WarpSynchronousWithoutSync(float* out) {
  __shared__ float s[64];
  const unsigned t = threadIdx.x;
  s[t] = static_cast<float>(t);
  __syncthreads();
  if (t < 32) {
    s[t] += s[t + 32];
    s[t] += s[t + 16];
    if (t == 0) out[0] = s[0];
  }
}

__global__ void ShuffleIsNoBarrier(float* out) {
  __shared__ float s[32];
  s[threadIdx.x] = 1;
  const float v = __shfl_xor_sync(0xffffffffU, 1.0F, 1);
  out[threadIdx.x] = s[31 - threadIdx.x] + v;
}

template <bool kFenceBeforeWrite>
__global__ void LastBlockWithoutFence(float* partial, unsigned* ticket, float* out) {
  if (threadIdx.x == 0) {
    if (kFenceBeforeWrite) __threadfence();
    partial[blockIdx.x] = 1;
    if (atomicAdd(ticket, 1U) == gridDim.x - 1) {
      float sum = 0;
      for (unsigned i = 0; i < gridDim.x; ++i) sum += partial[i];
      *out = sum;
    }
  }
}

// Bytes of one 32-bit word, one thread each: sound on a GPU, and here.
__global__ void NeighbouringBytes(unsigned char* out) { out[threadIdx.x] = 1; }

}  // namespace

std::vector<Case> RaceBugs() {
  return {
      {"neighbouring bytes (sound)", Found::kByNone, "",
       [] { Start(1, 64, 0, NeighbouringBytes, DeviceArray<unsigned char>(64)); }},
      {"missing barrier before a read", Found::kByChecked, "shared memory",
       [] { Start(1, 64, 0, MissingBarrier, DeviceArray<float>(64)); }},
      {"missing barrier before reuse", Found::kByChecked, "data race on shared memory",
       [] { Start(1, 64, 0, MissingBarrierBeforeReuse, DeviceArray<float>(64)); }},
      {"increment without atomics", Found::kByChecked, "data race on device memory",
       [] { Start(1, 64, 0, PlainIncrement, DeviceArray<int>(1)); }},
      {"plain write meets atomics", Found::kByChecked, "data race on device memory",
       [] { Start(1, 64, 0, PlainMeetsAtomic, DeviceArray<int>(1)); }},
      {"two blocks write one address", Found::kByChecked, "data race on device memory",
       [] { Start(2, 64, 0, BlocksWriteOneAddress, DeviceArray<unsigned>(1)); }},
      {"warp-synchronous code without __syncwarp", Found::kByChecked, "data race on shared memory",
       [] { Start(1, 64, 0, WarpSynchronousWithoutSync, DeviceArray<float>(1)); }},
      {"a shuffle taken for a barrier", Found::kByChecked, "data race on shared memory",
       [] { Start(1, 32, 0, ShuffleIsNoBarrier, DeviceArray<float>(32)); }},
      {"last block without a fence", Found::kByChecked, "data race on device memory",
       [] {
         Start(3, 32, 0, LastBlockWithoutFence<false>, DeviceArray<float>(3), DeviceArray<unsigned>(1),
               DeviceArray<float>(1));
       }},
      {"last block with its fence before the write", Found::kByChecked, "data race on device memory",
       [] {
         Start(3, 32, 0, LastBlockWithoutFence<true>, DeviceArray<float>(3), DeviceArray<unsigned>(1),
               DeviceArray<float>(1));
       }},
  };
}

}  // namespace planted
