#include "kernels/linear/linear.h"

#include "addon/addon.h"
#include "addon/calls.h"
#include "addon/logprob_scalars.h"
#include "kernels/kernel_table.h"

namespace crossthink::addon {
namespace {

// (type, rows, vocab, depth, stride of hidden, hidden, stride of weight, weight, bias | undefined): the first arguments
// of every operation.
LinearProduct ReadProduct(Arguments* in) {
  LinearProduct op;
  op.type = static_cast<DType>(in->Size());
  op.rows = in->Size();
  op.vocab = in->Size();
  op.depth = in->Size();
  const size_t size = DTypeSize(op.type);
  op.hidden_stride = in->Size();
  op.hidden = in->Elements(size, MatrixLength(op.rows, op.hidden_stride, op.depth), "hidden");
  op.weight_stride = in->Size();
  op.weight = in->Elements(size, MatrixLength(op.vocab, op.weight_stride, op.depth), "weight");
  op.bias = in->Array<float>(op.vocab, "bias");
  return op;
}

// (..., tokens, temperature, temperatures | undefined, softcap, ignoreIndex, vocabOffset, workspace)
void ReadRows(Arguments* in, const LinearProduct& product, LogprobInput* op, size_t* workspace) {
  op->logits.rows = product.rows;
  op->logits.vocab = product.vocab;
  op->tokens = in->Array<int32_t>(product.rows, "tokens");
  const double temperature = in->Number();
  op->temperature = in->ReadRowFloat(temperature, product.rows, "temperature");
  ReadLogprobScalars(in, op);
  *workspace = in->Size();
}

// (...rows, status, logprob, logsumexp, state, entropy | undefined, sumSquares | undefined, threads)
auto ReadForward(Arguments* in) {
  LinearForward op;
  op.product = ReadProduct(in);
  const size_t rows = op.product.rows;
  LogprobForward& logprob = op.logprob;
  size_t workspace = 0;
  ReadRows(in, op.product, &logprob, &workspace);
  logprob.status = in->Array<uint8_t>(rows, "status");
  logprob.logprob = in->Array<float>(rows, "logprob");
  logprob.logsumexp = in->Array<float>(rows, "logsumexp");
  logprob.state = in->Array<double>(rows * kStateSize, "state");
  logprob.entropy_out = in->Array<float>(rows, "entropy");
  logprob.entropy = logprob.entropy_out != nullptr;
  logprob.sum_squares = in->Array<float>(rows, "sumSquares");
  const unsigned threads = in->Threads();
  return [op, workspace, threads](CancelFlag* cancel) { return RunLinearForward(op, workspace, threads, cancel); };
}

// (...rows, state, dLogprob, dEntropy | undefined, dHidden | undefined, dWeight | undefined, dBias | undefined,
// accumulate, threads)
auto ReadBackward(Arguments* in) {
  LinearBackward op;
  op.product = ReadProduct(in);
  const LinearProduct& product = op.product;
  LogprobBackward& logprob = op.logprob;
  size_t workspace = 0;
  ReadRows(in, product, &logprob, &workspace);
  logprob.state = in->Array<double>(product.rows * kStateSize, "state");
  logprob.d_logprob = in->Array<float>(product.rows, "dLogprob");
  logprob.d_entropy = in->Array<float>(product.rows, "dEntropy");
  op.d_hidden = in->Array<float>(product.rows * product.depth, "dHidden");
  op.d_weight = in->Array<float>(product.vocab * product.depth, "dWeight");
  op.d_bias = in->Array<float>(product.vocab, "dBias");
  op.accumulate = in->Flag();
  const unsigned threads = in->Threads();
  return [op, workspace, threads](CancelFlag* cancel) { return RunLinearBackward(op, workspace, threads, cancel); };
}

// (..., logits [rows, vocab])
auto ReadLogits(Arguments* in) {
  LinearLogits op;
  op.product = ReadProduct(in);
  op.logits = in->Array<float>(op.product.rows * op.product.vocab, "logits");
  const unsigned threads = in->Threads();
  return [op, threads](CancelFlag* cancel) { return RunLinearLogits(op, threads, cancel); };
}

// For bench/linear.ts: (type, rounds), the multiply-adds done.
Napi::Value Peak(const Napi::CallbackInfo& info) {
  const auto peak = ActiveKernels().linear.peak[SizeOf(info, 0)];
  return Napi::Number::New(info.Env(), peak(SizeOf(info, 1)));
}

}  // namespace

void RegisterLinear(Napi::Env env, Napi::Object exports) {
  Export<RunCall<ReadForward>>(env, exports, "linearForward");
  Export<StartCall<ReadForward>>(env, exports, "linearForwardAsync");
  Export<RunCall<ReadBackward>>(env, exports, "linearBackward");
  Export<StartCall<ReadBackward>>(env, exports, "linearBackwardAsync");
  Export<RunCall<ReadLogits>>(env, exports, "linearLogits");
  Export<StartCall<ReadLogits>>(env, exports, "linearLogitsAsync");
  Export<Peak>(env, exports, "linearPeak");
}

}  // namespace crossthink::addon
