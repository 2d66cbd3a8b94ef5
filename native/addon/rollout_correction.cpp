#include "kernels/policy_loss/rollout_correction.h"

#include "addon/addon.h"
#include "addon/calls.h"
#include "addon/loss_parameters.h"
#include "kernels/kernel_table.h"
#include "kernels/policy_loss/selection.h"

namespace crossthink::addon {
namespace {

// (...sequences, logprobs, rollout logprobs, mask | undefined, parameters, rules, threads, weights, mask out, results)
// -> the first bad offset, or -1
Napi::Value RolloutCorrectionOf(const Napi::CallbackInfo& info) {
  Arguments in(info);
  RolloutCorrection op;
  ReadSequences(&in, &op);
  op.logprobs = in.Array<float>(op.tokens, "logprobs");
  op.rollout_logprobs = in.Array<float>(op.tokens, "rolloutLogprobs");
  op.mask = in.Array<uint8_t>(op.tokens, "mask");
  const double* parameters = in.Array<double>(kCorrectionParameters, "parameters");
  size_t rule_numbers = 0;
  const double* rules = in.Array<double>(&rule_numbers, "rules");
  if (rule_numbers > kMaxRejectRules * kRuleNumbers) in.Fail("reject: too many rules");
  ReadCorrectionParameters(parameters, rules, rule_numbers / kRuleNumbers, &op);
  const unsigned threads = in.Threads();
  op.weights_out = in.Array<float>(op.tokens, "weights");
  op.mask_out = in.Array<uint8_t>(op.tokens, "mask");
  double* results = in.Array<double>(kCorrectionSums, "results");
  return RunChecked(info, op.offsets, op.sequences, op.tokens,
                    [&] { RunRolloutCorrection(op, ActiveKernels().correction, threads, results); });
}

// (...sequences, logprobs, old logprobs, advantages, per token, mask | undefined, parameters, seed, selected)
// -> the first bad offset, or -1
Napi::Value CovarianceSelectionOf(const Napi::CallbackInfo& info) {
  Arguments in(info);
  CovarianceSelection op;
  ReadSequences(&in, &op);
  op.logprobs = in.Array<float>(op.tokens, "logprobs");
  op.old_logprobs = in.Array<float>(op.tokens, "oldLogprobs");
  size_t advantages = 0;
  op.advantages = in.Array<float>(&advantages, "advantages");
  op.token_advantages = in.Flag();
  if (advantages < (op.token_advantages ? op.tokens : op.sequences)) in.Fail("advantages: too short");
  op.mask = in.Array<uint8_t>(op.tokens, "mask");
  ReadCovarianceParameters(in.Array<double>(kCovarianceParameters, "parameters"), &op);
  op.seed = in.Uint64();
  op.selected = in.Array<uint8_t>(op.tokens, "selected");
  return RunChecked(info, op.offsets, op.sequences, op.tokens, [&] { RunCovarianceSelection(op); });
}

// (tokens, entropies, mask | undefined, ratio, selected)
Napi::Value EntropySelectionOf(const Napi::CallbackInfo& info) {
  Arguments in(info);
  EntropySelection op;
  op.tokens = in.Size();
  op.entropies = in.Array<float>(op.tokens, "entropies");
  op.mask = in.Array<uint8_t>(op.tokens, "mask");
  op.ratio = in.Number();
  op.selected = in.Array<uint8_t>(op.tokens, "selected");
  RunEntropySelection(op);
  return info.Env().Undefined();
}

// (tokens, logprobs, rollout logprobs, mask | undefined, threshold, mask out)
Napi::Value SecondMomentMaskOf(const Napi::CallbackInfo& info) {
  Arguments in(info);
  SecondMomentMask op;
  op.tokens = in.Size();
  op.logprobs = in.Array<float>(op.tokens, "logprobs");
  op.rollout_logprobs = in.Array<float>(op.tokens, "rolloutLogprobs");
  op.mask = in.Array<uint8_t>(op.tokens, "mask");
  op.threshold = in.Number();
  op.mask_out = in.Array<uint8_t>(op.tokens, "mask out");
  RunSecondMomentMask(op);
  return info.Env().Undefined();
}

}  // namespace

void RegisterRolloutCorrection(Napi::Env env, Napi::Object exports) {
  Export<RolloutCorrectionOf>(env, exports, "rolloutCorrection");
  Export<CovarianceSelectionOf>(env, exports, "selectByCovariance");
  Export<EntropySelectionOf>(env, exports, "selectByEntropy");
  Export<SecondMomentMaskOf>(env, exports, "secondMomentMask");
}

}  // namespace crossthink::addon
