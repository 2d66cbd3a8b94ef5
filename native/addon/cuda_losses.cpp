#include "addon/addon.h"
#include "addon/cuda_arguments.h"
#include "addon/loss_parameters.h"

// Losses and advantages of tokens in device memory. What they take: cuda_arguments.h.
namespace crossthink::addon {
namespace {

// Offsets come with how many rows they cut into how many elements.
void ReadOffsets(Arguments* arguments, size_t* elements, size_t* rows, const int32_t** offsets) {
  *elements = arguments->Size();
  *rows = arguments->Size();
  *offsets = arguments->Pointer<const int32_t>();
}

void PolicyLossOf(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  PolicyLoss op;
  ReadOffsets(&arguments, &op.tokens, &op.sequences, &op.offsets);
  op.token_advantages = arguments.Flag();
  op.prompt_count = arguments.Size();
  ReadLossParameters(arguments.Numbers(kLossParameters), &op);
  op.logprobs = arguments.Pointer<const float>();
  op.old_logprobs = arguments.Pointer<const float>();
  op.advantages = arguments.Pointer<const float>();
  op.rollout_logprobs = arguments.Pointer<const float>();
  op.ref_logprobs = arguments.Pointer<const float>();
  op.entropies = arguments.Pointer<const float>();
  op.weights = arguments.Pointer<const float>();
  op.mask = arguments.Pointer<const uint8_t>();
  op.selected = arguments.Pointer<const uint8_t>();
  op.prompts = arguments.Pointer<const int32_t>();
  op.d_logprobs = arguments.Pointer<float>();
  op.d_entropies = arguments.Pointer<float>();
  op.result = arguments.Pointer<PolicyLossResult>();
  if (static_cast<size_t>(op.loss) >= kLosses) throw Napi::RangeError::New(info.Env(), "policyLoss: no such loss");
  arguments.Run(op, &CrossthinkCudaApi::policy_loss_workspace, &CrossthinkCudaApi::policy_loss);
}

}  // namespace

void RegisterCudaLosses(Napi::Env env, Napi::Object exports) {
  exports["cudaPolicyLoss"] = Napi::Function::New(env, PolicyLossOf, "cudaPolicyLoss");
}

}  // namespace crossthink::addon
