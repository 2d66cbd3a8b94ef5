#ifndef CROSSTHINK_KERNELS_SAMPLING_WIDE_ROW_CUH_
#define CROSSTHINK_KERNELS_SAMPLING_WIDE_ROW_CUH_

#include <cstddef>
#include <cstdint>

#include "kernels/sampling/decisions.h"
#include "kernels/sampling/row_sampler.cuh"
#include "kernels/sampling/sampling.h"
#include "kernels/sampling/select.cuh"
#include "kernels/sampling/token_edits.h"
#include "kernels/sampling/wide_list.cuh"
#include "kernels/softcap.h"
#include "kernels/tile.cuh"
#include "kernels/tile_join.h"
#include "runtime/cuda/workspace.h"
#include "spec/order.h"
#include "spec/philox.h"

// One row of logits worked on by a block of 256 threads: a float32 copy of it in the workspace, which is edited and
// summed. Every function is called by all threads of the block and returns the same to each.
//
// What can be called from several places is not inlined, and what the block knows of its memory lies in shared memory:
// registers hold what the innermost loops need, and none are saved around calls.
namespace crossthink::cuda {
namespace {

constexpr size_t kWideSlots = 192;  // Rows in flight: a block on each multiprocessor of any GPU of today.

// One row's working memory on the device.
struct WideMemory {
  float* row;                    // [vocab]
  TokenList list;                // [vocab]
  spec::TilePartial* raw;        // [tiles]
  spec::TilePartial* processed;  // [tiles]
  uint32_t* maxima;              // [tiles * 32], spec::OrderedBits
};

// Working memory of all slots, and its stride in elements.
struct WideSlots {
  WideMemory first;
  size_t vocab;
  size_t tiles;

  __device__ WideMemory At(size_t slot) const {
    return {first.row + slot * vocab,
            {first.list.values + slot * vocab, first.list.ids + slot * vocab},
            first.raw + slot * tiles,
            first.processed + slot * tiles,
            first.maxima + slot * tiles * kWarp};
  }
};

inline WideSlots CutSlots(size_t vocab, size_t slots, WorkspaceCutter* cutter) {
  WideSlots all = {};
  all.vocab = CeilDivide(vocab, 64) * 64;  // Rows start on whole vectors.
  all.tiles = spec::TileCount(vocab);
  all.first.row = cutter->Take<float>(slots * all.vocab);
  all.first.list = {cutter->Take<float>(slots * all.vocab), cutter->Take<uint32_t>(slots * all.vocab)};
  all.first.raw = cutter->Take<spec::TilePartial>(slots * all.tiles);
  all.first.processed = cutter->Take<spec::TilePartial>(slots * all.tiles);
  all.first.maxima = cutter->Take<uint32_t>(slots * all.tiles * kWarp);
  return all;
}

struct WideShared {
  WideMemory memory;
  SelectShared select;
  ScanShared scan;
  spec::RowState raw;
  spec::RowState processed;
  TileChoice choice;
  double terms[kListChunk];
  double sum;
};

// A tile that stays in memory: its elements are read, 16 bytes a load, each time that they are used.
struct MemoryTile {
  using Lanes = Float32Storage;
  static constexpr int kUnroll = 1;

  const float* tile;
  int n;

  __device__ __forceinline__ Float32Storage::Pack Row(int r) const {
    constexpr int kLanes = static_cast<int>(spec::kLanes);
    if ((r + 1) * kLanes > n) return LoadTail<Float32Storage>(tile, r, n);
    return Float32Storage::Load(tile + r * kLanes, static_cast<int>(LaneIndex()));
  }
  // The largest of this thread's elements in the first rows; NaN ignored, -inf where there is none.
  __device__ __forceinline__ float ThreadMax(int rows) const {
    float m = -spec::Infinity();
#pragma unroll 1
    for (int r = 0; r < rows; ++r) {
      const Float32Storage::Pack pack = Row(r);
#pragma unroll
      for (int k = 0; k < kThreadLanes; ++k) m = V::Max(m, pack.v[k]);
    }
    return m;
  }
  template <int kCount>
  __device__ __forceinline__ float Max() const {
    return spec::FromOrderedBits(WarpMax(spec::OrderedBits(ThreadMax(kCount))));
  }
};

// The tokens that one thread of the block edits.
struct ThreadTokens {
  size_t n;
  __device__ bool Has(int32_t token) const {
    return token >= 0 && static_cast<size_t>(token) < n && static_cast<uint32_t>(token) % kSelectThreads == threadIdx.x;
  }
};

__device__ __forceinline__ uint64_t Larger(uint64_t a, uint64_t b) { return b > a ? b : a; }

class WideRow {
 public:
  __device__ WideRow(const Sampling& op, size_t row, WideShared* shared)
      : op_(op), row_(row), n_(op.logits.vocab), shared_(shared) {}

  // Element j of the row as it was given.
  __device__ float Logit(size_t j) const {
    const size_t at = row_ * op_.logits.stride + j;
    switch (op_.logits.type) {
      case DType::kFloat32:
        return static_cast<const float*>(op_.logits.data)[at];
      case DType::kBfloat16:
        return spec::FromBfloat16(static_cast<const uint16_t*>(op_.logits.data)[at]);
      case DType::kFloat16:
        break;
    }
    return spec::FromFloat16(static_cast<const uint16_t*>(op_.logits.data)[at]);
  }
  // Element j of the copy.
  __device__ float& Copied(size_t j) const { return shared_->memory.row[j]; }

  __device__ void Copy(float softcap) const {
    for (size_t j = threadIdx.x; j < n_; j += kSelectThreads) {
      const float v = Logit(j);
      Copied(j) = softcap > 0 ? CapLogits<V>(v, softcap) : v;
    }
    __syncthreads();
  }

  // Sums the copy, uncapped and unedited but for softcap. False where it has no distribution.
  __device__ bool SumRaw() const {
    Sum(Log2Factor(1.0F), shared_->memory.raw, &shared_->raw);
    return HasDistribution(shared_->raw);
  }

  // What the model said, softcap included; after SumRaw.
  __device__ float RawLogprob(size_t token) const {
    if (!HasDistribution(shared_->raw)) return spec::QuietNan();
    float v = Logit(token);
    if (op_.edits.softcap > 0) v = CapLogits<V>(v, op_.edits.softcap);
    return RowLogprob(v, Log2Factor(1.0F), shared_->raw);
  }

  // Everything after softcap.
  __device__ CT_NOINLINE void Edit() const {
    const LogitEdits& edits = op_.edits;
    if (edits.bitmask != nullptr) {
      const int32_t* mask = edits.bitmask + (edits.mask_per_row ? row_ * edits.mask_words : 0);
      for (size_t j = threadIdx.x; j < n_; j += kSelectThreads) {
        const size_t word = j / 32;
        const bool allowed = word < edits.mask_words && (static_cast<uint32_t>(mask[word]) >> (j % 32) & 1U) != 0;
        if (!allowed) Copied(j) = -spec::Infinity();
      }
    }
    EditTokens(edits, row_, ThreadTokens{n_}, shared_->memory.list.ids, shared_->memory.row);
    __syncthreads();
  }

  __device__ CT_NOINLINE void Sum(float c, spec::TilePartial* tiles, spec::RowState* sum) const {
    const size_t count = spec::TileCount(n_);
    for (size_t i = WarpIndex(); i < count; i += kSelectThreads / kWarp) {
      const spec::TilePartial partial = SumTile<Weighted::kYes>(TileAt(i), c);
      if (LaneIndex() == 0) tiles[i] = partial;
    }
    __syncthreads();
    if (threadIdx.x == 0) *sum = JoinTiles(tiles, count);
    __syncthreads();
  }

  // The largest logit of the copy, ties to the lowest token id.
  __device__ CT_NOINLINE size_t Greedy() const {
    uint64_t own = 0;
    for (size_t j = threadIdx.x; j < n_; j += kSelectThreads) {
      own = Larger(own, spec::OrderKey(Copied(j), static_cast<uint32_t>(j)));
    }
    return spec::KeyToken(BlockMax(&shared_->scan, own));
  }

  // Why a row has no distribution: as it was given, or where it is sound, as it was edited.
  __device__ CT_NOINLINE RowStatus Diagnose(bool edited) const {
    const RowStatus status = DiagnoseElements([&](size_t j) { return Logit(j); });
    if (status != RowStatus::kPositiveInfinity || !edited) return status;
    return DiagnoseElements([&](size_t j) { return Copied(j); });
  }

 protected:
  __device__ MemoryTile TileAt(size_t tile) const {
    const size_t rest = n_ - tile * spec::kTile;
    return {shared_->memory.row + tile * spec::kTile, static_cast<int>(rest < spec::kTile ? rest : spec::kTile)};
  }

  __device__ uint64_t Random64(uint32_t sample, spec::Purpose purpose) const {
    return spec::FirstWord64(RandomWords(sample, purpose));
  }
  __device__ spec::PhiloxWords RandomWords(uint32_t sample, spec::Purpose purpose) const {
    return spec::Draw(op_.seed, op_.sequences[row_], static_cast<uint32_t>(op_.positions[row_]), sample, purpose);
  }

  const Sampling& op_;
  size_t row_;
  size_t n_;
  WideShared* shared_;

 private:
  template <class Element>
  __device__ RowStatus DiagnoseElements(Element element) const {
    bool nan = false;
    bool positive = false;
    for (size_t j = threadIdx.x; j < n_; j += kSelectThreads) {
      const float v = element(j);
      nan |= v != v;
      positive |= v > 0;
    }
    if (__syncthreads_or(nan ? 1 : 0) != 0) return RowStatus::kNan;
    return __syncthreads_or(positive ? 1 : 0) != 0 ? RowStatus::kPositiveInfinity : RowStatus::kAllMasked;
  }
};

}  // namespace
}  // namespace crossthink::cuda

#endif  // CROSSTHINK_KERNELS_SAMPLING_WIDE_ROW_CUH_
