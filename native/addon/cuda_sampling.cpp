#include <algorithm>

#include "addon/addon.h"
#include "addon/cuda_arguments.h"

// Sampling from logits in device memory. What it takes: cuda_arguments.h.
namespace crossthink::addon {
namespace {

using Arguments = CudaArguments;

TokenLists ReadLists(Arguments* in) {
  TokenLists lists;
  lists.tokens = in->Pointer<const int32_t>();
  lists.offsets = in->Pointer<const int32_t>();
  lists.length = in->Size();
  return lists;
}

RowInt ReadRowInt(Arguments* in) {
  RowInt parameter;
  parameter.values = in->Pointer<const int32_t>();
  parameter.scalar = static_cast<int32_t>(in->Number());
  return parameter;
}

LogitEdits ReadEdits(Arguments* in) {
  LogitEdits edits;
  edits.softcap = static_cast<float>(in->Number());
  edits.bitmask = in->Pointer<const int32_t>();
  edits.mask_words = in->Size();
  edits.mask_per_row = in->Flag();
  edits.banned = ReadLists(in);
  edits.stop = ReadLists(in);
  edits.min_tokens = ReadRowInt(in);
  edits.bias_tokens = ReadLists(in);
  edits.bias = in->Pointer<const float>();
  edits.prompt = ReadLists(in);
  edits.output = ReadLists(in);
  edits.repetition = in->ReadRowFloat();
  edits.presence = in->ReadRowFloat();
  edits.frequency = in->ReadRowFloat();
  edits.no_repeat_ngram = ReadRowInt(in);
  edits.dry_multiplier = static_cast<float>(in->Number());
  edits.dry_base = static_cast<float>(in->Number());
  edits.dry_allowed = static_cast<int32_t>(in->Number());
  edits.dry_breakers = ReadLists(in);
  return edits;
}

// In the order of lib/kernels/device/sampling.ts.
// `steps` is [kMaxSteps].
Sampling ReadSampling(Arguments* arguments, uint8_t* steps) {
  Arguments& in = *arguments;
  Sampling op;
  op.logits = in.ReadLogits();
  op.edits = ReadEdits(&in);
  op.step_count = std::min(in.Size(), kMaxSteps);
  for (size_t i = 0; i < op.step_count; ++i) steps[i] = static_cast<uint8_t>(in.Size());
  op.steps = steps;
  op.temperature = in.ReadRowFloat();
  op.top_k = ReadRowInt(&in);
  op.top_p = in.ReadRowFloat();
  op.min_p = in.ReadRowFloat();
  op.typical_p = in.ReadRowFloat();
  op.top_n_sigma = in.ReadRowFloat();
  op.xtc_probability = in.ReadRowFloat();
  op.xtc_threshold.scalar = static_cast<float>(in.Number());
  op.inclusive_top_p = in.Flag();
  op.gumbel = in.Flag();
  op.keep_ties = in.Flag();
  op.seed = in.Integer();
  op.sequences = in.Pointer<const uint64_t>();
  op.positions = in.Pointer<const int32_t>();
  op.sample = static_cast<uint32_t>(in.Size());
  op.samples = in.Size();
  op.status = in.Pointer<uint8_t>();
  op.tokens = in.Pointer<int32_t>();
  op.logprob = in.Pointer<float>();
  op.raw_logprob = in.Pointer<float>();
  op.rank = in.Pointer<int32_t>();
  op.entropy = in.Pointer<float>();
  op.support_mass = in.Pointer<float>();
  op.top_n = in.Size();
  op.top_tokens = in.Pointer<int32_t>();
  op.top_logprobs = in.Pointer<float>();
  op.chosen = ReadLists(&in);
  op.chosen_logprobs = in.Pointer<float>();
  op.kept_tokens = in.Pointer<int32_t>();
  op.kept_sizes = in.Pointer<int32_t>();
  return op;
}

void Sample(const Napi::CallbackInfo& info) {
  Arguments in(info);
  uint8_t steps[kMaxSteps];
  const Sampling op = ReadSampling(&in, steps);
  in.Run(op, &CrossthinkCudaApi::sampling_workspace, &CrossthinkCudaApi::sampling);
}

// The target's rows, then the chain, then the rows of the drafts where there are any.
void Speculate(const Napi::CallbackInfo& info) {
  Arguments in(info);
  uint8_t target_steps[kMaxSteps];
  uint8_t draft_steps[kMaxSteps];
  SpeculativeChain op;
  op.target = ReadSampling(&in, target_steps);
  op.drafts = in.Size();
  op.sequences = op.target.logits.rows / (op.drafts + 1);
  op.draft_tokens = in.Pointer<const int32_t>();
  op.draft_probabilities = in.Pointer<const float>();
  op.accepted = in.Pointer<int32_t>();
  op.status = in.Pointer<uint8_t>();
  Sampling draft;
  if (in.Flag()) {
    draft = ReadSampling(&in, draft_steps);
    op.draft = &draft;
  }
  in.Run(op, &CrossthinkCudaApi::speculative_workspace, &CrossthinkCudaApi::speculative);
}

}  // namespace

void RegisterCudaSampling(Napi::Env env, Napi::Object exports) {
  Export<Sample>(env, exports, "cudaSample");
  Export<Speculate>(env, exports, "cudaSpeculate");
}

}  // namespace crossthink::addon
