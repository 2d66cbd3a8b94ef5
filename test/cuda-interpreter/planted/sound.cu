#include "planted.h"

// Sound kernels: what the project's kernels do, done right.
namespace planted {
namespace {

constexpr unsigned kFull = 0xffffffffU;

__global__ void ReverseThroughShared(float* out) {
  __shared__ float s[64];
  s[threadIdx.x] = static_cast<float>(threadIdx.x);
  __syncthreads();
  out[threadIdx.x] = s[63 - threadIdx.x];
}

__global__ void ReuseWithTwoBarriers(float* out) {
  __shared__ float s[64];
  float sum = 0;
  for (int round = 0; round < 3; ++round) {
    s[threadIdx.x] = static_cast<float>(threadIdx.x);
    __syncthreads();
    sum += s[63 - threadIdx.x];
    __syncthreads();
  }
  out[threadIdx.x] = sum;
}

__global__ void WarpReduceInShared(float* out) {
  __shared__ float s[32];
  const unsigned lane = threadIdx.x;
  s[lane] = 1.0F;
  __syncwarp();
  for (unsigned distance = 16; distance > 0; distance /= 2) {
    const float other = lane < distance ? s[lane + distance] : 0.0F;
    __syncwarp();
    if (lane < distance) s[lane] += other;
    __syncwarp();
  }
  out[lane] = s[0];
}

__global__ void EveryCollective(unsigned* out) {
  const unsigned lane = threadIdx.x & 31;
  unsigned v = __shfl_xor_sync(kFull, lane, 5);
  v += __shfl_sync(kFull, lane, 3, 8);
  v += __shfl_up_sync(kFull, lane, 2);
  v += __shfl_down_sync(kFull, lane, 4);
  v += __ballot_sync(kFull, lane & 1) & 1;
  v += static_cast<unsigned>(__any_sync(kFull, lane == 7) + __all_sync(kFull, 1));
  v += __reduce_add_sync(kFull, lane) + __reduce_max_sync(kFull, lane);
  v += static_cast<unsigned>(__popc(__match_any_sync(kFull, lane / 4)));
  v += static_cast<unsigned>(__syncthreads_count(lane < 5) + __syncthreads_or(lane == 0));
  // One half-warp at a time: the mask names exactly the callers.
  if (lane < 16) v += __shfl_xor_sync(0xffffU, v, 1) * 0;
  // 5^lane, 3 of 8, up, down, ballot bit 0, any + all, sums, match, count + or.
  const unsigned up = lane < 2 ? lane : lane - 2;
  const unsigned down = lane > 27 ? lane : lane + 4;
  const unsigned expected = (lane ^ 5) + ((lane & ~7U) + 3) + up + down + 0 + 2 + 496 + 31 + 4 +
                            static_cast<unsigned>(blockDim.x / 32 * 5) + 1;
  atomicAdd(out, v == expected ? 0U : 1U);
}

__global__ void SharedHistogram(const unsigned* in, unsigned count, unsigned* out) {
  auto* bins = static_cast<unsigned*>(cuda_interpreter::DynamicSharedMemory());
  for (unsigned i = threadIdx.x; i < 16; i += blockDim.x) bins[i] = 0;
  __syncthreads();
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) {
    atomicAdd(&bins[in[i] % 16], 1U);
  }
  __syncthreads();
  for (unsigned i = threadIdx.x; i < 16; i += blockDim.x) atomicAdd(&out[i], bins[i]);
}

// The last block to finish reads what the others wrote.
__global__ void LastBlockSums(float* partial, unsigned* ticket, float* out) {
  __shared__ bool last;
  partial[blockIdx.x * blockDim.x + threadIdx.x] = 1.0F;
  __syncthreads();
  if (threadIdx.x == 0) {
    __threadfence();
    last = atomicAdd(ticket, 1U) == gridDim.x - 1;
  }
  __syncthreads();
  if (last && threadIdx.x == 0) {
    float sum = 0;
    for (unsigned i = 0; i < gridDim.x * blockDim.x; ++i) sum += partial[i];
    *out = sum;
  }
}

__global__ void VectorLoads(const uint4* in, uint4* out) { out[threadIdx.x] = __ldg(in + threadIdx.x); }

__global__ void SpinOnAtomic(int* flag) {
  if (threadIdx.x == 0) {
    while (atomicAdd(flag, 0) == 0) {
    }
  } else {
    atomicExch(flag, 1);
  }
}

}  // namespace

std::vector<Case> SoundKernels() {
  const auto expect = [](bool right) {
    if (!right) throw std::string("a sound kernel gave a wrong result");
  };
  const auto read = [](const auto* device) {
    std::remove_const_t<std::remove_pointer_t<decltype(device)>> value;
    cudaMemcpy(&value, device, sizeof(value), cudaMemcpyDeviceToHost);
    return value;
  };
  return {
      {"reverse through shared memory", Found::kByNone, "",
       [=] {
         auto* out = DeviceArray<float>(64);
         Start(1, 64, 0, ReverseThroughShared, out);
         expect(read(out + 3) == 60.0F);
       }},
      {"reuse with two barriers", Found::kByNone, "",
       [=] {
         auto* out = DeviceArray<float>(64);
         Start(1, 64, 0, ReuseWithTwoBarriers, out);
         expect(read(out) == 189.0F);
       }},
      {"warp reduction in shared memory", Found::kByNone, "",
       [=] {
         auto* out = DeviceArray<float>(32);
         Start(1, 32, 0, WarpReduceInShared, out);
         expect(read(out + 9) == 32.0F);
       }},
      {"every collective", Found::kByNone, "",
       [=] {
         auto* wrong = DeviceArray<unsigned>(1);
         Start(2, 64, 0, EveryCollective, wrong);
         expect(read(wrong) == 0);
       }},
      {"histogram in shared memory", Found::kByNone, "",
       [=] {
         auto* out = DeviceArray<unsigned>(16);
         Start(3, 64, 64, SharedHistogram, DeviceArray<unsigned>(1000), 1000U, out);
         expect(read(out) == 1000 && read(out + 1) == 0);
       }},
      {"the last block sums", Found::kByNone, "",
       [=] {
         auto* out = DeviceArray<float>(1);
         Start(4, 64, 0, LastBlockSums, DeviceArray<float>(256), DeviceArray<unsigned>(1), out);
         expect(read(out) == 256.0F);
       }},
      {"16-byte loads and stores", Found::kByNone, "",
       [=] { Start(1, 64, 0, VectorLoads, DeviceArray<uint4>(64), DeviceArray<uint4>(64)); }},
      {"spinning on an atomic", Found::kByNone, "", [=] { Start(1, 64, 0, SpinOnAtomic, DeviceArray<int>(1)); }},
  };
}

}  // namespace planted
