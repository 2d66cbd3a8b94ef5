// Policy loss with its gradients. Bytes moved per token: 4 for each array given (log-probs, old ones, reference,
// weights, entropies, advantages per token), 1 for the mask and 1 for `selected`, 4 for each gradient; 20 for GRPO with
// a KL. Beyond that: the mask once more for the denominators, and where the loss needs sums over a sequence first
// (ratio of the sequence, GMPO, VESPO, off-policy limit) mask, log-probs, old and rollout log-probs once more, from the
// second-level cache where they fit.
//
// Five or six launches, because a gradient needs its denominator, which is a count over the batch:
//   SequenceTiles   counts and sums before the token pass    one warp a tile of 1024 tokens
//   SequenceTotals  those of a sequence, and of the batch    one thread a sequence
//   PromptTotals    only for the prompt mean                 one thread a prompt
//   Tokens<term>    gradients, partial sums                  one warp a tile
//   SequenceSums    a sequence's row of sums                 one thread a sum
//   TotalSums       the loss and the metrics                 one block, in sequence order
// A warp reads 128 consecutive bytes of each array at a time: 16-byte loads would need sequences that begin at
// multiples of four tokens, and lanes that do not follow from the specification's. With 4 to 6 loads of
// 128 bytes in flight per warp, 32 warps on a multiprocessor ask for 16 to 24 KiB at a time: what an H100 needs to
// cover its memory latency.
#include "kernels/ordered_sum.cuh"
#include "kernels/policy_loss/policy_loss_cuda.h"
#include "kernels/policy_loss/sequence.h"
#include "kernels/policy_loss/token.h"
#include "kernels/token_tiles.cuh"
#include "runtime/cuda/workspace.h"

namespace crossthink::cuda {
namespace {

using V = simd::Scalar;

constexpr unsigned kBlock = 256;
constexpr unsigned kBlockWarps = kBlock / kWarp;
constexpr unsigned kSumThreads = 16;  // At least kLossSums.

struct SequencePartial {
  float log_ratio;
  float divergence;
  uint32_t valid;
};

// Sums of a tile: LossSum from kPolicyLoss on, those in float32 first, then counts.
constexpr unsigned kFloats = kClippedLow - kPolicyLoss;
struct TilePartial {
  float sums[kFloats];
  uint32_t counts[kLossSums - kClippedLow];
};

struct Totals {
  unsigned long long tokens, sequences, prompts;
};

// One call's arrays in the workspace.
struct Memory {
  Totals* totals;
  SequenceTerms* terms;
  uint64_t* prompt_valid;  // Of a sequence's prompt.
  SequencePartial* before;
  TilePartial* partials;
  double* sums;  // A row of kLossSums per sequence.
  size_t bytes;

  Memory(const PolicyLoss& op, size_t tiles, void* workspace) {
    WorkspaceCutter cut(workspace);
    totals = cut.Take<Totals>(1);
    terms = cut.Take<SequenceTerms>(op.sequences);
    prompt_valid = cut.Take<uint64_t>(op.aggregation == Aggregation::kPromptMean ? op.sequences : 0);
    before = cut.Take<SequencePartial>(tiles);
    partials = cut.Take<TilePartial>(tiles);
    sums = cut.Take<double>(op.sequences * kLossSums);
    bytes = cut.bytes();
  }
};

__device__ __forceinline__ PackedSequences Packed(const PolicyLoss& op) {
  return {op.offsets, op.sequences, op.tokens};
}

__global__ __launch_bounds__(kBlock) void PolicyLossSequenceTiles(PolicyLoss op, size_t tiles, bool sums,
                                                                  SequencePartial* before, Totals* totals) {
  if (blockIdx.x == 0 && threadIdx.x == 0) *totals = {0, 0, 0};  // For the next kernel to add to.
  const size_t number = size_t{blockIdx.x} * kBlockWarps + WarpIndex();
  if (number >= tiles) return;
  const TokenTile tile = FindTile(Packed(op), number);
  const float advantage = op.token_advantages || op.advantages == nullptr ? 0.0F : op.advantages[tile.sequence];
  const float* rollout = op.rollout_logprobs != nullptr ? op.rollout_logprobs : op.old_logprobs;
  uint32_t valid = 0;
  float log_ratio = 0;
  float divergence = 0;
  for (size_t i = tile.begin + LaneIndex(); i < tile.end; i += kWarp) {
    if (!LoadMask<V>(op.mask, i, 1, true)) continue;
    ++valid;
    if (!sums) continue;
    const float logprob = op.logprobs[i];
    log_ratio += SequenceLogRatio<V>(op, i, 1, logprob - op.old_logprobs[i], advantage);
    divergence += rollout[i] - logprob;
  }
  const SequencePartial partial = {JoinTokenLanes(log_ratio), JoinTokenLanes(divergence), JoinCounts(valid)};
  if (LaneIndex() == 0) before[number] = partial;
}

__global__ __launch_bounds__(kBlock) void PolicyLossSequenceTotals(PolicyLoss op, bool sums,
                                                                   const SequencePartial* before, SequenceTerms* terms,
                                                                   Totals* totals) {
  const size_t s = size_t{blockIdx.x} * kBlock + threadIdx.x;
  SequenceTerms term;
  if (s < op.sequences) {
    const PackedSequences packed = Packed(op);
    const SequencePartial* tile = before + packed.FirstTile(s);
    for (size_t left = packed.Tiles(s); left > 0; --left, ++tile) {
      term.valid += tile->valid;
      term.log_ratio_sum += static_cast<double>(tile->log_ratio);
      term.divergence_sum += static_cast<double>(tile->divergence);
    }
    if (sums) FinishSequence(op, s, &term);
    terms[s] = term;
  }
  const bool counted = s < op.sequences && (term.valid != 0 || op.count_empty);
  const uint32_t tokens = JoinCounts(static_cast<uint32_t>(term.valid));  // All tokens of a call are below 2^31.
  const uint32_t sequences = JoinCounts(counted ? 1 : 0);
  if (LaneIndex() != 0) return;
  atomicAdd(&totals->tokens, static_cast<unsigned long long>(tokens));
  atomicAdd(&totals->sequences, static_cast<unsigned long long>(sequences));
}

__global__ __launch_bounds__(kBlock) void PolicyLossPromptTotals(PolicyLoss op, const SequenceTerms* terms,
                                                                 uint64_t* prompt_valid, Totals* totals) {
  const size_t p = size_t{blockIdx.x} * kBlock + threadIdx.x;
  uint64_t valid = 0;
  if (p < op.prompt_count) {
    const PackedSequences prompts = {op.prompts, op.prompt_count, op.sequences};
    for (size_t s = prompts.Begin(p); s < prompts.End(p); ++s) valid += terms[s].valid;
    for (size_t s = prompts.Begin(p); s < prompts.End(p); ++s) prompt_valid[s] = valid;
  }
  const uint32_t counted = JoinCounts(valid != 0 ? 1 : 0);
  if (LaneIndex() == 0) atomicAdd(&totals->prompts, static_cast<unsigned long long>(counted));
}

__device__ __forceinline__ double ScaleOfSequence(const PolicyLoss& op, size_t s, uint64_t valid, const Totals* totals,
                                                  const uint64_t* prompt_valid) {
  const LossCounts counts = {totals->tokens, totals->sequences, totals->prompts};
  return ScaleOf(op, counts, valid, op.aggregation == Aggregation::kPromptMean ? prompt_valid[s] : 0);
}

template <template <class> class L>
__global__ __launch_bounds__(kBlock) void PolicyLossTokens(PolicyLoss op, size_t tiles, const SequenceTerms* terms,
                                                           const Totals* totals, const uint64_t* prompt_valid,
                                                           TilePartial* partials) {
  const size_t number = size_t{blockIdx.x} * kBlockWarps + WarpIndex();
  if (number >= tiles) return;
  const TokenTile tile = FindTile(Packed(op), number);
  if (tile.begin == tile.end) return;
  const SequenceTerms term = terms[tile.sequence];
  SequenceVectors<V> s;
  s.advantage = op.token_advantages ? 0.0F : op.advantages[tile.sequence];
  s.scale = static_cast<float>(ScaleOfSequence(op, tile.sequence, term.valid, totals, prompt_valid));
  s.ratio = term.ratio;
  s.factor = term.factor;
  s.dropped = term.dropped;
  s.limited = term.limited;
  float policy = 0, kl = 0, entropy = 0, log_ratio = 0, ratio = 0, weight = 0;
  uint32_t low = 0, high = 0, dual = 0, dropped = 0, non_finite = 0;
  for (size_t i = tile.begin + LaneIndex(); i < tile.end; i += kWarp) {
    const TokenResult<V> r = Evaluate<V, L>(op, i, 1, s);
    float gradient = 0;
    if (r.valid) {
      policy += r.policy.loss;
      log_ratio += r.log_ratio;
      ratio += r.ratio;
      if (op.ref_logprobs != nullptr) kl += r.kl;
      low += r.policy.low ? 1 : 0;
      high += r.policy.high ? 1 : 0;
      if constexpr (!L<V>::kPlain) {
        if (op.weights != nullptr) weight += r.weight;
        if (op.entropies != nullptr) entropy += r.entropy;
        dual += r.policy.dual ? 1 : 0;
        dropped += r.dropped ? 1 : 0;
      }
      non_finite += r.loss - r.loss == 0.0F ? 0 : 1;
      gradient = spec::CanonicalNan(r.gradient * s.scale);
    }
    op.d_logprobs[i] = gradient;
    if (!L<V>::kPlain && op.d_entropies != nullptr) {
      op.d_entropies[i] = r.valid ? -op.params.entropy_coef * s.scale : 0.0F;
    }
  }
  TilePartial partial = {
      {JoinTokenLanes(policy), JoinTokenLanes(kl), JoinTokenLanes(entropy), JoinTokenLanes(log_ratio),
       JoinTokenLanes(ratio), JoinTokenLanes(weight)},
      {JoinCounts(low), JoinCounts(high), JoinCounts(dual), JoinCounts(dropped), JoinCounts(non_finite)}};
  if (SumsAreFinite(op, partial.sums[0], partial.sums[1], partial.sums[2])) {
    partial.counts[kNonFinite - kClippedLow] = 0;
  }
  if (LaneIndex() == 0) partials[number] = partial;
}

// One thread a sum: a sequence's tiles are added in index order.
__global__ __launch_bounds__(kBlock) void PolicyLossSequenceSums(PolicyLoss op, const SequenceTerms* terms,
                                                                 const TilePartial* partials, double* sums) {
  const size_t s = size_t{blockIdx.x} * (kBlock / kSumThreads) + threadIdx.x / kSumThreads;
  const unsigned k = threadIdx.x % kSumThreads;
  if (s >= op.sequences || k >= kLossSums) return;
  double sum = 0;
  if (k == kTokens) {
    sum = static_cast<double>(terms[s].valid);
  } else if (k == kSequences) {
    sum = terms[s].valid != 0 ? 1.0 : 0.0;
  } else {
    const PackedSequences packed = Packed(op);
    const TilePartial* tile = partials + packed.FirstTile(s);
    for (size_t left = packed.Tiles(s); left > 0; --left, ++tile) {
      sum += k < kClippedLow ? static_cast<double>(tile->sums[k - kPolicyLoss])
                             : static_cast<double>(tile->counts[k - kClippedLow]);
    }
  }
  sums[s * kLossSums + k] = sum;
}

__global__ __launch_bounds__(kSumRows) void PolicyLossTotalSums(PolicyLoss op, const SequenceTerms* terms,
                                                                const Totals* totals, const uint64_t* prompt_valid,
                                                                const double* sums) {
  const double sum = SumInOrder<kLossSums + 1>(op.sequences, [&](size_t s, double* numbers) {
    const double* row = sums + s * kLossSums;
    for (size_t k = 0; k < kLossSums; ++k) numbers[k] = row[k];
    const uint64_t valid = terms[s].valid;
    numbers[kLossSums] = valid == 0 ? 0.0 : LossOf(op, row, ScaleOfSequence(op, s, valid, totals, prompt_valid));
  });
  if (threadIdx.x < kLossSums) op.result->sums[threadIdx.x] = sum;
  if (threadIdx.x == kLossSums) op.result->loss = sum;
}

using TokensKernel = void (*)(PolicyLoss, size_t, const SequenceTerms*, const Totals*, const uint64_t*, TilePartial*);

TokensKernel TokensKernelOf(const PolicyLoss& op) {
  constexpr TokensKernel kTerms[kLosses] = {
      PolicyLossTokens<ClipLoss>,      PolicyLossTokens<CispoLoss>,  PolicyLossTokens<ToprLoss>,
      PolicyLossTokens<ReinforceLoss>, PolicyLossTokens<DppoTvLoss>, PolicyLossTokens<DppoKlLoss>,
      PolicyLossTokens<VespoLoss>,     PolicyLossTokens<SapoLoss>,   PolicyLossTokens<GmpoLoss>,
      PolicyLossTokens<KlCovLoss>,     PolicyLossTokens<SquaredLoss>};
  const bool plain = PlainLossOf(op) == PlainLoss::kClip;
  return plain ? PolicyLossTokens<PlainClipLoss> : kTerms[static_cast<size_t>(op.loss)];
}

size_t TileNumbers(const PolicyLoss& op) { return PackedSequences{op.offsets, op.sequences, op.tokens}.TileNumbers(); }

// The launches over tiles and sequences; there is at least one sequence.
cudaError_t RunSequences(const PolicyLoss& op, const Memory& memory, cudaStream_t stream) {
  const size_t tiles = TileNumbers(op);
  const size_t tile_blocks = CeilDivide(tiles, kBlockWarps);
  const bool sums = NeedsSequenceSums(op);
  cudaError_t error =
      Launch(PolicyLossSequenceTiles, tile_blocks, kBlock, 0, stream, op, tiles, sums, memory.before, memory.totals);
  if (error != cudaSuccess) return error;
  error = Launch(PolicyLossSequenceTotals, CeilDivide(op.sequences, kBlock), kBlock, 0, stream, op, sums, memory.before,
                 memory.terms, memory.totals);
  if (error == cudaSuccess && op.aggregation == Aggregation::kPromptMean && op.prompt_count > 0) {
    error = Launch(PolicyLossPromptTotals, CeilDivide(op.prompt_count, kBlock), kBlock, 0, stream, op, memory.terms,
                   memory.prompt_valid, memory.totals);
  }
  if (error != cudaSuccess) return error;
  error = Launch(TokensKernelOf(op), tile_blocks, kBlock, 0, stream, op, tiles, memory.terms, memory.totals,
                 memory.prompt_valid, memory.partials);
  if (error != cudaSuccess) return error;
  return Launch(PolicyLossSequenceSums, CeilDivide(op.sequences, kBlock / kSumThreads), kBlock, 0, stream, op,
                memory.terms, memory.partials, memory.sums);
}

}  // namespace

size_t PolicyLossWorkspace(const PolicyLoss& op) { return Memory(op, TileNumbers(op), nullptr).bytes; }

cudaError_t RunPolicyLoss(const PolicyLoss& op, void* workspace, cudaStream_t stream) {
  const Memory memory(op, TileNumbers(op), workspace);
  const cudaError_t error = op.sequences == 0 ? cudaSuccess : RunSequences(op, memory, stream);
  if (error != cudaSuccess) return error;
  return Launch(PolicyLossTotalSums, 1, kSumRows, 0, stream, op, memory.terms, memory.totals, memory.prompt_valid,
                memory.sums);
}

}  // namespace crossthink::cuda
