#include "kernels/sampling/sampling.h"

#include <algorithm>

#include "addon/addon.h"
#include "addon/calls.h"
#include "addon/sampling_arguments.h"
#include "kernels/sampling/speculative.h"

namespace crossthink::addon {
namespace {

// In the order of SampleArguments in binding.d.cts.
auto ReadSample(Arguments* in) {
  const unsigned threads = in->Threads();
  return [threads, op = ReadSampling(in)](CancelFlag* cancel) { return RunSampling(op, threads, cancel); };
}

// (...SampledRows of the target, draft tokens, probabilities | undefined, accepted, status, threads, whether
// the SampledRows of the drafts follow)
Napi::Value Speculate(const Napi::CallbackInfo& info) {
  Arguments in(info);
  SpeculativeChain op;
  op.target = ReadSampling(&in);
  op.drafts = in.Size();
  op.sequences = op.target.logits.rows / (op.drafts + 1);
  const size_t drafts = op.sequences * op.drafts;
  op.draft_tokens = in.Array<int32_t>(drafts, "draftTokens");
  op.draft_probabilities = in.Array<float>(drafts * op.target.logits.vocab, "draftProbabilities");
  op.accepted = in.Array<int32_t>(op.sequences, "accepted");
  op.status = in.Array<uint8_t>(op.sequences, "status");
  const unsigned threads = in.Threads();
  Sampling draft;
  if (in.Flag()) {
    draft = ReadSampling(&in);
    if (draft.logits.rows < drafts || draft.logits.vocab != op.target.logits.vocab ||
        draft.logits.type != op.target.logits.type) {
      in.Fail("draftLogits: of another shape or type than the target's");
    }
    op.draft = &draft;
  }
  RunSpeculative(op, threads);
  return info.Env().Undefined();
}

// Make kept sets, sample, ask how many, copy.
Napi::Value NewKeptSets(const Napi::CallbackInfo& info) {
  return Napi::External<KeptSets>::New(info.Env(), new KeptSets, [](Napi::Env, KeptSets* sets) { delete sets; });
}

// (sets, offsets): fills the offsets, returns how many tokens there are.
Napi::Value KeptOffsets(const Napi::CallbackInfo& info) {
  const KeptSets& sets = *info[0].As<Napi::External<KeptSets>>().Data();
  int32_t* offsets = ArrayOf<int32_t>(info, 1, sets.size() + 1, "keptOffsets");
  offsets[0] = 0;
  for (size_t i = 0; i < sets.size(); ++i) offsets[i + 1] = offsets[i] + static_cast<int32_t>(sets[i].size());
  return Napi::Number::New(info.Env(), offsets[sets.size()]);
}

// (sets, tokens)
Napi::Value KeptTokens(const Napi::CallbackInfo& info) {
  const KeptSets& sets = *info[0].As<Napi::External<KeptSets>>().Data();
  size_t total = 0;
  for (const auto& set : sets) total += set.size();
  int32_t* tokens = ArrayOf<int32_t>(info, 1, total, "keptTokens");
  for (const auto& set : sets) tokens = std::copy(set.begin(), set.end(), tokens);
  return info.Env().Undefined();
}

// (sets, rows, tokens [rows, vocab], sizes [rows], vocab): fills them with what CUDA kept.
Napi::Value SetKeptTokens(const Napi::CallbackInfo& info) {
  KeptSets* sets = info[0].As<Napi::External<KeptSets>>().Data();
  const size_t rows = SizeOf(info, 1);
  const size_t vocab = SizeOf(info, 4);
  const int32_t* tokens = ArrayOf<int32_t>(info, 2, rows * vocab, "keptTokens");
  const int32_t* sizes = ArrayOf<int32_t>(info, 3, rows, "keptSizes");
  sets->assign(rows, {});
  for (size_t i = 0; i < rows; ++i) (*sets)[i].assign(tokens + i * vocab, tokens + i * vocab + sizes[i]);
  return info.Env().Undefined();
}

}  // namespace

void RegisterSampling(Napi::Env env, Napi::Object exports) {
  Export<RunCall<ReadSample>>(env, exports, "sample");
  Export<BindCall<ReadSample>>(env, exports, "bindSample");
  Export<StartCall<ReadSample>>(env, exports, "sampleAsync");
  Export<Speculate>(env, exports, "speculate");
  Export<NewKeptSets>(env, exports, "newKeptSets");
  Export<KeptOffsets>(env, exports, "keptOffsets");
  Export<KeptTokens>(env, exports, "keptTokens");
  Export<SetKeptTokens>(env, exports, "setKeptTokens");
}

}  // namespace crossthink::addon
