#include "kernels/sampling/sampling.h"

#include <algorithm>
#include <string>
#include <vector>

#include "addon/addon.h"
#include "addon/arrays.h"
#include "addon/async.h"

namespace crossthink::addon {
namespace {

// Takes the arguments of a call in order. Arrays are remembered, so that an asynchronous call can keep them alive.
class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo& info) : info_(info) {}

  double Number() { return NumberOf(info_, next_++); }
  size_t Size() { return SizeOf(info_, next_++); }
  bool Flag() { return FlagOf(info_, next_++); }

  template <class T>
  T* Array(size_t length, const char* name) {
    Remember();
    return ArrayOf<T>(info_, next_++, length, name);
  }

  // An array of any length, undefined meaning empty.
  template <class T>
  T* Array(size_t* length, const char* name) {
    *length = 0;
    if (info_[next_].IsTypedArray()) *length = info_[next_].As<Napi::TypedArray>().ElementLength();
    return Array<T>(*length, name);
  }

  Logits ReadLogits() {
    Logits logits;
    const size_t at = next_++;
    Remember(at);
    logits.type = static_cast<DType>(Size());
    logits.rows = Size();
    logits.vocab = Size();
    logits.stride = Size();
    const size_t length = logits.rows == 0 ? 0 : (logits.rows - 1) * logits.stride + logits.vocab;
    logits.data = LogitsOf(info_, at, DTypeSize(logits.type), length, "logits");
    return logits;
  }

  RowFloat ReadRowFloat(double scalar, size_t rows, const char* name) {
    return {Array<float>(rows, name), static_cast<float>(scalar)};
  }
  RowInt ReadRowInt(double scalar, size_t rows, const char* name) {
    return {Array<int32_t>(rows, name), static_cast<int32_t>(scalar)};
  }

  // Tokens and offsets; lib/ has checked that offsets ascend from 0.
  TokenLists ReadLists(size_t rows, const char* name) {
    TokenLists lists;
    lists.tokens = Array<int32_t>(&lists.length, name);
    lists.offsets = Array<int32_t>(info_[next_].IsUndefined() ? 0 : rows + 1, name);
    if (lists.offsets != nullptr && static_cast<size_t>(lists.offsets[rows]) > lists.length) {
      throw Napi::RangeError::New(info_.Env(), std::string(name) + ": offsets reach past the tokens");
    }
    return lists;
  }

  Napi::Value Rest() { return info_[next_++]; }
  const std::vector<Napi::Value>& arrays() const { return arrays_; }

 private:
  void Remember() { Remember(next_); }
  void Remember(size_t index) {
    if (!info_[index].IsUndefined()) arrays_.push_back(info_[index]);
  }

  const Napi::CallbackInfo& info_;
  size_t next_ = 0;
  std::vector<Napi::Value> arrays_;
};

using KeptSets = std::vector<std::vector<int32_t>>;

void Keep(void* context, size_t row, const uint32_t* ids, size_t size) {
  (*static_cast<KeptSets*>(context))[row].assign(ids, ids + size);
}

// In the order of SampleArguments in binding.d.cts.
Sampling ReadSampling(Arguments* in) {
  Sampling op;
  op.logits = in->ReadLogits();
  const size_t rows = op.logits.rows;
  const double* settings = in->Array<double>(17, "settings");
  op.temperature = in->ReadRowFloat(settings[0], rows, "temperature");
  op.top_k = in->ReadRowInt(settings[1], rows, "topK");
  op.top_p = in->ReadRowFloat(settings[2], rows, "topP");
  op.min_p = in->ReadRowFloat(settings[3], rows, "minP");
  op.typical_p = in->ReadRowFloat(settings[4], rows, "typicalP");
  op.top_n_sigma = in->ReadRowFloat(settings[5], rows, "topNSigma");
  op.xtc_probability = in->ReadRowFloat(settings[6], rows, "xtc.probability");
  op.xtc_threshold.scalar = static_cast<float>(settings[7]);
  op.inclusive_top_p = settings[8] != 0;
  op.gumbel = settings[9] != 0;
  op.steps = in->Array<uint8_t>(&op.step_count, "steps");

  LogitEdits& edits = op.edits;
  edits.softcap = static_cast<float>(settings[10]);
  size_t mask_length = 0;
  edits.bitmask = in->Array<int32_t>(&mask_length, "bitmask");
  edits.mask_per_row = in->Flag();
  edits.mask_words = edits.mask_per_row && rows != 0 ? mask_length / rows : mask_length;
  edits.banned = in->ReadLists(rows, "bannedTokens");
  edits.stop = in->ReadLists(rows, "stopTokens");
  edits.min_tokens = in->ReadRowInt(settings[11], rows, "minTokens");
  edits.bias_tokens = in->ReadLists(rows, "logitBias");
  edits.bias = in->Array<float>(edits.bias_tokens.length, "logitBias");
  edits.prompt = in->ReadLists(rows, "history.prompt");
  edits.output = in->ReadLists(rows, "history.output");
  edits.repetition = in->ReadRowFloat(settings[12], rows, "repetitionPenalty");
  edits.presence = in->ReadRowFloat(settings[13], rows, "presencePenalty");
  edits.frequency = in->ReadRowFloat(settings[14], rows, "frequencyPenalty");
  edits.no_repeat_ngram = in->ReadRowInt(settings[15], rows, "noRepeatNgram");
  const double* dry = in->Array<double>(3, "dry");
  edits.dry_multiplier = static_cast<float>(dry[0]);
  edits.dry_base = static_cast<float>(dry[1]);
  edits.dry_allowed = static_cast<int32_t>(dry[2]);
  edits.dry_breakers = in->ReadLists(rows, "dry.breakers");

  op.seed = *in->Array<uint64_t>(1, "seed");
  op.sequences = in->Array<uint64_t>(rows, "sequences");
  op.positions = in->Array<int32_t>(rows, "positions");
  op.sample = static_cast<uint32_t>(settings[16]);
  op.samples = in->Size();

  const size_t drawn = rows * op.samples;
  op.status = in->Array<uint8_t>(rows, "status");
  op.tokens = in->Array<int32_t>(drawn, "tokens");
  op.logprob = in->Array<float>(drawn, "logprobs");
  op.raw_logprob = in->Array<float>(drawn, "rawLogprobs");
  op.rank = in->Array<int32_t>(drawn, "ranks");
  op.entropy = in->Array<float>(rows, "entropy");
  op.support_mass = in->Array<float>(rows, "supportMass");
  op.top_n = in->Size();
  op.top_tokens = in->Array<int32_t>(rows * op.top_n, "topTokens");
  op.top_logprobs = in->Array<float>(rows * op.top_n, "topLogprobs");
  op.chosen = in->ReadLists(rows, "logprobTokens");
  op.chosen_logprobs =
      in->Array<float>(op.chosen.offsets != nullptr ? op.chosen.length : rows * op.chosen.length, "chosenLogprobs");
  if (const Napi::Value kept = in->Rest(); !kept.IsUndefined()) {
    auto* sets = kept.As<Napi::External<KeptSets>>().Data();
    sets->assign(rows, {});
    op.keep = Keep;
    op.keep_context = sets;
  }
  return op;
}

// (...SampleArguments, threads)
Napi::Value Sample(const Napi::CallbackInfo& info) {
  Arguments in(info);
  const Sampling op = ReadSampling(&in);
  RunSampling(op, static_cast<unsigned>(in.Size()), nullptr);
  return info.Env().Undefined();
}

// (...SampleArguments, threads, cancel flag | undefined): a promise of whether it ran to its end.
Napi::Value SampleAsync(const Napi::CallbackInfo& info) {
  Arguments in(info);
  const Sampling op = ReadSampling(&in);
  const auto threads = static_cast<unsigned>(in.Size());
  const auto work = [op, threads](const std::atomic<int32_t>& cancel) { return RunSampling(op, threads, &cancel); };
  return StartAsync(info.Env(), work, in.Rest(), in.arrays());
}

// Kept sets are collected natively, because their size is known only afterwards: make one, sample, ask, copy.
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
  exports["sample"] = Napi::Function::New(env, Sample, "sample");
  exports["sampleAsync"] = Napi::Function::New(env, SampleAsync, "sampleAsync");
  exports["newKeptSets"] = Napi::Function::New(env, NewKeptSets, "newKeptSets");
  exports["keptOffsets"] = Napi::Function::New(env, KeptOffsets, "keptOffsets");
  exports["setKeptTokens"] = Napi::Function::New(env, SetKeptTokens, "setKeptTokens");
  exports["keptTokens"] = Napi::Function::New(env, KeptTokens, "keptTokens");
}

}  // namespace crossthink::addon
