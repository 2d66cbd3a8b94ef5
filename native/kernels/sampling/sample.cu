// One token per row, by temperature, top-k and top-p; sample_wide.cu has every other option. Bytes moved: rows * vocab
// * element size once from memory, and, with top-k or top-p, the parts of a row that can be kept a second time, from
// the second-level cache.
//
// First a sweep, one warp per tile over the whole grid: partial sums at the sampling temperature and at temperature 1,
// and every thread's maximum. Then one block per row decides. What can be kept is gathered in shared memory above a
// bound from the maxima (top-k) or from the sums (top-p); cuts and draws are radix selections over integer keys and
// masses, so neither the bound nor the order of the gathering shows in the result.
#include "kernels/sampling/row_sampler.cuh"
#include "kernels/sampling/sampling_cuda.h"
#include "kernels/tile_join.h"
#include "spec/philox.h"

namespace crossthink::cuda {
namespace {

constexpr unsigned kBlock = 256;
constexpr unsigned kBlockWarps = kBlock / kWarp;

// What a row wants.
struct RowPlan {
  float c;      // log2(e) / T
  float raw_c;  // log2(e)
  size_t top_k;
  float top_p;
  bool greedy;
  bool filtered;
  bool needs_row;  // Sums at the sampling temperature.
  bool needs_raw;  // Sums at temperature 1.
};

__device__ __forceinline__ RowPlan PlanOf(const Sampling& op, size_t row) {
  const float temperature = op.temperature.At(row);
  const auto top_k = static_cast<size_t>(op.top_k.At(row));
  RowPlan plan = {};
  plan.greedy = temperature == 0.0F;
  plan.c = Log2Factor(plan.greedy ? 1.0F : temperature);
  plan.raw_c = Log2Factor(1.0F);
  plan.top_k = top_k < op.logits.vocab ? top_k : 0;
  plan.top_p = op.top_p.At(row);
  plan.filtered = plan.top_k != 0 || plan.top_p < 1.0F;
  plan.needs_row = !plan.greedy && (plan.top_k == 0 || op.raw_logprob == nullptr);
  plan.needs_raw = op.raw_logprob != nullptr || !plan.needs_row;
  return plan;
}

__device__ __forceinline__ TileSweep SweepOf(const TileSweep& all, size_t row, size_t tiles) {
  return {all.processed + row * tiles, all.raw + row * tiles, all.maxima + row * tiles * kWarp};
}

template <class S>
__global__ __launch_bounds__(kBlock, 2) void SampleTiles(Sampling op, TileSweep all) {
  const size_t tiles = spec::TileCount(op.logits.vocab);
  const size_t item = size_t{blockIdx.x} * kBlockWarps + WarpIndex();
  if (item >= op.logits.rows * tiles) return;
  const size_t row = item / tiles;
  const size_t begin = item % tiles * spec::kTile;
  const size_t rest = op.logits.vocab - begin;
  const RowPlan plan = PlanOf(op, row);
  Tile<S> tile;
  tile.Load(static_cast<const typename S::T*>(op.logits.data) + row * op.logits.stride + begin,
            static_cast<int>(rest < spec::kTile ? rest : spec::kTile));
  all.maxima[item * kWarp + LaneIndex()] = spec::OrderedBits(tile.template ThreadMax<kTileRows>());
  // One sum after the other through the same code; equal factors share the result.
  const bool both = plan.needs_row && plan.needs_raw && plan.c != plan.raw_c;
  spec::TilePartial partial = SumTile<Weighted::kNo>(tile, plan.needs_row ? plan.c : plan.raw_c);
  if (LaneIndex() == 0) {
    all.processed[item] = partial;
    all.raw[item] = partial;
  }
  if (!both) return;
  partial = SumTile<Weighted::kNo>(tile, plan.raw_c);
  if (LaneIndex() == 0) all.raw[item] = partial;
}

// Why a row has no distribution.
template <class S>
__device__ RowStatus DiagnoseInBlock(const typename S::T* x, size_t n) {
  bool nan = false;
  bool positive = false;
  for (size_t j = threadIdx.x; j < n; j += kBlock) {
    const float v = S::Read(x + j);
    nan |= v != v;
    positive |= v > 0;
  }
  if (__syncthreads_or(nan ? 1 : 0) != 0) return RowStatus::kNan;
  return __syncthreads_or(positive ? 1 : 0) != 0 ? RowStatus::kPositiveInfinity : RowStatus::kAllMasked;
}

// The row's sums and largest logit, for all threads.
__device__ void JoinRow(const TileSweep& sweep, size_t tiles, const RowPlan& plan, RowShared* shared) {
  if (threadIdx.x == 0) shared->largest = 0;
  __syncthreads();
  uint32_t own = 0;
  for (size_t i = threadIdx.x; i < tiles * kWarp; i += kBlock) own = max(own, sweep.maxima[i]);
  const uint32_t largest = WarpMax(own);
  if (LaneIndex() == 0) atomicMax(&shared->largest, largest);
  if (threadIdx.x == 0) shared->row = JoinTiles(plan.needs_row ? sweep.processed : sweep.raw, tiles);
  // Another warp joins the other sums meanwhile.
  if (threadIdx.x == kWarp && plan.needs_raw) shared->raw = JoinTiles(sweep.raw, tiles);
  __syncthreads();
}

template <class S>
__device__ Drawn DrawRow(const Sampling& op, size_t row, const RowPlan& plan, const TileSweep& sweep,
                         RowShared* shared) {
  if (!HasDistribution(shared->row) || (plan.needs_raw && !HasDistribution(shared->raw))) {
    return {-1, spec::QuietNan()};
  }
  const auto* x = static_cast<const typename S::T*>(op.logits.data) + row * op.logits.stride;
  RowSampler<S> sampler(shared, x, op.logits.vocab, sweep, plan.c);
  if (plan.greedy) return sampler.Greedy();
  const uint64_t bits = spec::FirstWord64(spec::Draw(
      op.seed, op.sequences[row], static_cast<uint32_t>(op.positions[row]), op.sample, spec::Purpose::kSample));
  return plan.filtered ? sampler.DrawFiltered(plan.top_k, plan.top_p, bits) : sampler.DrawFromRow(bits);
}

template <class S>
__global__ __launch_bounds__(kBlock, 2) void SampleRows(Sampling op, TileSweep all) {
  __shared__ RowShared shared;
  const size_t row = blockIdx.x;
  const size_t n = op.logits.vocab;
  const size_t tiles = spec::TileCount(n);
  const TileSweep sweep = SweepOf(all, row, tiles);
  const RowPlan plan = PlanOf(op, row);
  const auto* x = static_cast<const typename S::T*>(op.logits.data) + row * op.logits.stride;
  JoinRow(sweep, tiles, plan, &shared);
  const Drawn drawn = DrawRow<S>(op, row, plan, sweep, &shared);
  const RowStatus status = drawn.token >= 0 ? RowStatus::kOk : DiagnoseInBlock<S>(x, n);
  if (threadIdx.x != 0) return;
  op.status[row] = static_cast<uint8_t>(status);
  op.tokens[row] = drawn.token;
  if (op.logprob != nullptr) op.logprob[row] = drawn.logprob;
  if (op.raw_logprob == nullptr) return;
  const bool sound = drawn.token >= 0 && HasDistribution(shared.raw);
  op.raw_logprob[row] = sound ? RowLogprob(S::Read(x + drawn.token), plan.raw_c, shared.raw) : spec::QuietNan();
}

template <class S>
cudaError_t Run(const Sampling& op, void* workspace, cudaStream_t stream) {
  const size_t items = op.logits.rows * spec::TileCount(op.logits.vocab);
  TileSweep all = {};
  all.processed = static_cast<spec::TilePartial*>(workspace);
  all.raw = all.processed + items;
  all.maxima = reinterpret_cast<uint32_t*>(all.raw + items);
  const cudaError_t error = Launch(SampleTiles<S>, CeilDivide(items, kBlockWarps), kBlock, 0, stream, op, all);
  return error != cudaSuccess ? error : Launch(SampleRows<S>, op.logits.rows, kBlock, 0, stream, op, all);
}

bool IsOff(const RowFloat& parameter, float off) { return parameter.values == nullptr && parameter.scalar == off; }

// Whether the steps that are on are temperature, top-k, top-p, in this order, and nothing else is asked.
bool IsNarrow(const Sampling& op) {
  if (op.edits.Any() || op.gumbel || op.inclusive_top_p || op.keep_ties || op.samples != 1) return false;
  if (op.rank != nullptr || op.entropy != nullptr || op.support_mass != nullptr || op.top_n != 0 ||
      op.chosen_logprobs != nullptr || op.kept_sizes != nullptr) {
    return false;
  }
  if (!IsOff(op.min_p, 0) || !IsOff(op.typical_p, 1) || !IsOff(op.top_n_sigma, 0) || !IsOff(op.xtc_probability, 0)) {
    return false;
  }
  const bool top_k = op.top_k.values != nullptr || op.top_k.scalar != 0;
  const bool top_p = !IsOff(op.top_p, 1);
  SamplingStep wanted[3] = {SamplingStep::kTemperature};
  size_t count = 1;
  if (top_k) wanted[count++] = SamplingStep::kTopK;
  if (top_p) wanted[count++] = SamplingStep::kTopP;
  size_t found = 0;
  for (size_t i = 0; i < op.step_count; ++i) {
    const auto step = static_cast<SamplingStep>(op.steps[i]);
    const bool on = step == SamplingStep::kTemperature || (step == SamplingStep::kTopK && top_k) ||
                    ((step == SamplingStep::kTopP || step == SamplingStep::kTopPOfRow) && top_p);
    if (!on) continue;
    if (found == count || step != wanted[found++]) return false;
  }
  return found == count;
}

}  // namespace

size_t SamplingWorkspace(const Sampling& op) {
  if (!IsNarrow(op)) return WideSamplingWorkspace(op);
  return op.logits.rows * spec::TileCount(op.logits.vocab) * (2 * sizeof(spec::TilePartial) + kWarp * sizeof(uint32_t));
}

cudaError_t RunSampling(const Sampling& op, void* workspace, cudaStream_t stream) {
  if (op.logits.rows == 0) return cudaSuccess;
  if (!IsNarrow(op)) return RunWideSampling(op, workspace, stream);
  switch (op.logits.type) {
    case DType::kFloat32:
      return Run<Float32Storage>(op, workspace, stream);
    case DType::kBfloat16:
      return Run<Bfloat16Storage>(op, workspace, stream);
    case DType::kFloat16:
      return Run<Float16Storage>(op, workspace, stream);
  }
  return cudaErrorInvalidValue;
}

}  // namespace crossthink::cuda
