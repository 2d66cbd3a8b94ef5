#include "kernels/policy_loss/policy_loss.h"

#include "addon/addon.h"
#include "addon/calls.h"
#include "addon/loss_parameters.h"
#include "kernels/kernel_table.h"

namespace crossthink::addon {
namespace {

// (tokens, sequences, advantages per token, prompts, threads; then the arrays below) -> the first bad offset, or -1
Napi::Value PolicyLossOf(const Napi::CallbackInfo& info) {
  Arguments in(info);
  PolicyLoss op;
  const size_t tokens = op.tokens = in.Size();
  op.sequences = in.Size();
  op.token_advantages = in.Flag();
  op.prompt_count = in.Size();
  const unsigned threads = in.Threads();
  ReadLossParameters(in.Array<double>(kLossParameters, "parameters"), &op);
  op.offsets = in.Array<int32_t>(op.sequences + 1, "cuSeqlens");
  op.logprobs = in.Array<float>(tokens, "logprobs");
  op.old_logprobs = in.Array<float>(tokens, "oldLogprobs");
  op.advantages = in.Array<float>(op.token_advantages ? tokens : op.sequences, "advantages");
  op.rollout_logprobs = in.Array<float>(tokens, "rolloutLogprobs");
  op.ref_logprobs = in.Array<float>(tokens, "refLogprobs");
  op.entropies = in.Array<float>(tokens, "entropies");
  op.weights = in.Array<float>(tokens, "weights");
  op.mask = in.Array<uint8_t>(tokens, "mask");
  op.selected = in.Array<uint8_t>(tokens, "selected");
  op.prompts = in.Array<int32_t>(op.prompt_count + 1, "promptOffsets");
  op.d_logprobs = in.Array<float>(tokens, "dLogprobs");
  op.d_entropies = in.Array<float>(tokens, "dEntropies");
  double* results = in.Array<double>(1 + kLossSums, "results");
  CheckLoss(in, op);
  return RunChecked(info, op.offsets, op.sequences, tokens,
                    [&] { WriteResults(RunPolicyLoss(op, ActiveKernels().policy_loss, threads), results); });
}

}  // namespace

void RegisterPolicyLoss(Napi::Env env, Napi::Object exports) { Export<PolicyLossOf>(env, exports, "policyLoss"); }

}  // namespace crossthink::addon
