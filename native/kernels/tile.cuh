#ifndef CROSSTHINK_KERNELS_TILE_CUH_
#define CROSSTHINK_KERNELS_TILE_CUH_

#include <cstddef>
#include <cstdint>

#include "kernels/tile_join.h"
#include "runtime/cuda/device.cuh"
#include "simd/scalar.h"
#include "spec/bits.h"
#include "spec/exponential.h"
#include "spec/half.h"
#include "spec/tile.h"

// One tile of a row (2048 elements), one warp: loaded once into registers, 16 bytes a load, then summed as often as
// needed. The CPU's side of the same specification is tile_sum.h; docs/numerics.md, section 4, has the order.
//
// Element j of a tile belongs to lane j mod 256 (a lane of the specification, not of the warp); thread t of the warp
// holds eight of them, in each of the tile's eight rows of 256 elements:
//   float32               4t .. 4t+3 and 128+4t .. 128+4t+3: two loads of 16 bytes
//   bfloat16, float16     8t .. 8t+7: one load of 16 bytes
// so that every load of the warp covers consecutive memory.
namespace crossthink::cuda {
namespace {

constexpr int kTileRows = static_cast<int>(spec::kRowsPerTile);
constexpr int kThreadLanes = static_cast<int>(spec::kLanes / kWarp);
constexpr size_t kVectorBytes = 16;

using V = simd::Scalar;

// Storage types. Pack: the eight elements of one row of a tile that a thread holds.
struct Float32Storage {
  static constexpr float kMasked = -__builtin_huge_valf();
  using T = float;
  struct Pack {
    float v[kThreadLanes];
  };
  __device__ __forceinline__ static Pack Repacked(const Pack& pack) { return pack; }
  __device__ __forceinline__ static int Column(int thread, int k) { return k / 4 * 128 + 4 * thread + k % 4; }
  __device__ __forceinline__ static float Read(const T* p) { return *p; }
  __device__ __forceinline__ static void Write(T* p, float x) { *p = x; }
  __device__ __forceinline__ static float Get(const Pack& pack, int k) { return pack.v[k]; }
  __device__ __forceinline__ static void Put(Pack* pack, int k, float x) { pack->v[k] = x; }
  __device__ __forceinline__ static void PutStored(Pack* pack, int k, T x) { pack->v[k] = x; }
  __device__ __forceinline__ static Pack Load(const T* row, int thread) {
    const auto* vectors = reinterpret_cast<const float4*>(row);
    const float4 a = vectors[thread];
    const float4 b = vectors[thread + 32];
    return {{a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w}};
  }
  __device__ __forceinline__ static void Store(T* row, int thread, const Pack& pack) {
    auto* vectors = reinterpret_cast<float4*>(row);
    vectors[thread] = make_float4(pack.v[0], pack.v[1], pack.v[2], pack.v[3]);
    vectors[thread + 32] = make_float4(pack.v[4], pack.v[5], pack.v[6], pack.v[7]);
  }
};

// The two 16-bit types differ only in how an element is read and rounded.
template <float (*kRead)(uint16_t), uint16_t (*kRound)(float), uint16_t kMinusInfinity>
struct HalfStorage {
  static constexpr uint16_t kMasked = kMinusInfinity;
  using T = uint16_t;
  struct Pack {
    uint32_t words[kThreadLanes / 2];
  };
  // Keeps the compiler from holding all unpacked elements of a tile in registers between two uses.
  __device__ __forceinline__ static Pack Repacked(Pack pack) {
#pragma unroll
    for (int i = 0; i < kThreadLanes / 2; ++i) asm volatile("" : "+r"(pack.words[i]));
    return pack;
  }
  __device__ __forceinline__ static int Column(int thread, int k) { return 8 * thread + k; }
  __device__ __forceinline__ static float Read(const T* p) { return kRead(*p); }
  __device__ __forceinline__ static void Write(T* p, float x) { *p = kRound(x); }
  __device__ __forceinline__ static float Get(const Pack& pack, int k) {
    return kRead(static_cast<uint16_t>(pack.words[k / 2] >> (k % 2 * 16)));
  }
  __device__ __forceinline__ static void Put(Pack* pack, int k, float x) { PutStored(pack, k, kRound(x)); }
  __device__ __forceinline__ static void PutStored(Pack* pack, int k, T x) {
    const uint32_t kept = pack->words[k / 2] & (k % 2 == 0 ? 0xffff0000U : 0xffffU);
    pack->words[k / 2] = kept | static_cast<uint32_t>(x) << (k % 2 * 16);
  }
  __device__ __forceinline__ static Pack Load(const T* row, int thread) {
    const uint4 q = reinterpret_cast<const uint4*>(row)[thread];
    return {{q.x, q.y, q.z, q.w}};
  }
  __device__ __forceinline__ static void Store(T* row, int thread, const Pack& pack) {
    reinterpret_cast<uint4*>(row)[thread] = make_uint4(pack.words[0], pack.words[1], pack.words[2], pack.words[3]);
  }
};
using Bfloat16Storage = HalfStorage<spec::FromBfloat16, spec::ToBfloat16, 0xff80>;
using Float16Storage = HalfStorage<spec::FromFloat16, spec::ToFloat16, 0xfc00>;

__device__ __forceinline__ bool IsVectorAligned(const void* p) {
  return reinterpret_cast<uintptr_t>(p) % kVectorBytes == 0;
}

// Row `row` of a tile with n elements at `tile`; what stands past its end is -inf, which adds nothing to any sum.
template <class S>
__device__ __forceinline__ typename S::Pack LoadTail(const typename S::T* tile, int row, int n) {
  const int thread = static_cast<int>(LaneIndex());
  typename S::Pack pack = {};
#pragma unroll
  for (int k = 0; k < kThreadLanes; ++k) {
    const int j = row * static_cast<int>(spec::kLanes) + S::Column(thread, k);
    S::PutStored(&pack, k, j < n ? tile[j] : S::kMasked);
  }
  return pack;
}

template <class S>
struct Tile {
  using Lanes = S;                           // How the elements of a row lie in the threads.
  static constexpr int kUnroll = kTileRows;  // Registers have no index at run time.

  typename S::Pack rows[kTileRows];

  __device__ __forceinline__ typename S::Pack Row(int r) const { return S::Repacked(rows[r]); }

  // The n <= kTile elements at `tile`. All loads are issued before the first use.
  __device__ __forceinline__ void Load(const typename S::T* tile, int n) {
    if (n == static_cast<int>(spec::kTile) && IsVectorAligned(tile)) {
#pragma unroll
      for (int r = 0; r < kTileRows; ++r) rows[r] = S::Load(tile + r * spec::kLanes, static_cast<int>(LaneIndex()));
    } else {
#pragma unroll
      for (int r = 0; r < kTileRows; ++r) rows[r] = LoadTail<S>(tile, r, n);
    }
  }

  // The largest of this thread's elements in the first kCount rows; NaN ignored, -inf where there is none.
  template <int kCount>
  __device__ __forceinline__ float ThreadMax() const {
    float m = -spec::Infinity();
#pragma unroll
    for (int r = 0; r < kCount; ++r) {
#pragma unroll
      for (int k = 0; k < kThreadLanes; ++k) m = V::Max(m, S::Get(rows[r], k));
    }
    return m;
  }

  // The same over the whole warp.
  template <int kCount>
  __device__ __forceinline__ float Max() const {
    return spec::FromOrderedBits(WarpMax(spec::OrderedBits(ThreadMax<kCount>())));
  }
};

// Joins the warp's kCount consecutive lanes a thread by halving: threads +16, +8, ... +1, then the lanes of a thread.
// While a thread has several values left, each of a pair of threads keeps one half of them, so a level costs half as
// many shuffles as the one before. Every thread returns the total.
template <int kCount>
__device__ __forceinline__ float JoinThreads(float* v) {
  int count = kCount;
#pragma unroll
  for (unsigned distance = kWarp / 2; distance > 0; distance /= 2) {
    if (count > 1) {
      const bool upper = (LaneIndex() & distance) != 0;
      count /= 2;
#pragma unroll
      for (int k = 0; k < kCount / 2; ++k) {
        if (k >= count) continue;
        const float sent = upper ? v[k] : v[k + count];
        const float kept = upper ? v[k + count] : v[k];
        v[k] = kept + __shfl_xor_sync(kFullWarp, sent, static_cast<int>(distance));
      }
    } else {
      v[0] += __shfl_xor_sync(kFullWarp, v[0], static_cast<int>(distance));
    }
  }
#pragma unroll
  for (int lanes = kCount, distance = kWarp / 2; lanes > 1; lanes /= 2, distance /= 2) {
    v[0] += __shfl_xor_sync(kFullWarp, v[0], distance);
  }
  return v[0];
}

// Joins 256 lanes by halving, +128 first.
template <class S>
__device__ __forceinline__ float JoinLanes(float (&v)[kThreadLanes]) {
  if constexpr (sizeof(typename S::T) == sizeof(float)) {
#pragma unroll
    for (int k = 0; k < 4; ++k) v[k] += v[k + 4];
    return JoinThreads<4>(v);
  } else {
    return JoinThreads<8>(v);
  }
}

// Masses of a tile relative to 2^partial->reference.
template <Weighted kWeighted, class T>
__device__ __forceinline__ void SumAgainst(const T& tile, float c, spec::TilePartial* partial) {
  using S = typename T::Lanes;
  float sums[kThreadLanes] = {};
  float weights[kThreadLanes] = {};
  float squares[kThreadLanes] = {};
  const float minus_reference = -partial->reference;
#pragma unroll(T::kUnroll)
  for (int r = 0; r < kTileRows; ++r) {
    const typename S::Pack row = tile.Row(r);
#pragma unroll
    for (int k = 0; k < kThreadLanes; ++k) {
      const float t = fmaf(S::Get(row, k), c, minus_reference);
      const float p = spec::Exp2Below128<V>(t);
      sums[k] += p;
      if constexpr (kWeighted != Weighted::kNo) weights[k] = fmaf(p, V::Max(-127.0F, t), weights[k]);
      if constexpr (kWeighted == Weighted::kSquares) squares[k] = fmaf(p, p, squares[k]);
    }
  }
  partial->sum = JoinLanes<S>(sums);
  partial->weighted = 0;
  if constexpr (kWeighted != Weighted::kNo) partial->weighted = JoinLanes<S>(weights);
  partial->square = 0;
  if constexpr (kWeighted == Weighted::kSquares) partial->square = JoinLanes<S>(squares);
}

// Masses of the tile relative to a reference from its own data: as SumTile of tile_sum.h.
template <Weighted kWeighted, class T>
__device__ __forceinline__ spec::TilePartial SumTile(const T& tile, float c) {
  spec::TilePartial partial = {};
  partial.reference = ReferenceOf(tile.template Max<1>(), c);
  bool empty = false;
  bool exact = !spec::IsFinite(partial.reference);
  for (;;) {
    if (exact) {
      partial.reference = ReferenceOf(tile.template Max<kTileRows>(), c);
      empty = partial.reference == -spec::Infinity();
      if (empty) partial.reference = 0;
    }
    SumAgainst<kWeighted>(tile, c, &partial);
    if (exact || partial.sum <= spec::kTileSumLimit) break;
    exact = true;
  }
  if (empty) partial.reference = -spec::Infinity();
  return partial;
}

}  // namespace
}  // namespace crossthink::cuda

#endif  // CROSSTHINK_KERNELS_TILE_CUH_
