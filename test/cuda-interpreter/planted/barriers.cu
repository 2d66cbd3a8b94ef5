#include "planted.h"

// Barriers that not every thread reaches.
namespace planted {
namespace {

__global__ void BarrierInBothBranches(float* out) {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    out[threadIdx.x] = 1;
    __syncthreads();
  }
}

__global__ void BarrierInUnevenLoop(float* out, unsigned n) {
  for (unsigned i = threadIdx.x; i < n; i += blockDim.x) {
    out[threadIdx.x] += static_cast<float>(i);
    __syncthreads();
  }
  __syncthreads();
  out[threadIdx.x] += 1;
}

__global__ void ExitBeforeBarrier(float* out) {
  if (threadIdx.x == 5) return;
  __syncthreads();
  out[threadIdx.x] = 1;
}

__global__ void WaitForNobody(int* flag) {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    __shfl_xor_sync(0xffffffffU, *flag, threadIdx.x < 48 ? 1 : 2);
    if (threadIdx.x == 63) __syncwarp();
  }
}

}  // namespace

std::vector<Case> BarrierBugs() {
  return {
      {"barrier in both branches", Found::kByBoth, "divergent barrier",
       [] { Start(1, 64, 0, BarrierInBothBranches, DeviceArray<float>(64)); }},
      {"barrier in a loop of uneven length", Found::kByBoth, "divergent barrier",
       [] { Start(1, 64, 0, BarrierInUnevenLoop, DeviceArray<float>(64), 70U); }},
      {"exit before a barrier", Found::kByBoth, "exits while other threads wait at the barrier",
       [] { Start(1, 64, 0, ExitBeforeBarrier, DeviceArray<float>(64)); }},
      {"a lane that waits for the rest of its warp", Found::kByBoth, "",
       [] { Start(1, 64, 0, WaitForNobody, DeviceArray<int>(1)); }},
  };
}

}  // namespace planted
