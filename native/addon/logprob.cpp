#include "kernels/logprob/logprob.h"

#include "addon/addon.h"
#include "addon/calls.h"
#include "addon/logprob_input.h"
#include "kernels/logprob/run.h"

namespace crossthink::addon {
namespace {

// (...LogprobArguments, threads, status, logprob, logsumexp, state, entropy | undefined, sumSquares | undefined,
// k, topTokens | undefined, topLogprobs | undefined, listed, listedTokens | undefined, listedLogprobs | undefined)
auto ReadForward(Arguments* in) {
  LogprobForward op;
  ReadLogprobInput(in, &op);
  const size_t rows = op.logits.rows;
  const unsigned threads = in->Threads();
  op.status = in->Array<uint8_t>(rows, "status");
  op.logprob = in->Array<float>(rows, "logprob");
  op.logsumexp = in->Array<float>(rows, "logsumexp");
  op.state = in->Array<double>(rows * kStateSize, "state");
  op.entropy_out = in->Array<float>(rows, "entropy");
  op.entropy = op.entropy_out != nullptr;
  op.sum_squares = in->Array<float>(rows, "sumSquares");
  op.top_k = in->Size();
  op.top_tokens = in->Array<int32_t>(rows * op.top_k, "topTokens");
  op.top_logprobs = in->Array<float>(rows * op.top_k, "topLogprobs");
  op.listed = in->Size();
  op.listed_tokens = in->Array<int32_t>(rows * op.listed, "listedTokens");
  op.listed_logprobs = in->Array<float>(rows * op.listed, "listedLogprobs");
  return [op, threads](CancelFlag* cancel) { return RunLogprobForward(op, threads, cancel); };
}

// (...LogprobArguments, threads, state, dLogprob, dEntropy | undefined, type and stride of dLogits, dLogits, stream)
auto ReadBackward(Arguments* in) {
  LogprobBackward op;
  ReadLogprobInput(in, &op);
  const size_t rows = op.logits.rows;
  const unsigned threads = in->Threads();
  op.state = in->Array<double>(rows * kStateSize, "state");
  op.d_logprob = in->Array<float>(rows, "dLogprob");
  op.d_entropy = in->Array<float>(rows, "dEntropy");
  op.d_type = static_cast<DType>(in->Size());
  op.d_stride = in->Size();
  op.d_logits = in->Elements(DTypeSize(op.d_type), MatrixLength(rows, op.d_stride, op.logits.vocab), "dLogits");
  op.stream = in->Flag();
  return [op, threads](CancelFlag* cancel) { return RunLogprobBackward(op, threads, cancel); };
}

// (states: [shards, rows, 5], shards, rows, status, logprob, logsumexp, state, entropy, sumSquares)
Napi::Value Merge(const Napi::CallbackInfo& info) {
  Arguments in(info);
  LogprobMerge op;
  size_t length = 0;
  op.states = in.Array<double>(&length, "states");
  op.shards = in.Size();
  op.rows = in.Size();
  if (length < op.shards * op.rows * kStateSize) in.Fail("states: too short");
  op.status = in.Array<uint8_t>(op.rows, "status");
  op.logprob = in.Array<float>(op.rows, "logprob");
  op.logsumexp = in.Array<float>(op.rows, "logsumexp");
  op.state = in.Array<double>(op.rows * kStateSize, "state");
  op.entropy = in.Array<float>(op.rows, "entropy");
  op.sum_squares = in.Array<float>(op.rows, "sumSquares");
  RunLogprobMerge(op);
  return info.Env().Undefined();
}

}  // namespace

void RegisterLogprob(Napi::Env env, Napi::Object exports) {
  Export<RunCall<ReadForward>>(env, exports, "logprobForward");
  Export<RunCall<ReadBackward>>(env, exports, "logprobBackward");
  Export<BindCall<ReadForward>>(env, exports, "bindLogprobForward");
  Export<StartCall<ReadForward>>(env, exports, "logprobForwardAsync");
  Export<BindCall<ReadBackward>>(env, exports, "bindLogprobBackward");
  Export<StartCall<ReadBackward>>(env, exports, "logprobBackwardAsync");
  Export<Merge>(env, exports, "logprobMerge");
}

}  // namespace crossthink::addon
