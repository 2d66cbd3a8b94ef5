// Speculative sampling of chains, in three steps on one stream:
//   1. every target row is sampled (sample.cu or sample_wide.cu): one of them is what follows the accepted drafts;
//   2. one block per draft decides on it as if its chain came so far, 192 of them at a time;
//   3. one thread per chain walks along the decisions.
// No step waits for an earlier draft of its chain, so that a few sequences fill a GPU; the price is work on rows that a
// chain does not reach. Bytes moved per draft: its target row twice (steps 1 and 2) and its draft row once from memory,
// then sweeps over float32 copies as in sample_wide.cu; where the draft is rejected, four or five more of both rows.
#include <algorithm>

#include "kernels/sampling/sampling_cuda.h"
#include "kernels/sampling/wide_filters.cuh"

namespace crossthink::cuda {
namespace {

enum class Verdict : uint8_t { kAccepted, kRejected, kBadDraft, kNoTarget };

struct Decision {
  Verdict verdict;
  uint8_t status;  // Of a bad draft.
  int32_t token;
  float logprob;
  float raw_logprob;
};

// What the kernels take of a SpeculativeChain.
struct Chains {
  Sampling target;
  Sampling draft;
  WidePlan target_plan;
  WidePlan draft_plan;
  size_t sequences;
  size_t drafts;
  const int32_t* draft_tokens;
  bool has_draft_logits;
  const float* draft_probabilities;
  int32_t* accepted;
  uint8_t* status;
  Decision* decisions;  // [sequences, drafts]
};

struct ChainSlots {
  WideSlots target;
  WideSlots draft;
};

// A row's distribution: RowDistribution of speculative_cpu.h for a block of 256 threads.
class ChainRow : public WideFilters {
 public:
  using WideFilters::WideFilters;

  // False where the row has no distribution.
  __device__ CT_NOINLINE bool Run(bool raw_wanted) {
    Copy(op_.edits.softcap);
    if (raw_wanted) SumRaw();
    if (plan_.edited) Edit();
    if (raw_wanted && !plan_.edited) UseRawSum();
    greedy_ = op_.temperature.At(row_) == 0.0F;
    if (greedy_) {
      if (!HasDistribution(Sums())) return false;
      largest_ = Greedy();
      return true;
    }
    if (!Filter()) return false;
    if (listed()) total_ = TotalMass();
    return true;
  }

  __device__ CT_NOINLINE double Probability(size_t token) {
    if (greedy_) return token == largest_ ? 1.0 : 0.0;
    const float value = Copied(token);
    if (listed()) {
      bool own = false;
      ForEachListed([&](size_t i) { own |= list().ids[i] == token; });
      const bool present = __syncthreads_or(own ? 1 : 0) != 0;
      return present ? static_cast<double>(MassOf(value)) / static_cast<double>(total_) : 0.0;
    }
    const spec::RowState& sum = Sums();
    return static_cast<double>(spec::Exp2Below128<V>(Log2Offset(value, c(), sum.reference))) / sum.sum;
  }

  __device__ CT_NOINLINE float Logprob(size_t token) {
    if (greedy_) return 0.0F;
    return listed() ? CandidateLogprob(Copied(token), c(), reference(), total_)
                    : RowLogprob(Copied(token), c(), Sums());
  }

  // Makes the copy of the row one of the tokens that are left, -inf elsewhere, for Has and MassAt. False where they
  // have no masses.
  __device__ CT_NOINLINE bool Spread() {
    if (greedy_) return true;
    const bool whole = !listed();
    if (!ListAll()) return false;
    total_ = TotalMass();
    if (whole) return true;
    for (size_t j = threadIdx.x; j < n_; j += kSelectThreads) Copied(j) = -spec::Infinity();
    __syncthreads();
    ForEachListed([&](size_t i) { Copied(list().ids[i]) = list().values[i]; });
    __syncthreads();
    return true;
  }
  __device__ bool Has(size_t token) const { return greedy_ ? token == largest_ : kLowestLogit <= Copied(token); }
  __device__ double MassAt(size_t token) const {
    if (!Has(token)) return 0.0;
    return greedy_ ? 1.0 : static_cast<double>(MassOf(Copied(token))) / static_cast<double>(total_);
  }

  __device__ uint64_t Bits(spec::Purpose purpose) const { return Random64(op_.sample, purpose); }

 private:
  bool greedy_ = false;
  size_t largest_ = 0;
  uint64_t total_ = 0;
};

// What a draft was drawn from.
class DraftRow {
 public:
  __device__ DraftRow(const Chains& chains, size_t at, size_t token, WideShared* shared)
      : token_(token),
        given_(chains.draft_probabilities != nullptr ? chains.draft_probabilities + at * chains.target.logits.vocab
                                                     : nullptr),
        logits_(chains.has_draft_logits),
        edited_(chains.draft_plan.edited),
        row_(chains.draft, chains.draft_plan, at, shared) {}

  // kOk, or why there is none.
  __device__ RowStatus Run() { return !logits_ || row_.Run(false) ? RowStatus::kOk : row_.Diagnose(edited_); }
  __device__ double Probability() { return logits_ ? row_.Probability(token_) : MassAt(token_); }
  __device__ bool Spread() { return !logits_ || row_.Spread(); }
  __device__ double MassAt(size_t token) const {
    if (logits_) return row_.MassAt(token);
    if (given_ != nullptr) return static_cast<double>(given_[token]);
    return token == token_ ? 1.0 : 0.0;  // It was certain.
  }

 private:
  size_t token_;
  const float* given_;
  bool logits_;
  bool edited_;
  ChainRow row_;
};

// A draw from max(p - q, 0). False where q is no distribution.
__device__ CT_NOINLINE bool DrawResidual(ChainRow* p, DraftRow* q, size_t n, SelectShared* select, size_t* token) {
  if (!p->Spread() || !q->Spread()) return false;
  bool bad = false;
  uint64_t own = 0;
  for (size_t j = threadIdx.x; j < n; j += kSelectThreads) {
    if (!p->Has(j)) continue;
    const double q_j = q->MassAt(j);
    bad |= !(q_j >= 0);
    own += ResidualMass(p->MassAt(j), q_j);
  }
  if (__syncthreads_or(bad ? 1 : 0) != 0) return false;
  uint64_t total = BlockSum(select, own);
  // p = q but for rounding: a draw from p is one from the residual.
  const bool empty = total == 0;
  if (empty) {
    own = 0;
    for (size_t j = threadIdx.x; j < n; j += kSelectThreads) own += ResidualMass(p->MassAt(j), 0);
    total = BlockSum(select, own);
  }
  if (total == 0) {
    *token = p->list().ids[MasslessIndex(p->size())];
    return true;
  }
  const uint64_t limit = spec::DrawBelow(p->Bits(spec::Purpose::kResidual), total) + 1;
  // In ascending order of id, that is in descending order of its complement.
  const Selected selected = SelectKey(select, 32, KnownOnes(n), limit, [&](auto f) {
    for (size_t j = threadIdx.x; j < n; j += kSelectThreads) {
      const uint64_t mass = p->Has(j) ? ResidualMass(p->MassAt(j), empty ? 0 : q->MassAt(j)) : 0;
      if (mass != 0) f(uint64_t{0xffffffffU - static_cast<uint32_t>(j)}, mass);
    }
  });
  *token = 0xffffffffU - static_cast<uint32_t>(selected.key);
  return true;
}

// Decides on draft `at` of the batch.
__device__ Decision Decide(const Chains& chains, size_t at, size_t draft, WideShared* target_shared,
                           WideShared* draft_shared) {
  const Sampling& op = chains.target;
  const size_t row = at / chains.drafts * (chains.drafts + 1) + at % chains.drafts;
  const auto without = [](Verdict verdict, RowStatus status) {
    return Decision{verdict, static_cast<uint8_t>(status), -1, spec::QuietNan(), spec::QuietNan()};
  };
  ChainRow p(op, chains.target_plan, row, target_shared);
  if (!p.Run(op.raw_logprob != nullptr)) return without(Verdict::kNoTarget, RowStatus::kOk);
  DraftRow q(chains, at, draft, draft_shared);
  const RowStatus status = q.Run();
  if (status != RowStatus::kOk) return without(Verdict::kBadDraft, status);
  const double claimed = q.Probability();
  if (!(claimed >= 0 && claimed <= 2)) return without(Verdict::kBadDraft, RowStatus::kNan);  // Above 1: a rounded sum.
  size_t token = draft;
  const bool accepted = spec::UnitDouble(p.Bits(spec::Purpose::kAccept)) * claimed < p.Probability(draft);
  if (!accepted && !DrawResidual(&p, &q, op.logits.vocab, &target_shared->select, &token)) {
    return without(Verdict::kBadDraft, RowStatus::kNan);
  }
  const float raw = op.raw_logprob != nullptr ? p.RawLogprob(token) : 0.0F;
  return {accepted ? Verdict::kAccepted : Verdict::kRejected, static_cast<uint8_t>(RowStatus::kOk),
          static_cast<int32_t>(token), p.Logprob(token), raw};
}

__global__ __launch_bounds__(kSelectThreads, 2) void SpeculateDrafts(const __grid_constant__ Chains chains,
                                                                     const __grid_constant__ ChainSlots slots) {
  __shared__ WideShared target;
  __shared__ WideShared draft;
  if (threadIdx.x == 0) {
    target.memory = slots.target.At(blockIdx.x);
    draft.memory = slots.draft.At(blockIdx.x);
  }
  __syncthreads();
  const WholeVocabulary vocabulary = {chains.target.logits.vocab};
  for (size_t at = blockIdx.x; at < chains.sequences * chains.drafts; at += gridDim.x) {
    const int32_t token = chains.draft_tokens[at];
    if (!vocabulary.Has(token)) continue;
    const Decision decision = Decide(chains, at, static_cast<size_t>(token), &target, &draft);
    if (threadIdx.x == 0) chains.decisions[at] = decision;
    __syncthreads();
  }
}

constexpr unsigned kWalkBlock = 128;

__global__ __launch_bounds__(kWalkBlock) void SpeculateChains(const __grid_constant__ Chains chains) {
  const size_t sequence = size_t{blockIdx.x} * kWalkBlock + threadIdx.x;
  if (sequence >= chains.sequences) return;
  const Sampling& op = chains.target;
  const size_t end = (sequence + 1) * (chains.drafts + 1);
  size_t row = end - (chains.drafts + 1);
  RowStatus status = RowStatus::kOk;
  int32_t accepted = 0;
  bool done = false;
  for (size_t at = sequence * chains.drafts; at < (sequence + 1) * chains.drafts && !done; ++at) {
    const int32_t draft = chains.draft_tokens[at];
    if (draft < 0) break;
    if (!WholeVocabulary{op.logits.vocab}.Has(draft)) {
      status = RowStatus::kTargetOutOfRange;
      done = true;
      break;
    }
    const Decision& decision = chains.decisions[at];
    if (decision.verdict == Verdict::kNoTarget) break;  // Its sample says why.
    done = decision.verdict != Verdict::kAccepted;
    if (decision.verdict == Verdict::kBadDraft) {
      status = static_cast<RowStatus>(decision.status);
      break;
    }
    accepted += done ? 0 : 1;
    op.tokens[row] = decision.token;
    op.status[row] = static_cast<uint8_t>(RowStatus::kOk);
    if (op.logprob != nullptr) op.logprob[row] = decision.logprob;
    if (op.raw_logprob != nullptr) op.raw_logprob[row] = decision.raw_logprob;
    ++row;
  }
  if (!done) status = static_cast<RowStatus>(op.status[row++]);
  for (; row < end; ++row) {
    op.tokens[row] = -1;
    op.status[row] = static_cast<uint8_t>(status);
    if (op.logprob != nullptr) op.logprob[row] = spec::QuietNan();
    if (op.raw_logprob != nullptr) op.raw_logprob[row] = spec::QuietNan();
  }
  chains.accepted[sequence] = accepted;
  chains.status[sequence] = static_cast<uint8_t>(status);
}

// The launches with their memory. The second step overwrites what the first one has done with.
struct Plan {
  Chains chains = {};
  ChainSlots slots = {};
  size_t blocks = 0;
  uint8_t* sampling = nullptr;
  size_t bytes = 0;

  Plan(const SpeculativeChain& op, void* workspace) {
    const size_t drafts = op.sequences * op.drafts;
    WorkspaceCutter cutter(workspace);
    chains.target = op.target;
    if (op.target.status == nullptr) chains.target.status = cutter.Take<uint8_t>(op.target.logits.rows);
    chains.decisions = cutter.Take<Decision>(drafts);
    blocks = std::min(drafts, kWideSlots);
    WorkspaceCutter second = cutter;
    slots.target = CutSlots(op.target.logits.vocab, blocks, &second);
    if (op.draft != nullptr) slots.draft = CutSlots(op.target.logits.vocab, blocks, &second);
    sampling = cutter.Take<uint8_t>(SamplingWorkspace(chains.target));
    bytes = std::max(cutter.bytes(), second.bytes());
    chains.target_plan = PlanOf(op.target);
    if (op.draft != nullptr) {
      chains.draft = *op.draft;
      chains.draft_plan = PlanOf(*op.draft);
    }
    chains.has_draft_logits = op.draft != nullptr;
    chains.sequences = op.sequences;
    chains.drafts = op.drafts;
    chains.draft_tokens = op.draft_tokens;
    chains.draft_probabilities = op.draft_probabilities;
    chains.accepted = op.accepted;
    chains.status = op.status;
  }
};

}  // namespace

size_t SpeculativeWorkspace(const SpeculativeChain& op) { return Plan(op, nullptr).bytes; }

cudaError_t RunSpeculative(const SpeculativeChain& op, void* workspace, cudaStream_t stream) {
  if (op.sequences == 0) return cudaSuccess;
  if (op.target.step_count > kMaxSteps || (op.draft != nullptr && op.draft->step_count > kMaxSteps)) {
    return cudaErrorInvalidValue;
  }
  const Plan plan(op, workspace);
  cudaError_t error = RunSampling(plan.chains.target, plan.sampling, stream);
  if (error == cudaSuccess && plan.blocks != 0) {
    error = Launch(SpeculateDrafts, plan.blocks, kSelectThreads, 0, stream, plan.chains, plan.slots);
  }
  if (error != cudaSuccess) return error;
  return Launch(SpeculateChains, CeilDivide(op.sequences, kWalkBlock), kWalkBlock, 0, stream, plan.chains);
}

}  // namespace crossthink::cuda
