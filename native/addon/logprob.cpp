#include "kernels/logprob/logprob.h"

#include "addon/addon.h"
#include "addon/arrays.h"

namespace crossthink::addon {
namespace {

// (logits, type, rows, vocab, stride, tokens, temperature | undefined, temperatures | undefined, ...): the first eight
// arguments of both directions.
Logits LogitsArguments(const Napi::CallbackInfo& info) {
  Logits logits;
  logits.type = static_cast<DType>(SizeOf(info, 1));
  logits.rows = SizeOf(info, 2);
  logits.vocab = SizeOf(info, 3);
  logits.stride = SizeOf(info, 4);
  const size_t length = logits.rows == 0 ? 0 : (logits.rows - 1) * logits.stride + logits.vocab;
  logits.data = LogitsOf(info, 0, DTypeSize(logits.type), length, "logits");
  return logits;
}

RowFloat TemperatureArguments(const Napi::CallbackInfo& info, size_t rows) {
  RowFloat temperature;
  temperature.scalar = static_cast<float>(NumberOf(info, 6));
  temperature.values = ArrayOf<float>(info, 7, rows, "temperature");
  return temperature;
}

// (..., threads, status, logprob, logsumexp, state, entropy | undefined)
Napi::Value Forward(const Napi::CallbackInfo& info) {
  LogprobForward op;
  op.logits = LogitsArguments(info);
  const size_t rows = op.logits.rows;
  op.tokens = ArrayOf<int32_t>(info, 5, rows, "tokens");
  op.temperature = TemperatureArguments(info, rows);
  op.status = ArrayOf<uint8_t>(info, 9, rows, "status");
  op.logprob = ArrayOf<float>(info, 10, rows, "logprob");
  op.logsumexp = ArrayOf<float>(info, 11, rows, "logsumexp");
  op.state = ArrayOf<double>(info, 12, rows * kStateSize, "state");
  op.entropy_out = ArrayOf<float>(info, 13, rows, "entropy");
  op.entropy = op.entropy_out != nullptr;
  RunLogprobForward(op, static_cast<unsigned>(SizeOf(info, 8)));
  return info.Env().Undefined();
}

// (..., threads, state, dLogprob, dEntropy | undefined, dLogits, type of dLogits, stride of dLogits, stream)
Napi::Value Backward(const Napi::CallbackInfo& info) {
  LogprobBackward op;
  op.logits = LogitsArguments(info);
  const size_t rows = op.logits.rows;
  op.tokens = ArrayOf<int32_t>(info, 5, rows, "tokens");
  op.temperature = TemperatureArguments(info, rows);
  op.state = ArrayOf<double>(info, 9, rows * kStateSize, "state");
  op.d_logprob = ArrayOf<float>(info, 10, rows, "dLogprob");
  op.d_entropy = ArrayOf<float>(info, 11, rows, "dEntropy");
  op.d_type = static_cast<DType>(SizeOf(info, 13));
  op.d_stride = SizeOf(info, 14);
  const size_t length = rows == 0 ? 0 : (rows - 1) * op.d_stride + op.logits.vocab;
  op.d_logits = LogitsOf(info, 12, DTypeSize(op.d_type), length, "dLogits");
  op.stream = FlagOf(info, 15);
  RunLogprobBackward(op, static_cast<unsigned>(SizeOf(info, 8)));
  return info.Env().Undefined();
}

}  // namespace

void RegisterLogprob(Napi::Env env, Napi::Object exports) {
  Export<Forward>(env, exports, "logprobForward");
  Export<Backward>(env, exports, "logprobBackward");
}

}  // namespace crossthink::addon
