#include "kernels/policy_loss/policy_loss.h"

#include "addon/addon.h"
#include "addon/arrays.h"
#include "addon/offsets.h"
#include "kernels/loss_kernels.h"

namespace crossthink::addon {
namespace {

// (tokens, sequences, threads, offsets, logprobs, oldLogprobs, refLogprobs | undefined, advantages, mask | undefined,
//  parameters, dLogprobs, results) -> the first bad offset, or -1. The order of `parameters` and `results` is that of
// lib/kernels/policyLoss.ts.
Napi::Value PolicyLossOf(const Napi::CallbackInfo& info) {
  const size_t tokens = SizeOf(info, 0);
  PolicyLoss op;
  op.sequences = SizeOf(info, 1);
  op.offsets = ArrayOf<int32_t>(info, 3, op.sequences + 1, "cuSeqlens");
  op.logprobs = ArrayOf<float>(info, 4, tokens, "logprobs");
  op.old_logprobs = ArrayOf<float>(info, 5, tokens, "oldLogprobs");
  op.ref_logprobs = ArrayOf<float>(info, 6, tokens, "refLogprobs");
  op.advantages = ArrayOf<float>(info, 7, op.sequences, "advantages");
  op.mask = ArrayOf<uint8_t>(info, 8, tokens, "mask");
  const double* p = ArrayOf<double>(info, 9, 5, "parameters");
  op.params.ratio_low = static_cast<float>(p[0]);
  op.params.ratio_high = static_cast<float>(p[1]);
  op.params.kl_coef = static_cast<float>(p[2]);
  op.aggregation = static_cast<Aggregation>(static_cast<uint8_t>(p[3]));
  op.denominator = p[4];
  op.d_logprobs = ArrayOf<float>(info, 10, tokens, "dLogprobs");
  double* results = ArrayOf<double>(info, 11, 1 + kLossSums, "results");
  const ptrdiff_t bad = BadOffset(op.offsets, op.sequences, tokens);
  if (bad >= 0) return Napi::Number::New(info.Env(), static_cast<double>(bad));
  const PolicyLossResult r = RunPolicyLoss(op, ActiveLossKernels().policy_loss, static_cast<unsigned>(SizeOf(info, 2)));
  results[0] = r.loss;
  for (size_t k = 0; k < kLossSums; ++k) results[1 + k] = r.sums[k];
  return Napi::Number::New(info.Env(), -1);
}

// For tests: makes every later call of this process run that instruction set.
Napi::Value UseLossKernelsOf(const Napi::CallbackInfo& info) {
  const std::string name = info[0].As<Napi::String>();
  for (const Isa isa : SupportedIsas()) {
    if (IsaName(isa) == name) UseLossKernels(isa);
  }
  return info.Env().Undefined();
}

}  // namespace

void RegisterPolicyLoss(Napi::Env env, Napi::Object exports) {
  exports["policyLoss"] = Napi::Function::New(env, PolicyLossOf, "policyLoss");
  exports["useLossKernels"] = Napi::Function::New(env, UseLossKernelsOf, "useLossKernels");
}

}  // namespace crossthink::addon
