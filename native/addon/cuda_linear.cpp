#include "addon/addon.h"
#include "addon/cuda_inputs.h"

// Linear heads in device memory. What they take: cuda_arguments.h, in the order of lib/kernels/device/linear.ts.
namespace crossthink::addon {
namespace {

using Arguments = CudaArguments;

LinearProduct ReadProduct(Arguments* in) {
  LinearProduct op;
  op.type = static_cast<DType>(in->Size());
  op.rows = in->Size();
  op.vocab = in->Size();
  op.depth = in->Size();
  op.hidden_stride = in->Size();
  op.hidden = in->Pointer<const void>();
  op.weight_stride = in->Size();
  op.weight = in->Pointer<const void>();
  op.bias = in->Pointer<const float>();
  return op;
}

void Logits(const Napi::CallbackInfo& info) {
  Arguments in(info);
  cuda::CrossthinkBounded<LinearLogits> bounded = {};
  bounded.op.product = ReadProduct(&in);
  bounded.op.logits = in.Pointer<float>();
  in.Run(bounded, &CrossthinkCudaApi::linear_logits_workspace, &CrossthinkCudaApi::linear_logits);
}

void Forward(const Napi::CallbackInfo& info) {
  Arguments in(info);
  cuda::CrossthinkBounded<LinearForward> bounded = {};
  bounded.op.product = ReadProduct(&in);
  LogprobForward& op = bounded.op.logprob;
  ReadLogprobRows(&in, &op);
  bounded.bytes = in.Size();
  op.status = in.Pointer<uint8_t>();
  op.logprob = in.Pointer<float>();
  op.logsumexp = in.Pointer<float>();
  op.state = in.Pointer<double>();
  op.entropy_out = in.Pointer<float>();
  op.entropy = op.entropy_out != nullptr;
  op.sum_squares = in.Pointer<float>();
  in.Run(bounded, &CrossthinkCudaApi::linear_forward_workspace, &CrossthinkCudaApi::linear_forward);
}

void Backward(const Napi::CallbackInfo& info) {
  Arguments in(info);
  cuda::CrossthinkBounded<LinearBackward> bounded = {};
  bounded.op.product = ReadProduct(&in);
  LogprobBackward& op = bounded.op.logprob;
  ReadLogprobRows(&in, &op);
  bounded.bytes = in.Size();
  op.state = in.Pointer<const double>();
  op.d_logprob = in.Pointer<const float>();
  op.d_entropy = in.Pointer<const float>();
  bounded.op.d_hidden = in.Pointer<float>();
  bounded.op.d_weight = in.Pointer<float>();
  bounded.op.d_bias = in.Pointer<float>();
  bounded.op.accumulate = in.Flag();
  in.Run(bounded, &CrossthinkCudaApi::linear_backward_workspace, &CrossthinkCudaApi::linear_backward);
}

// Why there is no cuBLAS; empty where there is.
Napi::Value BlasReason(const Napi::CallbackInfo& info) {
  const cuda::Module& module = cuda::LoadModule();
  if (module.api == nullptr) return Napi::String::New(info.Env(), module.reason);
  CrossthinkCudaStatus status{};
  module.api->blas_available(&status);
  return Napi::String::New(info.Env(), status.message);
}

}  // namespace

void RegisterCudaLinear(Napi::Env env, Napi::Object exports) {
  Export<BlasReason>(env, exports, "cudaBlasReason");
  Export<Logits>(env, exports, "cudaLinearLogits");
  Export<Forward>(env, exports, "cudaLinearForward");
  Export<Backward>(env, exports, "cudaLinearBackward");
}

}  // namespace crossthink::addon
