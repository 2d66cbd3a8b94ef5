#ifndef CROSSTHINK_KERNELS_SAMPLING_WIDE_FILTERS_CUH_
#define CROSSTHINK_KERNELS_SAMPLING_WIDE_FILTERS_CUH_

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/sampling/wide_row.cuh"
#include "spec/logarithm.h"
#include "spec/mass.h"

// One row on its way through the filters: FilteredRow of filters_cpu.h for a block of 256 threads, step by step. Every
// function is called by all threads of the block and returns the same to each. Searches differ from the CPU's (radix
// selection, bounds from other maxima); formulas and cuts are decisions.h's.
namespace crossthink::cuda {
namespace {

// What the host makes of a Sampling for the kernels.
struct WidePlan {
  uint8_t steps[kMaxSteps];
  uint32_t step_count;
  bool edited;
};

inline WidePlan PlanOf(const Sampling& op) {
  WidePlan plan = {};
  plan.step_count = static_cast<uint32_t>(op.step_count);
  for (size_t i = 0; i < op.step_count; ++i) plan.steps[i] = op.steps[i];
  plan.edited = op.edits.Any();
  return plan;
}

class WideFilters : public WideRow {
 public:
  __device__ WideFilters(const Sampling& op, const WidePlan& plan, size_t row, WideShared* shared)
      : WideRow(op, row, shared), plan_(plan) {}

  // Applies the steps in order. False where the row has no distribution.
  __device__ bool Filter() {
    for (uint32_t i = 0; i < plan_.step_count; ++i) {
      if (!Apply(static_cast<SamplingStep>(plan_.steps[i]))) return false;
      if (listed_ && size_ == 0) return false;
    }
    return listed_ || HasDistribution(Sums());
  }

  // Lists every token that is left. False where they have no masses.
  __device__ bool ListAll() { return listed_ || List(kLowestLogit); }

  __device__ bool listed() const { return listed_; }
  __device__ const TokenList& list() const { return shared_->memory.list; }
  __device__ size_t size() const { return size_; }
  __device__ float c() const { return c_; }
  __device__ float reference() const { return reference_; }
  // memory.raw and shared->raw are sums of this very row at temperature 1.
  __device__ void UseRawSum() { has_raw_ = true; }

  // Sums of the whole row at the current temperature, and the tiles they are joined of.
  __device__ const spec::RowState& Sums() {
    if (HasRawSum()) return shared_->raw;
    if (!summed_) Sum(c_, shared_->memory.processed, &shared_->processed);
    summed_ = true;
    return shared_->processed;
  }
  __device__ const spec::TilePartial* Tiles() const {
    return HasRawSum() ? shared_->memory.raw : shared_->memory.processed;
  }

  // Lists the k largest elements of the row, or of what is left of it, and on request what is as large as the last of
  // them. False where they have no masses.
  __device__ CT_NOINLINE bool ListLargest(size_t k, bool keep_ties) {
    FindMaxima();
    const bool weighed =
        listed_ || List(BoundForCount(&shared_->select, shared_->memory.maxima, spec::TileCount(n_) * kWarp, k));
    if (size_ <= k) return weighed;
    const uint64_t last = CutKey(SelectListed(k, [](size_t) { return uint64_t{1}; }).key, keep_ties);
    KeepIf([last](float value, uint32_t id) { return spec::OrderKey(value, id) >= last; });
    return weighed;
  }

  template <class F>
  __device__ void ForEachListed(F f) const {
    for (size_t i = threadIdx.x; i < size_; i += kSelectThreads) f(i);
  }

  __device__ uint64_t MassOf(float value) const {
    return spec::Mass(spec::Exp2Below128<V>(fmaf(value, c_, -reference_)));
  }

  __device__ uint64_t TotalMass() const {
    uint64_t own = 0;
    ForEachListed([&](size_t i) { own += MassOf(list().values[i]); });
    return BlockSum(&shared_->select, own);
  }

 protected:
  const WidePlan& plan_;

 private:
  __device__ bool HasRawSum() const { return has_raw_ && c_ == Log2Factor(1.0F); }

  __device__ bool Apply(SamplingStep step) {
    switch (step) {
      case SamplingStep::kTemperature:
        return SetTemperature(op_.temperature.At(row_));
      case SamplingStep::kTopK: {
        const auto k = static_cast<size_t>(op_.top_k.At(row_));
        return k == 0 || k >= n_ || ListLargest(k, op_.keep_ties);
      }
      case SamplingStep::kTopP:
      case SamplingStep::kTopPOfRow:
        return op_.top_p.At(row_) >= 1.0F || TopP(op_.top_p.At(row_), step == SamplingStep::kTopPOfRow);
      case SamplingStep::kMinP:
        return op_.min_p.At(row_) <= 0.0F || MinP(op_.min_p.At(row_));
      case SamplingStep::kTypicalP:
        return op_.typical_p.At(row_) >= 1.0F || TypicalP(op_.typical_p.At(row_));
      case SamplingStep::kTopNSigma:
        return op_.top_n_sigma.At(row_) <= 0.0F || TopNSigma(op_.top_n_sigma.At(row_));
      case SamplingStep::kXtc:
        return op_.xtc_probability.At(row_) <= 0.0F || Xtc();
    }
    return true;
  }

  __device__ bool SetTemperature(float temperature) {
    const float c = Log2Factor(temperature);
    if (c == c_) return true;
    c_ = c;
    summed_ = false;
    return !listed_ || Weigh();
  }

  // The reference of masses: above the largest logit of the row, whatever the filters removed.
  __device__ bool Weigh() {
    reference_ = ReferenceOf(largest_, c_);
    return spec::IsFinite(reference_);
  }

  __device__ CT_NOINLINE void FindMaxima() {
    if (has_maxima_) return;
    has_maxima_ = true;
    uint64_t own = 0;
    for (size_t i = WarpIndex(); i < spec::TileCount(n_); i += kSelectThreads / kWarp) {
      const uint32_t largest = spec::OrderedBits(TileAt(i).ThreadMax(kTileRows));
      shared_->memory.maxima[i * kWarp + LaneIndex()] = largest;
      own = Larger(own, largest);
    }
    largest_ = spec::FromOrderedBits(static_cast<uint32_t>(BlockMax(&shared_->scan, own)));
  }

  // Lists the elements >= bound.
  __device__ CT_NOINLINE bool List(float bound) {
    FindMaxima();
    size_ = FillList(&shared_->scan, n_, list(), [&](size_t j, float* value, uint32_t* id) {
      *value = Copied(j);
      *id = static_cast<uint32_t>(j);
      return bound <= *value;
    });
    listed_ = true;
    return Weigh();
  }

  // keeps(value, id)
  template <class Predicate>
  __device__ __forceinline__ void KeepIf(Predicate keeps) {
    size_ = FillList(&shared_->scan, size_, list(), [&](size_t i, float* value, uint32_t* id) {
      *value = list().values[i];
      *id = list().ids[i];
      return keeps(*value, *id);
    });
  }

  // The last listed token, by key_of(i) descending, in front of which weight_of(i) adds up to less than the limit.
  template <class Key, class Weight>
  __device__ __forceinline__ Selected SelectBy(uint64_t limit, Key key_of, Weight weight_of) const {
    return SelectKey(&shared_->select, 64, KnownOnes(n_), limit,
                     [&](auto f) { ForEachListed([&](size_t i) { f(key_of(i), weight_of(i)); }); });
  }
  template <class Weight>
  __device__ __forceinline__ Selected SelectListed(uint64_t limit, Weight weight_of) const {
    return SelectBy(
        limit, [&](size_t i) { return spec::OrderKey(list().values[i], list().ids[i]); }, weight_of);
  }

  __device__ CT_NOINLINE bool TopP(float top_p, bool of_row) {
    of_row = of_row || !listed_;
    if (of_row && !HasDistribution(Sums())) return false;
    if (!listed_ && !List(NucleusBound(Sums(), n_, top_p, c_))) return false;
    const double mass = of_row ? RowMass(Sums(), reference_) : static_cast<double>(TotalMass());
    const uint64_t limit = NucleusLimit(mass, top_p, op_.inclusive_top_p);
    const Selected cut = SelectListed(limit, [&](size_t i) { return MassOf(list().values[i]); });
    // Truncated masses may fall short of the limit: then all that was listed stays.
    if (!cut.found) return true;
    const uint64_t last = CutKey(cut.key, op_.keep_ties);
    KeepIf([last](float value, uint32_t id) { return spec::OrderKey(value, id) >= last; });
    return true;
  }

  __device__ CT_NOINLINE bool MinP(float min_p) {
    FindMaxima();
    if (!listed_ && !List(MinPBound(largest_, min_p, c_))) return false;
    uint64_t own = 0;
    ForEachListed([&](size_t i) { own = Larger(own, MassOf(list().values[i])); });
    const uint64_t most = BlockMax(&shared_->scan, own);
    const auto least = static_cast<uint64_t>(static_cast<double>(min_p) * static_cast<double>(most));
    KeepIf([&](float value, uint32_t) { return MassOf(value) >= least; });
    return true;
  }

  __device__ CT_NOINLINE bool TypicalP(float typical_p) {
    if (!ListAll()) return false;
    const auto total = static_cast<double>(TotalMass());
    const double log2_total = spec::Log2Double(total) - 40.0;
    const double entropy = EntropyOfList(total, log2_total);
    auto limit = static_cast<uint64_t>(static_cast<double>(typical_p) * total);
    if (limit == 0) limit = 1;
    const auto key = [&](float value, uint32_t id) {
      return TypicalKey(Surprise(value, c_, reference_, log2_total), entropy, id);
    };
    const Selected cut = SelectBy(
        limit, [&](size_t i) { return key(list().values[i], list().ids[i]); },
        [&](size_t i) { return MassOf(list().values[i]); });
    if (cut.found) KeepIf([&](float value, uint32_t id) { return key(value, id) >= cut.key; });
    return true;
  }

  // In log2 units. The terms are float64 and added in order of id: computed by all threads, added by one.
  __device__ double EntropyOfList(double total, double log2_total) const {
    if (threadIdx.x == 0) shared_->sum = 0;
    for (size_t begin = 0; begin < size_; begin += kListChunk) {
      const size_t end = size_ - begin < kListChunk ? size_ : begin + kListChunk;
      __syncthreads();
      for (size_t i = begin + threadIdx.x; i < end; i += kSelectThreads) {
        const float value = list().values[i];
        shared_->terms[i - begin] =
            static_cast<double>(MassOf(value)) / total * Surprise(value, c_, reference_, log2_total);
      }
      __syncthreads();
      if (threadIdx.x != 0) continue;
      double sum = shared_->sum;
      for (size_t i = begin; i < end; ++i) sum += shared_->terms[i - begin];
      shared_->sum = sum;
    }
    __syncthreads();
    return shared_->sum;
  }

  __device__ bool TopNSigma(float n_sigma) {
    FindMaxima();
    if (!spec::IsFinite(largest_)) return false;
    const double deviation = Deviation();
    const float bound = static_cast<float>(static_cast<double>(largest_) - static_cast<double>(n_sigma) * deviation);
    if (!listed_) return List(bound);
    KeepIf([bound](float value, uint32_t) { return bound <= value; });
    return true;
  }

  __device__ double Deviation() const {
    uint64_t own = 0;
    for (size_t j = threadIdx.x; j < n_; j += kSelectThreads) own += kLowestLogit <= Copied(j) ? 1 : 0;
    const auto count = static_cast<double>(BlockSum(&shared_->select, own));
    double sum = 0;
    for (int squared = 0; squared < 2; ++squared) {
      const auto centre = static_cast<float>(squared != 0 ? sum / count : 0.0);
      sum = SumOverUnmasked(centre, squared != 0);
    }
    return sqrt(sum / count);
  }

  // In the lanes and tiles of docs/numerics.md, section 4. Takes the place of the row's tile sums: what follows is
  // listed.
  __device__ CT_NOINLINE double SumOverUnmasked(float centre, bool squared) const {
    for (size_t i = WarpIndex(); i < spec::TileCount(n_); i += kSelectThreads / kWarp) {
      const MemoryTile tile = TileAt(i);
      float lanes[kThreadLanes] = {};
#pragma unroll 1
      for (int r = 0; r < kTileRows; ++r) {
        const Float32Storage::Pack pack = tile.Row(r);
#pragma unroll
        for (int k = 0; k < kThreadLanes; ++k) {
          const float v = Float32Storage::Get(pack, k);
          const float d = kLowestLogit <= v ? v - centre : 0.0F;
          lanes[k] = squared ? fmaf(d, d, lanes[k]) : lanes[k] + d;
        }
      }
      const float sum = JoinLanes<Float32Storage>(lanes);
      if (LaneIndex() == 0) shared_->memory.processed[i].sum = sum;
    }
    __syncthreads();
    if (threadIdx.x == 0) {
      shared_->sum = 0;
      for (size_t i = 0; i < spec::TileCount(n_); ++i)
        shared_->sum += static_cast<double>(shared_->memory.processed[i].sum);
    }
    __syncthreads();
    const double sum = shared_->sum;
    __syncthreads();
    return sum;
  }

  __device__ bool Xtc() {
    if (spec::UnitDouble(Random64(op_.sample, spec::Purpose::kXtc)) >=
        static_cast<double>(op_.xtc_probability.At(row_)))
      return true;
    if (!ListAll()) return false;
    const auto total = static_cast<double>(TotalMass());
    const auto threshold = static_cast<uint64_t>(static_cast<double>(op_.xtc_threshold.At(row_)) * total);
    uint64_t least = 0;  // The complement of the lowest key, so that it is a maximum.
    uint64_t own = 0;
    ForEachListed([&](size_t i) {
      if (MassOf(list().values[i]) < threshold) return;
      least = Larger(least, ~spec::OrderKey(list().values[i], list().ids[i]));
      ++own;
    });
    const uint64_t lowest = ~BlockMax(&shared_->scan, least);
    if (BlockSum(&shared_->select, own) < 2) return true;
    KeepIf([lowest](float value, uint32_t id) { return spec::OrderKey(value, id) <= lowest; });
    return true;
  }

  size_t size_ = 0;  // Of the list.
  float c_ = Log2Factor(1.0F);
  float reference_ = 0;
  float largest_ = 0;
  bool has_raw_ = false;
  bool has_maxima_ = false;
  bool listed_ = false;
  bool summed_ = false;
};

}  // namespace
}  // namespace crossthink::cuda

#endif  // CROSSTHINK_KERNELS_SAMPLING_WIDE_FILTERS_CUH_
