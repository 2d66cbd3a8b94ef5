#include "kernels/sampling/sampling.h"

#include "addon/addon.h"
#include "addon/arrays.h"
#include "addon/async.h"

namespace crossthink::addon {
namespace {

// (logits, type, rows, vocab, stride, settings: Float64Array [temperature, topK, topP], temperatures | undefined,
//  topKs | undefined, topPs | undefined, seed: BigUint64Array(1), sequences, positions, sample, threads, status,
//  tokens, logprobs | undefined, rawLogprobs | undefined, ...)
Sampling Arguments(const Napi::CallbackInfo& info) {
  Sampling op;
  op.logits.type = static_cast<DType>(SizeOf(info, 1));
  op.logits.rows = SizeOf(info, 2);
  op.logits.vocab = SizeOf(info, 3);
  op.logits.stride = SizeOf(info, 4);
  const size_t rows = op.logits.rows;
  const size_t length = rows == 0 ? 0 : (rows - 1) * op.logits.stride + op.logits.vocab;
  op.logits.data = LogitsOf(info, 0, DTypeSize(op.logits.type), length, "logits");
  const double* settings = ArrayOf<double>(info, 5, 3, "settings");
  op.temperature = {ArrayOf<float>(info, 6, rows, "temperature"), static_cast<float>(settings[0])};
  op.top_k = {ArrayOf<int32_t>(info, 7, rows, "topK"), static_cast<int32_t>(settings[1])};
  op.top_p = {ArrayOf<float>(info, 8, rows, "topP"), static_cast<float>(settings[2])};
  op.seed = *ArrayOf<uint64_t>(info, 9, 1, "seed");
  op.sequences = ArrayOf<uint64_t>(info, 10, rows, "sequences");
  op.positions = ArrayOf<int32_t>(info, 11, rows, "positions");
  op.sample = static_cast<uint32_t>(SizeOf(info, 12));
  op.status = ArrayOf<uint8_t>(info, 14, rows, "status");
  op.tokens = ArrayOf<int32_t>(info, 15, rows, "tokens");
  op.logprob = ArrayOf<float>(info, 16, rows, "logprobs");
  op.raw_logprob = ArrayOf<float>(info, 17, rows, "rawLogprobs");
  return op;
}

Napi::Value Sample(const Napi::CallbackInfo& info) {
  RunSampling(Arguments(info), static_cast<unsigned>(SizeOf(info, 13)), nullptr);
  return info.Env().Undefined();
}

// (..., cancel flag | undefined): a promise of whether it ran to its end.
Napi::Value SampleAsync(const Napi::CallbackInfo& info) {
  const Sampling op = Arguments(info);
  const auto threads = static_cast<unsigned>(SizeOf(info, 13));
  return StartAsync(
      info.Env(), [op, threads](const std::atomic<int32_t>& cancel) { return RunSampling(op, threads, &cancel); },
      info[18], {info[0], info[6], info[7], info[8], info[10], info[11], info[14], info[15], info[16], info[17]});
}

}  // namespace

void RegisterSampling(Napi::Env env, Napi::Object exports) {
  exports["sample"] = Napi::Function::New(env, Sample, "sample");
  exports["sampleAsync"] = Napi::Function::New(env, SampleAsync, "sampleAsync");
}

}  // namespace crossthink::addon
