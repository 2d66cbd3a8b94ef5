#include "planted.h"

// Warp collectives that the lanes of their mask do not share.
namespace planted {
namespace {

__global__ void FullMaskInDivergentBranch(float* out) {
  auto v = static_cast<float>(threadIdx.x);
  if ((threadIdx.x & 1) != 0) v += __shfl_xor_sync(0xffffffffU, v, 2);
  __syncthreads();
  out[threadIdx.x] = v;
}

__global__ void CallerNotInMask(float* out) {
  float v = 0;
  if ((threadIdx.x & 1) != 0) v = __shfl_xor_sync(0x55555555U, 1.0F, 2);
  out[threadIdx.x] = v;
}

__global__ void ShuffleFromInactiveLane(float* out) {
  auto v = static_cast<float>(threadIdx.x);
  if ((threadIdx.x & 31) < 24) v = __shfl_down_sync(0x00ffffffU, v, 8);
  out[threadIdx.x] = v;
}

__global__ void DifferentCollectives(unsigned* out) {
  unsigned v = 0;
  if ((threadIdx.x & 1) != 0) {
    v = __ballot_sync(0xffffffffU, 1);
  } else {
    v = __shfl_xor_sync(0xffffffffU, threadIdx.x, 1);
  }
  out[threadIdx.x] = v;
}

__global__ void LaneHasExited(unsigned* out) {
  if (threadIdx.x == 31) return;
  out[threadIdx.x] = __ballot_sync(0xffffffffU, 1);
}

__global__ void WidthNotAPowerOfTwo(unsigned* out) { out[threadIdx.x] = __shfl_sync(0xffffffffU, threadIdx.x, 0, 12); }

}  // namespace

std::vector<Case> CollectiveBugs() {
  return {
      {"full mask in a divergent branch", Found::kByBoth, "deadlock",
       [] { Start(1, 64, 0, FullMaskInDivergentBranch, DeviceArray<float>(64)); }},
      {"caller not in its own mask", Found::kByBoth, "leaves it out",
       [] { Start(1, 64, 0, CallerNotInMask, DeviceArray<float>(64)); }},
      {"shuffle from an inactive lane", Found::kByBoth, "does not take part",
       [] { Start(1, 64, 0, ShuffleFromInactiveLane, DeviceArray<float>(64)); }},
      {"different collectives under one mask", Found::kByBoth, "different collectives",
       [] { Start(1, 64, 0, DifferentCollectives, DeviceArray<unsigned>(64)); }},
      {"a lane of the mask has exited", Found::kByBoth, "have exited",
       [] { Start(1, 32, 0, LaneHasExited, DeviceArray<unsigned>(32)); }},
      {"shuffle width 12", Found::kByBoth, "power of two",
       [] { Start(1, 32, 0, WidthNotAPowerOfTwo, DeviceArray<unsigned>(32)); }},
  };
}

}  // namespace planted
