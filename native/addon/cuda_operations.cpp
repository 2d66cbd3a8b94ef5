#include "addon/addon.h"
#include "addon/cuda_inputs.h"

// Operations on logits in device memory. What they take: cuda_arguments.h.
namespace crossthink::addon {
namespace {

using Arguments = CudaArguments;

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
  ReadLogprobInput(&arguments, &op);
  op.status = arguments.Pointer<uint8_t>();
  op.logprob = arguments.Pointer<float>();
  op.logsumexp = arguments.Pointer<float>();
  op.state = arguments.Pointer<double>();
  op.entropy_out = arguments.Pointer<float>();
  op.entropy = op.entropy_out != nullptr;
  op.sum_squares = arguments.Pointer<float>();
  op.top_k = arguments.Size();
  op.top_tokens = arguments.Pointer<int32_t>();
  op.top_logprobs = arguments.Pointer<float>();
  op.listed = arguments.Size();
  op.listed_tokens = arguments.Pointer<const int32_t>();
  op.listed_logprobs = arguments.Pointer<float>();
  arguments.Run(op, &CrossthinkCudaApi::logprob_forward_workspace, &CrossthinkCudaApi::logprob_forward);
}

void Backward(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  LogprobBackward op;
  ReadLogprobInput(&arguments, &op);
  op.state = arguments.Pointer<const double>();
  op.d_logprob = arguments.Pointer<const float>();
  op.d_entropy = arguments.Pointer<const float>();
  op.d_logits = arguments.Pointer<void>();
  op.d_type = static_cast<DType>(arguments.Size());
  op.d_stride = arguments.Size();
  arguments.Run(op, &CrossthinkCudaApi::logprob_backward_workspace, &CrossthinkCudaApi::logprob_backward);
}

void Merge(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  LogprobMerge op;
  op.states = arguments.Pointer<const double>();
  op.shards = arguments.Size();
  op.rows = arguments.Size();
  op.status = arguments.Pointer<uint8_t>();
  op.logprob = arguments.Pointer<float>();
  op.logsumexp = arguments.Pointer<float>();
  op.state = arguments.Pointer<double>();
  op.entropy = arguments.Pointer<float>();
  op.sum_squares = arguments.Pointer<float>();
  arguments.Run(op, &CrossthinkCudaApi::logprob_merge);
}

}  // namespace

void RegisterCudaOperations(Napi::Env env, Napi::Object exports) {
  Export<ReleaseWorkspaces>(env, exports, "cudaReleaseWorkspaces");
  Export<Forward>(env, exports, "cudaLogprobForward");
  Export<Backward>(env, exports, "cudaLogprobBackward");
  Export<Merge>(env, exports, "cudaLogprobMerge");
}

}  // namespace crossthink::addon
