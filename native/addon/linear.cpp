#include "kernels/linear/linear.h"

#include <exception>

#include "addon/addon.h"
#include "addon/arguments.h"
#include "addon/async.h"

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

// (..., tokens, temperature, temperatures | undefined, workspace, status, logprob, logsumexp, state,
// entropy | undefined)
LinearForward ReadForward(Arguments* in, size_t* workspace) {
  LinearForward op;
  op.product = ReadProduct(in);
  const size_t rows = op.product.rows;
  LogprobForward& logprob = op.logprob;
  logprob.logits.rows = rows;
  logprob.logits.vocab = op.product.vocab;
  logprob.tokens = in->Array<int32_t>(rows, "tokens");
  const double temperature = in->Number();
  logprob.temperature = in->ReadRowFloat(temperature, rows, "temperature");
  *workspace = in->Size();
  logprob.status = in->Array<uint8_t>(rows, "status");
  logprob.logprob = in->Array<float>(rows, "logprob");
  logprob.logsumexp = in->Array<float>(rows, "logsumexp");
  logprob.state = in->Array<double>(rows * kStateSize, "state");
  logprob.entropy_out = in->Array<float>(rows, "entropy");
  logprob.entropy = logprob.entropy_out != nullptr;
  return op;
}

// Runs work that may not find its memory.
template <class Work>
Napi::Value RunHere(const Napi::CallbackInfo& info, const Work& work) {
  try {
    work(nullptr);
  } catch (const std::exception& error) {
    throw Napi::Error::New(info.Env(), error.what());
  }
  return info.Env().Undefined();
}

// The same as a promise of whether it ran to its end. The last argument is a cancel flag or undefined.
template <class Work>
Napi::Value RunLater(const Napi::CallbackInfo& info, Arguments* in, const Work& work) {
  const auto job = [work](const std::atomic<int32_t>& cancel) { return work(&cancel); };
  return StartAsync(info.Env(), job, in->Rest(), in->arrays());
}

auto ForwardWork(Arguments* in) {
  size_t workspace = 0;
  const LinearForward op = ReadForward(in, &workspace);
  const auto threads = static_cast<unsigned>(in->Size());
  return [op, workspace, threads](const std::atomic<int32_t>* cancel) {
    return RunLinearForward(op, workspace, threads, cancel);
  };
}

// (..., logits [rows, vocab])
auto LogitsWork(Arguments* in) {
  LinearLogits op;
  op.product = ReadProduct(in);
  op.logits = in->Array<float>(op.product.rows * op.product.vocab, "logits");
  const auto threads = static_cast<unsigned>(in->Size());
  return [op, threads](const std::atomic<int32_t>* cancel) { return RunLinearLogits(op, threads, cancel); };
}

Napi::Value Forward(const Napi::CallbackInfo& info) {
  Arguments in(info);
  return RunHere(info, ForwardWork(&in));
}
Napi::Value ForwardAsync(const Napi::CallbackInfo& info) {
  Arguments in(info);
  const auto work = ForwardWork(&in);
  return RunLater(info, &in, work);
}
Napi::Value LogitsHere(const Napi::CallbackInfo& info) {
  Arguments in(info);
  return RunHere(info, LogitsWork(&in));
}
Napi::Value LogitsAsync(const Napi::CallbackInfo& info) {
  Arguments in(info);
  const auto work = LogitsWork(&in);
  return RunLater(info, &in, work);
}

}  // namespace

void RegisterLinear(Napi::Env env, Napi::Object exports) {
  exports["linearForward"] = Napi::Function::New(env, Forward, "linearForward");
  exports["linearForwardAsync"] = Napi::Function::New(env, ForwardAsync, "linearForwardAsync");
  exports["linearLogits"] = Napi::Function::New(env, LogitsHere, "linearLogits");
  exports["linearLogitsAsync"] = Napi::Function::New(env, LogitsAsync, "linearLogitsAsync");
}

}  // namespace crossthink::addon
