// Sampling with any of its options: one block of 256 threads per row, up to kWideSlots rows at a time.
//
// Bytes moved per row: the logits once from memory; then a float32 copy in the workspace is edited, summed and
// filtered, 4 bytes an element a sweep, from the second-level cache where the rows in flight fit (192 rows of 128256
// are 98 MB: on large batches they do not). Sweeps: one for the copy, one for each temperature at which the row is
// summed, one each for maxima and listing; filters after the first read only what is left. This trades speed for the
// shared decisions of decisions.h: what needs temperature, top-k and top-p alone goes through sample.cu instead.
#include "kernels/sampling/sampling_cuda.h"
#include "kernels/sampling/wide_filters.cuh"

namespace crossthink::cuda {
namespace {

// Sorts a list by value descending, then id ascending: a bitonic network for any size (in each of its steps what lies
// past the end counts as smallest, and stays there).
__device__ CT_NOINLINE void SortDescending(const TokenList& list, size_t size) {
  const auto key = [&](size_t i) { return spec::OrderKey(list.values[i], list.ids[i]); };
  const auto order = [&](size_t a, size_t b) {
    if (b >= size || key(a) > key(b)) return;
    const float value = list.values[a];
    const uint32_t id = list.ids[a];
    list.values[a] = list.values[b], list.ids[a] = list.ids[b];
    list.values[b] = value, list.ids[b] = id;
  };
  size_t padded = 1;
  while (padded < size) padded *= 2;
  for (size_t run = 2; run <= padded; run *= 2) {
    for (size_t distance = run / 2; distance > 0; distance /= 2) {
      for (size_t i = threadIdx.x; i < padded / 2; i += kSelectThreads) {
        const size_t in_pair = i % distance;
        const size_t a = (i - in_pair) * 2 + in_pair;
        // A run begins by facing the second half of its elements in reverse.
        order(a, distance == run / 2 ? a - in_pair + run - 1 - in_pair : a + distance);
      }
      __syncthreads();
    }
  }
}

class WideSampler : public WideFilters {
 public:
  using WideFilters::WideFilters;

  __device__ void Run() {
    const bool edited = plan_.edited;
    const bool raw_wanted =
        op_.raw_logprob != nullptr || op_.entropy != nullptr || op_.top_n != 0 || op_.chosen_logprobs != nullptr;
    Copy(op_.edits.softcap);
    valid_ = !raw_wanted || SumRaw();
    if (valid_ && edited) Edit();
    if (raw_wanted && !edited) UseRawSum();
    const bool greedy = op_.temperature.At(row_) == 0.0F;
    const bool drawn = valid_ && Draw(greedy, !raw_wanted || (edited && greedy));
    if (!drawn) WriteNothing();
    WriteRow(drawn, greedy, drawn ? RowStatus::kOk : Diagnose(edited && valid_));
    if (op_.top_n != 0) WriteTop();
    if (op_.chosen_logprobs != nullptr) WriteChosen();
  }

 private:
  // Filters the row and draws every sample of it. False where it has no distribution.
  __device__ bool Draw(bool greedy, bool check) {
    if (!greedy && !Filter()) return false;
    if (check && !HasDistribution(Sums())) return false;
    total_ = listed() ? TotalMass() : 0;
    for (size_t k = 0; k < op_.samples; ++k) {
      const uint32_t sample = op_.sample + static_cast<uint32_t>(k);
      float logprob = 0.0F;  // Greedy: a point mass.
      const size_t token = greedy     ? Greedy()
                           : listed() ? DrawFromList(sample, &logprob)
                                      : DrawFromRow(sample, &logprob);
      const uint64_t rank = op_.rank != nullptr ? RankOf(token) : 0;
      if (threadIdx.x != 0) continue;
      const size_t at = row_ * op_.samples + k;
      op_.tokens[at] = static_cast<int32_t>(token);
      if (op_.logprob != nullptr) op_.logprob[at] = logprob;
      if (op_.raw_logprob != nullptr) op_.raw_logprob[at] = RawLogprob(token);
      if (op_.rank != nullptr) op_.rank[at] = static_cast<int32_t>(rank);
    }
    return true;
  }

  __device__ CT_NOINLINE size_t DrawFromList(uint32_t sample, float* logprob) const {
    size_t i = 0;
    if (op_.gumbel) {
      i = GumbelMax(size(), list().values, list().ids, c(), reference(), sample);
    } else if (total_ == 0) {
      i = MasslessIndex(size());
    } else {
      const uint64_t bits = Random64(sample, spec::Purpose::kSample);
      const Selected selected =
          SelectKey(&shared_->select, 32, KnownOnes(size()), spec::DrawBelow(bits, total_) + 1, [&](auto f) {
            for (size_t k = threadIdx.x; k < size(); k += kSelectThreads) {
              f(uint64_t{0xffffffffU - static_cast<uint32_t>(k)}, MassOf(list().values[k]));
            }
          });
      i = 0xffffffffU - static_cast<uint32_t>(selected.key);
    }
    *logprob = CandidateLogprob(list().values[i], c(), reference(), total_);
    return list().ids[i];
  }

  __device__ CT_NOINLINE size_t DrawFromRow(uint32_t sample, float* logprob) {
    const spec::RowState& sum = Sums();
    size_t token = 0;
    if (op_.gumbel) {
      token = GumbelMax(n_, shared_->memory.row, nullptr, c(), static_cast<float>(sum.reference), sample);
    } else {
      const uint64_t bits = Random64(sample, spec::Purpose::kSample);
      const spec::TilePartial* tiles = Tiles();
      __syncthreads();
      if (threadIdx.x == 0) {
        shared_->choice = ChooseTile(tiles, spec::TileCount(n_), sum, spec::UnitDouble(bits) * sum.sum);
      }
      __syncthreads();
      token = DrawInTile<Float32Storage>(&shared_->select, shared_->memory.row, n_, c(), tiles, shared_->choice);
    }
    *logprob = RowLogprob(Copied(token), c(), sum);
    return token;
  }

  // Index of the largest t + noise, ties to the lower one.
  __device__ size_t GumbelMax(size_t count, const float* x, const uint32_t* ids, float c, float reference,
                              uint32_t sample) const {
    const spec::PhiloxWords key = RandomWords(sample, spec::Purpose::kGumbel);
    uint64_t own = 0;
    for (size_t i = threadIdx.x; i < count; i += kSelectThreads) {
      const float t = fmaf(x[i], c, -reference);
      const uint32_t id = ids != nullptr ? ids[i] : static_cast<uint32_t>(i);
      const float score = t + GumbelNoiseOf<V>(GumbelUniform(id, key));
      if (t > -spec::Infinity() && score > -spec::Infinity()) {
        own = Larger(own, spec::OrderKey(score, static_cast<uint32_t>(i)));
      }
    }
    const uint64_t best = BlockMax(&shared_->scan, own);
    return best == 0 ? 0 : spec::KeyToken(best);
  }

  // 1 + the tokens in front of `token` in the row as it was given.
  __device__ CT_NOINLINE uint64_t RankOf(size_t token) const {
    const float value = Logit(token);
    uint64_t own = 0;
    for (size_t j = threadIdx.x; j < n_; j += kSelectThreads) {
      const float v = Logit(j);
      own += value < v || (v == value && j < token) ? 1 : 0;
    }
    return 1 + BlockSum(&shared_->select, own);
  }

  __device__ void WriteNothing() const {
    for (size_t k = threadIdx.x; k < op_.samples; k += kSelectThreads) {
      const size_t at = row_ * op_.samples + k;
      op_.tokens[at] = -1;
      if (op_.logprob != nullptr) op_.logprob[at] = spec::QuietNan();
      if (op_.raw_logprob != nullptr) op_.raw_logprob[at] = spec::QuietNan();
      if (op_.rank != nullptr) op_.rank[at] = 0;
    }
  }

  // What there is one of per row.
  __device__ CT_NOINLINE void WriteRow(bool drawn, bool greedy, RowStatus status) {
    const bool kept = drawn && listed();
    if (op_.kept_sizes != nullptr && kept) {
      for (size_t i = threadIdx.x; i < size(); i += kSelectThreads) {
        op_.kept_tokens[row_ * n_ + i] = static_cast<int32_t>(list().ids[i]);
      }
    }
    float support = drawn && !greedy ? 1.0F : spec::QuietNan();
    if (op_.support_mass != nullptr && kept) support = SupportShare(total_, RowMass(Sums(), reference()));
    if (threadIdx.x != 0) return;
    op_.status[row_] = static_cast<uint8_t>(status);
    if (op_.kept_sizes != nullptr) op_.kept_sizes[row_] = kept ? static_cast<int32_t>(size()) : 0;
    if (op_.support_mass != nullptr) op_.support_mass[row_] = support;
    if (op_.entropy == nullptr) return;
    const spec::RowState& raw = shared_->raw;
    op_.entropy[row_] = valid_ ? static_cast<float>(spec::kLn2 * (spec::Log2Double(raw.sum) - raw.weighted / raw.sum))
                               : spec::QuietNan();
  }

  // The top_n tokens of the row as it was given, in order; -1 and NaN where it has fewer.
  __device__ CT_NOINLINE void WriteTop() const {
    const size_t wanted = op_.top_n;
    WideFilters top(op_, plan_, row_, shared_);
    __syncthreads();
    if (valid_) {
      Copy(0.0F);
      top.ListLargest(wanted, false);
      SortDescending(list(), top.size());
    }
    for (size_t i = threadIdx.x; i < wanted; i += kSelectThreads) {
      const bool present = i < top.size();
      op_.top_tokens[row_ * wanted + i] = present ? static_cast<int32_t>(list().ids[i]) : -1;
      op_.top_logprobs[row_ * wanted + i] = present ? RawLogprob(list().ids[i]) : spec::QuietNan();
    }
  }

  __device__ void WriteChosen() const {
    const TokenLists& chosen = op_.chosen;
    const int32_t* tokens = chosen.Begin(row_);
    const size_t at = chosen.offsets != nullptr ? static_cast<size_t>(chosen.offsets[row_]) : row_ * chosen.length;
    for (size_t i = threadIdx.x; i < chosen.Size(row_); i += kSelectThreads) {
      const bool present = WholeVocabulary{n_}.Has(tokens[i]);
      op_.chosen_logprobs[at + i] = present ? RawLogprob(static_cast<size_t>(tokens[i])) : spec::QuietNan();
    }
  }

  bool valid_ = false;
  uint64_t total_ = 0;
};

__global__ __launch_bounds__(kSelectThreads, 2) void SampleWideRows(const __grid_constant__ Sampling op,
                                                                    const __grid_constant__ WidePlan plan,
                                                                    const __grid_constant__ WideSlots slots) {
  __shared__ WideShared shared;
  if (threadIdx.x == 0) shared.memory = slots.At(blockIdx.x);
  __syncthreads();
  for (size_t row = blockIdx.x; row < op.logits.rows; row += gridDim.x) {
    WideSampler(op, plan, row, &shared).Run();
    __syncthreads();
  }
}

size_t SlotCount(const Sampling& op) { return op.logits.rows < kWideSlots ? op.logits.rows : kWideSlots; }

}  // namespace

size_t WideSamplingWorkspace(const Sampling& op) {
  WorkspaceCutter cutter(nullptr);
  CutSlots(op.logits.vocab, SlotCount(op), &cutter);
  return cutter.bytes();
}

cudaError_t RunWideSampling(const Sampling& op, void* workspace, cudaStream_t stream) {
  if (op.step_count > kMaxSteps) return cudaErrorInvalidValue;
  WorkspaceCutter cutter(workspace);
  const WideSlots slots = CutSlots(op.logits.vocab, SlotCount(op), &cutter);
  return Launch(SampleWideRows, SlotCount(op), kSelectThreads, 0, stream, op, PlanOf(op), slots);
}

}  // namespace crossthink::cuda
