#include "addon/addon.h"
#include "addon/cuda_arguments.h"

// Operations on logits in device memory. What they take: cuda_arguments.h.
namespace crossthink::addon {
namespace {

void ReleaseWorkspaces(const Napi::CallbackInfo& info) {
  const cuda::Module& module = cuda::LoadModule();
  if (module.api == nullptr) return;
  CrossthinkCudaStatus status{};
  if (Workspaces::Instance().ReleaseAll(*module.api, &status) != 0) {
    throw Napi::Error::New(info.Env(), status.message);
  }
}

void Forward(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  LogprobForward op;
  op.logits = arguments.ReadLogits();
  op.tokens = arguments.Pointer<const int32_t>();
  op.temperature = arguments.ReadRowFloat();
  op.status = arguments.Pointer<uint8_t>();
  op.logprob = arguments.Pointer<float>();
  op.logsumexp = arguments.Pointer<float>();
  op.state = arguments.Pointer<double>();
  op.entropy_out = arguments.Pointer<float>();
  op.entropy = op.entropy_out != nullptr;
  arguments.Run(op, &CrossthinkCudaApi::logprob_forward_workspace, &CrossthinkCudaApi::logprob_forward);
}

void Backward(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  LogprobBackward op;
  op.logits = arguments.ReadLogits();
  op.tokens = arguments.Pointer<const int32_t>();
  op.temperature = arguments.ReadRowFloat();
  op.state = arguments.Pointer<const double>();
  op.d_logprob = arguments.Pointer<const float>();
  op.d_entropy = arguments.Pointer<const float>();
  op.d_logits = arguments.Pointer<void>();
  op.d_type = static_cast<DType>(arguments.Size());
  op.d_stride = arguments.Size();
  arguments.Run(op, &CrossthinkCudaApi::logprob_backward_workspace, &CrossthinkCudaApi::logprob_backward);
}

}  // namespace

void RegisterCudaOperations(Napi::Env env, Napi::Object exports) {
  exports["cudaReleaseWorkspaces"] = Napi::Function::New(env, ReleaseWorkspaces, "cudaReleaseWorkspaces");
  exports["cudaLogprobForward"] = Napi::Function::New(env, Forward, "cudaLogprobForward");
  exports["cudaLogprobBackward"] = Napi::Function::New(env, Backward, "cudaLogprobBackward");
}

}  // namespace crossthink::addon
