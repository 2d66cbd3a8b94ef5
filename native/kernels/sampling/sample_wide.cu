// Sampling with any of its options: one block of 256 threads per row, up to kWideSlots rows at a time.
//
// Bytes moved per row: the logits once from memory; then a float32 copy in the workspace is edited, summed and
// filtered, 4 bytes an element a sweep, from the second-level cache where the rows in flight fit (192 rows of 128256
// are 98 MB: on large batches they do not). Sweeps: one for the copy, one for each temperature at which the row is
// summed, one each for maxima and listing; filters after the first read only what is left. This trades speed for the
// shared decisions of decisions.h: what needs temperature, top-k and top-p alone goes through sample.cu instead.
#include "kernels/sampling/sampling_cuda.h"
#include "kernels/sampling/token_edits.h"
#include "kernels/sampling/wide_filters.cuh"
#include "kernels/softcap.h"
#include "runtime/cuda/workspace.h"

namespace crossthink::cuda {
namespace {

constexpr size_t kWideSlots =
    192;  // A block, of up to 255 registers a thread, on each multiprocessor of any GPU of today.

// The tokens that one thread of the block edits.
struct ThreadTokens {
  size_t n;
  __device__ bool Has(int32_t token) const {
    return token >= 0 && static_cast<size_t>(token) < n && static_cast<uint32_t>(token) % kSelectThreads == threadIdx.x;
  }
};

// Working memory of all slots, and its stride in elements.
struct WideSlots {
  WideMemory first;
  size_t vocab;
  size_t tiles;

  __device__ WideMemory At(size_t slot) const {
    return {first.row + slot * vocab,
            {first.list.values + slot * vocab, first.list.ids + slot * vocab, 0},
            first.raw + slot * tiles,
            first.processed + slot * tiles,
            first.maxima + slot * tiles * kWarp};
  }
};

class WideRow {
 public:
  __device__ WideRow(const Sampling& op, const WideSteps& steps, bool edited, size_t row, const WideMemory& memory,
                     WideShared* shared)
      : op_(op), steps_(steps), edited_(edited), row_(row), n_(op.logits.vocab), m_(memory), shared_(shared) {}

  __device__ void Run() {
    WideFilters filters(op_, steps_, row_, m_, shared_);
    const bool raw_wanted =
        op_.raw_logprob != nullptr || op_.entropy != nullptr || op_.top_n != 0 || op_.chosen_logprobs != nullptr;
    CopyRow(op_.edits.softcap);
    valid_ = true;
    if (raw_wanted) {
      filters.SumRow(raw_c_, m_.raw, &shared_->raw);
      valid_ = HasDistribution(shared_->raw);
      log2_sum_ = valid_ ? spec::Log2Double(shared_->raw.sum) : 0.0;
    }
    if (valid_ && edited_) EditRow();
    if (raw_wanted && !edited_) filters.UseRawSum();
    const bool greedy = op_.temperature.At(row_) == 0.0F;
    const bool drawn = valid_ && Draw(&filters, greedy, !raw_wanted || (edited_ && greedy));
    if (!drawn) WriteNothing();
    WriteRow(filters, drawn, greedy);
    if (op_.top_n != 0) WriteTop();
    if (op_.chosen_logprobs != nullptr) WriteChosen();
  }

 private:
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

  // What the model said, softcap included.
  __device__ float RawLogprob(size_t token) const {
    if (!HasDistribution(shared_->raw)) return spec::QuietNan();
    float v = Logit(token);
    if (op_.edits.softcap > 0) v = CapLogits<V>(v, op_.edits.softcap);
    return LogprobOf(Log2Offset(v, raw_c_, shared_->raw.reference), log2_sum_);
  }

  __device__ void CopyRow(float softcap) const {
    for (size_t j = threadIdx.x; j < n_; j += kSelectThreads) {
      const float v = Logit(j);
      m_.row[j] = softcap > 0 ? CapLogits<V>(v, softcap) : v;
    }
    __syncthreads();
  }

  __device__ __attribute__((noinline)) void EditRow() const {
    const LogitEdits& edits = op_.edits;
    if (edits.bitmask != nullptr) {
      const int32_t* mask = edits.bitmask + (edits.mask_per_row ? row_ * edits.mask_words : 0);
      for (size_t j = threadIdx.x; j < n_; j += kSelectThreads) {
        const size_t word = j / 32;
        const bool allowed = word < edits.mask_words && (static_cast<uint32_t>(mask[word]) >> (j % 32) & 1U) != 0;
        if (!allowed) m_.row[j] = -spec::Infinity();
      }
    }
    EditTokens(edits, row_, ThreadTokens{n_}, m_.list.ids, m_.row);
    __syncthreads();
  }

  // Filters the row and draws every sample of it. False where it has no distribution.
  __device__ bool Draw(WideFilters* filters, bool greedy, bool check) {
    if (!greedy && !filters->Run()) return false;
    if (check && !HasDistribution(filters->Sum())) return false;
    total_ = filters->listed() ? filters->TotalMass() : 0;
    for (size_t k = 0; k < op_.samples; ++k) {
      const uint32_t sample = op_.sample + static_cast<uint32_t>(k);
      float logprob = 0.0F;  // Greedy: a point mass.
      const size_t token = greedy              ? Greedy()
                           : filters->listed() ? DrawFromList(*filters, sample, &logprob)
                                               : DrawFromRow(filters, sample, &logprob);
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

  // The largest logit, ties to the lowest token id.
  __device__ size_t Greedy() const {
    uint64_t own = 0;
    for (size_t j = threadIdx.x; j < n_; j += kSelectThreads) {
      own = Larger(own, spec::OrderKey(m_.row[j], static_cast<uint32_t>(j)));
    }
    return spec::KeyToken(BlockMax(&shared_->scan, own));
  }

  __device__ spec::PhiloxWords RandomWords(uint32_t sample, spec::Purpose purpose) const {
    return spec::Draw(op_.seed, op_.sequences[row_], static_cast<uint32_t>(op_.positions[row_]), sample, purpose);
  }

  __device__ size_t DrawFromList(const WideFilters& filters, uint32_t sample, float* logprob) const {
    const TokenList& list = filters.list();
    size_t i = 0;
    if (op_.gumbel) {
      i = GumbelMax(list.size, list.values, list.ids, filters.c(), filters.reference(), sample);
    } else if (total_ == 0) {
      // No mass to tell the tokens apart by: where the search of draw_cpu.h ends, block by block.
      i = (list.size - 1) / kMaximaBlock * kMaximaBlock;
    } else {
      const uint64_t bits = spec::FirstWord64(RandomWords(sample, spec::Purpose::kSample));
      const Selected selected =
          SelectKey(&shared_->select, 32, KnownOnes(list.size), spec::DrawBelow(bits, total_) + 1, [&](auto f) {
            for (size_t k = threadIdx.x; k < list.size; k += kSelectThreads) {
              f(uint64_t{0xffffffffU - static_cast<uint32_t>(k)}, filters.MassOf(list.values[k]));
            }
          });
      i = 0xffffffffU - static_cast<uint32_t>(selected.key);
    }
    *logprob = CandidateLogprob(list.values[i], filters.c(), filters.reference(), total_);
    return list.ids[i];
  }

  __device__ size_t DrawFromRow(WideFilters* filters, uint32_t sample, float* logprob) const {
    const spec::RowState& sum = filters->Sum();
    const float c = filters->c();
    size_t token = 0;
    if (op_.gumbel) {
      token = GumbelMax(n_, m_.row, nullptr, c, static_cast<float>(sum.reference), sample);
    } else {
      const uint64_t bits = spec::FirstWord64(RandomWords(sample, spec::Purpose::kSample));
      const spec::TilePartial* tiles = filters->Tiles();
      __syncthreads();
      if (threadIdx.x == 0) {
        shared_->choice = ChooseTile(tiles, spec::TileCount(n_), sum, spec::UnitDouble(bits) * sum.sum);
      }
      __syncthreads();
      token = DrawInTile<Float32Storage>(&shared_->select, m_.row, n_, c, tiles, shared_->choice);
    }
    *logprob = RowLogprob(m_.row[token], c, sum);
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
  __device__ uint64_t RankOf(size_t token) const {
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

  template <class Element>
  __device__ RowStatus Diagnose(Element element) const {
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

  // What there is one of per row.
  __device__ void WriteRow(WideFilters& filters, bool drawn, bool greedy) {
    RowStatus status = RowStatus::kOk;
    if (!drawn) status = Diagnose([&](size_t j) { return Logit(j); });
    // A row whose logits are sound, but none of them is allowed.
    if (status == RowStatus::kPositiveInfinity && edited_ && valid_) {
      status = Diagnose([&](size_t j) { return m_.row[j]; });
    }
    const bool listed = drawn && filters.listed();
    if (op_.kept_sizes != nullptr && listed) {
      for (size_t i = threadIdx.x; i < filters.list().size; i += kSelectThreads) {
        op_.kept_tokens[row_ * n_ + i] = static_cast<int32_t>(filters.list().ids[i]);
      }
    }
    float support = drawn && !greedy ? 1.0F : spec::QuietNan();
    if (op_.support_mass != nullptr && listed) {
      support = SupportShare(total_, RowMass(filters.Sum(), filters.reference()));
    }
    if (threadIdx.x != 0) return;
    op_.status[row_] = static_cast<uint8_t>(status);
    if (op_.kept_sizes != nullptr) op_.kept_sizes[row_] = listed ? static_cast<int32_t>(filters.list().size) : 0;
    if (op_.support_mass != nullptr) op_.support_mass[row_] = support;
    if (op_.entropy == nullptr) return;
    const spec::RowState& raw = shared_->raw;
    op_.entropy[row_] =
        valid_ ? static_cast<float>(spec::kLn2 * (log2_sum_ - raw.weighted / raw.sum)) : spec::QuietNan();
  }

  // The top_n tokens of the row as it was given, in order; -1 and NaN where it has fewer.
  __device__ __attribute__((noinline)) void WriteTop() const {
    const size_t wanted = op_.top_n;
    WideFilters top(op_, steps_, row_, m_, shared_);
    size_t found = 0;
    __syncthreads();
    if (valid_) {
      CopyRow(0.0F);
      top.ListLargest(wanted, false);
      found = top.list().size;
    }
    const TokenList& list = top.list();
    const auto key = [&](size_t i) { return spec::OrderKey(list.values[i], list.ids[i]); };
    for (size_t i = threadIdx.x; i < wanted; i += kSelectThreads) {
      size_t place = i;
      if (i < found) {
        place = 0;
        for (size_t k = 0; k < found; ++k) place += key(k) > key(i) ? 1 : 0;
      }
      op_.top_tokens[row_ * wanted + place] = i < found ? static_cast<int32_t>(list.ids[i]) : -1;
      op_.top_logprobs[row_ * wanted + place] = i < found ? RawLogprob(list.ids[i]) : spec::QuietNan();
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

  const Sampling& op_;
  const WideSteps& steps_;
  bool edited_;
  size_t row_;
  size_t n_;
  WideMemory m_;
  WideShared* shared_;
  float raw_c_ = Log2Factor(1.0F);
  bool valid_ = false;
  double log2_sum_ = 0;
  uint64_t total_ = 0;
};

__global__ __launch_bounds__(kSelectThreads) void SampleWideRows(const __grid_constant__ Sampling op,
                                                                 const __grid_constant__ WideSteps steps,
                                                                 const __grid_constant__ WideSlots slots, bool edited) {
  __shared__ WideShared shared;
  const WideMemory memory = slots.At(blockIdx.x);
  for (size_t row = blockIdx.x; row < op.logits.rows; row += gridDim.x) {
    WideRow(op, steps, edited, row, memory, &shared).Run();
    __syncthreads();
  }
}

size_t SlotCount(const Sampling& op) { return op.logits.rows < kWideSlots ? op.logits.rows : kWideSlots; }

WideSlots CutSlots(const Sampling& op, WorkspaceCutter* cutter) {
  const size_t slots = SlotCount(op);
  WideSlots all = {};
  all.vocab = CeilDivide(op.logits.vocab, 64) * 64;  // Rows start on whole vectors.
  all.tiles = spec::TileCount(op.logits.vocab);
  all.first.row = cutter->Take<float>(slots * all.vocab);
  all.first.list = {cutter->Take<float>(slots * all.vocab), cutter->Take<uint32_t>(slots * all.vocab), 0};
  all.first.raw = cutter->Take<spec::TilePartial>(slots * all.tiles);
  all.first.processed = cutter->Take<spec::TilePartial>(slots * all.tiles);
  all.first.maxima = cutter->Take<uint32_t>(slots * all.tiles * kWarp);
  return all;
}

}  // namespace

size_t WideSamplingWorkspace(const Sampling& op) {
  WorkspaceCutter cutter(nullptr);
  CutSlots(op, &cutter);
  return cutter.bytes();
}

cudaError_t RunWideSampling(const Sampling& op, void* workspace, cudaStream_t stream) {
  if (op.step_count > kMaxSteps) return cudaErrorInvalidValue;
  WideSteps steps = {};
  steps.count = static_cast<uint32_t>(op.step_count);
  for (size_t i = 0; i < op.step_count; ++i) steps.codes[i] = op.steps[i];
  WorkspaceCutter cutter(workspace);
  const WideSlots slots = CutSlots(op, &cutter);
  return Launch(SampleWideRows, SlotCount(op), kSelectThreads, 0, stream, op, steps, slots, op.edits.Any());
}

}  // namespace crossthink::cuda
