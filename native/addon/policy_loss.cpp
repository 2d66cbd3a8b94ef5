#include "kernels/policy_loss/policy_loss.h"

#include "addon/addon.h"
#include "addon/arrays.h"
#include "addon/loss_parameters.h"
#include "addon/offsets.h"
#include "kernels/kernel_table.h"

namespace crossthink::addon {
namespace {

// (tokens, sequences, advantages, prompts: numbers; threads; then the arrays below) -> the first bad offset, or -1.
Napi::Value PolicyLossOf(const Napi::CallbackInfo& info) {
  const size_t tokens = SizeOf(info, 0);
  PolicyLoss op;
  op.tokens = tokens;
  op.sequences = SizeOf(info, 1);
  op.token_advantages = FlagOf(info, 2);
  op.prompt_count = SizeOf(info, 3);
  ReadLossParameters(ArrayOf<double>(info, 5, kLossParameters, "parameters"), &op);
  op.offsets = ArrayOf<int32_t>(info, 6, op.sequences + 1, "cuSeqlens");
  op.logprobs = ArrayOf<float>(info, 7, tokens, "logprobs");
  op.old_logprobs = ArrayOf<float>(info, 8, tokens, "oldLogprobs");
  op.advantages = ArrayOf<float>(info, 9, op.token_advantages ? tokens : op.sequences, "advantages");
  op.rollout_logprobs = ArrayOf<float>(info, 10, tokens, "rolloutLogprobs");
  op.ref_logprobs = ArrayOf<float>(info, 11, tokens, "refLogprobs");
  op.entropies = ArrayOf<float>(info, 12, tokens, "entropies");
  op.weights = ArrayOf<float>(info, 13, tokens, "weights");
  op.mask = ArrayOf<uint8_t>(info, 14, tokens, "mask");
  op.selected = ArrayOf<uint8_t>(info, 15, tokens, "selected");
  op.prompts = ArrayOf<int32_t>(info, 16, op.prompt_count + 1, "promptOffsets");
  op.d_logprobs = ArrayOf<float>(info, 17, tokens, "dLogprobs");
  op.d_entropies = ArrayOf<float>(info, 18, tokens, "dEntropies");
  double* results = ArrayOf<double>(info, 19, 1 + kLossSums, "results");
  const bool prompts_bad = op.prompts != nullptr && BadOffset(op.prompts, op.prompt_count, op.sequences) >= 0;
  if (static_cast<size_t>(op.loss) >= kLosses || prompts_bad) {
    throw Napi::RangeError::New(info.Env(), "policyLoss: parameters out of range");
  }
  const ptrdiff_t bad = BadOffset(op.offsets, op.sequences, tokens);
  if (bad >= 0) return Napi::Number::New(info.Env(), static_cast<double>(bad));
  const PolicyLossResult r = RunPolicyLoss(op, ActiveKernels().policy_loss, static_cast<unsigned>(SizeOf(info, 4)));
  results[0] = r.loss;
  for (size_t k = 0; k < kLossSums; ++k) results[1 + k] = r.sums[k];
  return Napi::Number::New(info.Env(), -1);
}

}  // namespace

void RegisterPolicyLoss(Napi::Env env, Napi::Object exports) { Export<PolicyLossOf>(env, exports, "policyLoss"); }

}  // namespace crossthink::addon
