#ifndef CROSSTHINK_KERNELS_SAMPLING_ROW_SAMPLER_CUH_
#define CROSSTHINK_KERNELS_SAMPLING_ROW_SAMPLER_CUH_

#include <cstddef>
#include <cstdint>

#include "kernels/sampling/decisions.h"
#include "kernels/sampling/sampling.h"
#include "kernels/sampling/select.cuh"
#include "kernels/tile.cuh"
#include "kernels/tile_join.h"
#include "spec/mass.h"
#include "spec/order.h"
#include "spec/philox.h"

// One row's draw by a block of 256 threads, after the sweep over its tiles (sample.cu). Every function is called by all
// threads of the block and returns the same to each.
namespace crossthink::cuda {
namespace {

constexpr size_t kListCapacity = 3072;  // Candidates kept in shared memory; more are read from the row each time.

// What the sweep leaves of the tiles of a row: partial sums, and the largest element of each of the warp's 32 threads.
struct TileSweep {
  spec::TilePartial* processed;  // [tiles]
  spec::TilePartial* raw;        // [tiles]
  uint32_t* maxima;              // [tiles * 32], spec::OrderedBits
};

struct RowShared {
  SelectShared select;
  spec::RowState row;
  spec::RowState raw;
  uint32_t largest;  // spec::OrderedBits of the largest logit.
  unsigned count;    // Candidates found.
  unsigned first;    // Lowest index found.
  TileChoice choice;
  unsigned long long keys[kListCapacity];
};

struct Drawn {
  int32_t token;  // -1: none.
  float logprob;
};

// A value that at least k elements of a row reach: the k-th largest of its threads' maxima.
__device__ __forceinline__ float BoundForCount(SelectShared* shared, const uint32_t* maxima, size_t count, size_t k) {
  const uint32_t lowest = spec::OrderedBits(kLowestLogit);
  const Selected bound = SelectKey(shared, 32, 0, k, [&](auto f) {
    for (size_t i = threadIdx.x; i < count; i += kSelectThreads) {
      const uint32_t key = maxima[i];
      if (key >= lowest) f(key, 1);
    }
  });
  return bound.found ? spec::FromOrderedBits(static_cast<uint32_t>(bound.key)) : kLowestLogit;
}

// The element of the chosen tile that its fraction falls on, by integer masses.
template <class S>
__device__ size_t DrawInTile(SelectShared* shared, const typename S::T* x, size_t n, float c,
                             const spec::TilePartial* tiles, const TileChoice& choice) {
  const size_t begin = choice.tile * spec::kTile;
  const size_t length = n - begin < spec::kTile ? n - begin : spec::kTile;
  const float reference = tiles[choice.tile].reference;
  const auto mass = [&](size_t j) { return static_cast<uint64_t>(TileMass<V>(S::Read(x + begin + j), c, reference)); };
  uint64_t own = 0;
  for (size_t j = threadIdx.x; j < length; j += kSelectThreads) own += mass(j);
  const uint64_t total = BlockSum(shared, own);
  const auto target = static_cast<uint64_t>(TileTarget(choice.fraction, static_cast<double>(total)));
  // In ascending order of position, that is in descending order of its complement.
  const Selected selected = SelectKey(shared, 16, 0, target + 1, [&](auto f) {
    for (size_t j = threadIdx.x; j < length; j += kSelectThreads) f(0xffff - j, mass(j));
  });
  return begin + (0xffff - selected.key);
}

template <class S>
class RowSampler {
 public:
  __device__ RowSampler(RowShared* shared, const typename S::T* x, size_t n, const TileSweep& tiles, float c)
      : shared_(shared), x_(x), n_(n), tiles_(tiles), count_(spec::TileCount(n)), c_(c) {}

  // The largest logit, ties to the lowest token id.
  __device__ Drawn Greedy() const {
    const uint32_t largest = Largest();
    const size_t tile = FirstIndex(count_, [&](size_t i) { return TileMax(i) == largest; });
    const size_t begin = tile * spec::kTile;
    const size_t length = n_ - begin < spec::kTile ? n_ - begin : spec::kTile;
    const size_t j =
        FirstIndex(length, [&](size_t i) { return spec::OrderedBits(S::Read(x_ + begin + i)) == largest; });
    return {static_cast<int32_t>(begin + j), 0.0F};
  }

  // An inverse-CDF draw over the whole row: the tile by the float64 prefix sums of the tile masses, the element by
  // integer masses.
  __device__ Drawn DrawFromRow(uint64_t bits) const {
    if (threadIdx.x == 0) {
      shared_->choice = ChooseTile(tiles_.processed, count_, shared_->row, spec::UnitDouble(bits) * shared_->row.sum);
    }
    __syncthreads();
    const size_t token = DrawInTile<S>(&shared_->select, x_, n_, c_, tiles_.processed, shared_->choice);
    return {static_cast<int32_t>(token), RowLogprob(S::Read(x_ + token), c_, shared_->row)};
  }

  // After top-k (0: off), then top-p (>= 1: off).
  __device__ Drawn DrawFiltered(size_t top_k, float top_p, uint64_t bits) {
    reference_ = ReferenceOf(spec::FromOrderedBits(Largest()), c_);
    if (!spec::IsFinite(reference_)) return {-1, spec::QuietNan()};  // Finite logits whose product with c overflows.
    uint64_t least = 0;
    uint64_t total = 0;
    if (top_k != 0) {
      Collect(BoundForCount(&shared_->select, tiles_.maxima, count_ * kWarp, top_k));
      least = SelectAbove(0, top_k, [](uint64_t) { return uint64_t{1}; }).key;
      total = MassAbove(least);
      if (top_p < 1.0F) CutByMass(NucleusLimit(static_cast<double>(total), top_p, false), &least, &total);
    } else {
      const uint64_t limit = NucleusLimit(RowMass(shared_->row, reference_), top_p, false);
      Collect(NucleusBound(shared_->row, n_, top_p, c_));
      // Truncated masses may fall short of the limit: then all that was collected stays.
      if (!CutByMass(limit, &least, &total)) total = MassAbove(0);
    }
    return DrawAbove(least, total, bits);
  }

 private:
  __device__ uint32_t Largest() const { return shared_->largest; }

  __device__ uint32_t TileMax(size_t tile) const {
    uint32_t largest = 0;
    for (unsigned i = 0; i < kWarp; ++i) largest = max(largest, tiles_.maxima[tile * kWarp + i]);
    return largest;
  }

  // The lowest index in [0, count) that fits; one does.
  template <class Fits>
  __device__ size_t FirstIndex(size_t count, Fits fits) const {
    __syncthreads();
    if (threadIdx.x == 0) shared_->first = 0xffffffffU;
    __syncthreads();
    for (size_t i = threadIdx.x; i < count; i += kSelectThreads) {
      if (fits(i)) {
        atomicMin(&shared_->first, static_cast<unsigned>(i));
        break;
      }
    }
    __syncthreads();
    return shared_->first;
  }

  // Calls f(key) for every element of the row >= bound, each by one thread.
  template <class F>
  __device__ void ForEachInRow(F f) const {
    const uint32_t bound = spec::OrderedBits(bound_);
    for (size_t tile = WarpIndex(); tile < count_; tile += kSelectThreads / kWarp) {
      if (tiles_.maxima[tile * kWarp + LaneIndex()] < bound) continue;
      const size_t begin = tile * spec::kTile;
      for (int i = 0; i < kTileRows * kThreadLanes; ++i) {
        const size_t j = begin + static_cast<size_t>(i / kThreadLanes) * spec::kLanes +
                         static_cast<size_t>(S::Column(static_cast<int>(LaneIndex()), i % kThreadLanes));
        if (j >= n_) continue;
        const float v = S::Read(x_ + j);
        if (bound_ <= v) f(spec::OrderKey(v, static_cast<uint32_t>(j)));
      }
    }
  }

  // Gathers the elements >= bound; from here on they are the candidates.
  __device__ void Collect(float bound) {
    bound_ = bound;
    __syncthreads();
    if (threadIdx.x == 0) shared_->count = 0;
    __syncthreads();
    ForEachInRow([&](uint64_t key) {
      const unsigned at = atomicAdd(&shared_->count, 1U);
      if (at < kListCapacity) shared_->keys[at] = key;
    });
    __syncthreads();
    listed_ = shared_->count <= kListCapacity;
  }

  template <class F>
  __device__ void ForEachCandidate(F f) const {
    if (!listed_) {
      ForEachInRow(f);
      return;
    }
    for (unsigned i = threadIdx.x; i < shared_->count; i += kSelectThreads) f(shared_->keys[i]);
  }

  __device__ uint64_t MassOf(uint64_t key) const {
    const float t = fmaf(spec::KeyValue(key), c_, -reference_);
    return spec::Mass(spec::Exp2Below128<V>(t));
  }

  template <class Weight>
  __device__ Selected SelectAbove(uint64_t least, uint64_t limit, Weight weight) const {
    return SelectKey(&shared_->select, 64, KnownOnes(n_), limit, [&](auto f) {
      ForEachCandidate([&](uint64_t key) {
        if (key >= least) f(key, weight(key));
      });
    });
  }

  __device__ uint64_t MassAbove(uint64_t least) const {
    uint64_t own = 0;
    ForEachCandidate([&](uint64_t key) {
      if (key >= least) own += MassOf(key);
    });
    return BlockSum(&shared_->select, own);
  }

  // Raises *least to the last key in front of which the mass is below the limit; false where all mass is.
  __device__ bool CutByMass(uint64_t limit, uint64_t* least, uint64_t* total) const {
    const Selected cut = SelectAbove(*least, limit, [&](uint64_t key) { return MassOf(key); });
    if (!cut.found) return false;
    *least = cut.key;
    *total = cut.before + MassOf(cut.key);
    return true;
  }

  // Draws among the candidates >= least, in ascending order of token id.
  __device__ Drawn DrawAbove(uint64_t least, uint64_t total, uint64_t bits) const {
    const uint64_t target = spec::DrawBelow(bits, total);
    const Selected selected = SelectKey(&shared_->select, 32, KnownOnes(n_), target + 1, [&](auto f) {
      ForEachCandidate([&](uint64_t key) {
        if (key >= least) f(key & 0xffffffffU, MassOf(key));
      });
    });
    const uint32_t token = spec::KeyToken(selected.key);
    return {static_cast<int32_t>(token), CandidateLogprob(S::Read(x_ + token), c_, reference_, total)};
  }

  RowShared* shared_;
  const typename S::T* x_;
  size_t n_;
  TileSweep tiles_;
  size_t count_;
  float c_;
  float reference_ = 0;
  float bound_ = kLowestLogit;
  bool listed_ = false;
};

}  // namespace
}  // namespace crossthink::cuda

#endif  // CROSSTHINK_KERNELS_SAMPLING_ROW_SAMPLER_CUH_
