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

void GroupAdvantagesOf(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  GroupAdvantages op;
  ReadOffsets(&arguments, &op.count, &op.groups, &op.offsets);
  op.group_size = arguments.Size();
  op.estimator = static_cast<GroupEstimator>(arguments.Size());
  op.epsilon = static_cast<float>(arguments.Number());
  op.raw_singletons = arguments.Flag();
  op.rewards = arguments.Pointer<const float>();
  op.lengths = arguments.Pointer<const float>();
  op.advantages = arguments.Pointer<float>();
  op.zero_variance = arguments.Pointer<uint8_t>();
  arguments.Run(op, &CrossthinkCudaApi::group_advantages_workspace, &CrossthinkCudaApi::group_advantages);
}

void GaeOf(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Gae op;
  ReadOffsets(&arguments, &op.tokens, &op.sequences, &op.offsets);
  op.gamma = arguments.Number();
  op.lambda = arguments.Number();
  op.rewards = arguments.Pointer<const float>();
  op.values = arguments.Pointer<const float>();
  op.mask = arguments.Pointer<const uint8_t>();
  op.lambdas = arguments.Pointer<const float>();
  op.advantages = arguments.Pointer<float>();
  op.returns = arguments.Pointer<float>();
  arguments.Run(op, &CrossthinkCudaApi::gae_workspace, &CrossthinkCudaApi::gae);
}

void WhitenOf(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Whiten op;
  op.count = arguments.Size();
  op.bessel = arguments.Flag();
  op.keep_mean = arguments.Flag();
  op.epsilon_at = static_cast<Whiten::Epsilon>(static_cast<uint8_t>(arguments.Size()));
  op.epsilon = arguments.Number();
  op.values = arguments.Pointer<const float>();
  op.weights = arguments.Pointer<const float>();
  op.mask = arguments.Pointer<const uint8_t>();
  op.out = arguments.Pointer<float>();
  arguments.Run(op, &CrossthinkCudaApi::whiten_workspace, &CrossthinkCudaApi::whiten);
}

void OptimalTokenBaselineOf(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  OptimalTokenBaseline op;
  ReadOffsets(&arguments, &op.tokens, &op.sequences, &op.offsets);
  op.groups = arguments.Size();
  op.group_offsets = arguments.Pointer<const int32_t>();
  op.rewards = arguments.Pointer<const float>();
  op.logprobs = arguments.Pointer<const float>();
  op.sum_squares = arguments.Pointer<const float>();
  op.weights = arguments.Pointer<const float>();
  op.mask = arguments.Pointer<const uint8_t>();
  op.advantages = arguments.Pointer<float>();
  arguments.Run(op, &CrossthinkCudaApi::optimal_token_baseline_workspace, &CrossthinkCudaApi::optimal_token_baseline);
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
  exports["cudaGroupAdvantages"] = Napi::Function::New(env, GroupAdvantagesOf, "cudaGroupAdvantages");
  exports["cudaGae"] = Napi::Function::New(env, GaeOf, "cudaGae");
  exports["cudaWhiten"] = Napi::Function::New(env, WhitenOf, "cudaWhiten");
  exports["cudaOptimalTokenBaseline"] = Napi::Function::New(env, OptimalTokenBaselineOf, "cudaOptimalTokenBaseline");
  exports["cudaPolicyLoss"] = Napi::Function::New(env, PolicyLossOf, "cudaPolicyLoss");
}

}  // namespace crossthink::addon
