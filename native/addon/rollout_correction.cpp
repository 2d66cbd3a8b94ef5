#include "kernels/policy_loss/rollout_correction.h"

#include "addon/addon.h"
#include "addon/arrays.h"
#include "addon/loss_parameters.h"
#include "addon/offsets.h"
#include "kernels/kernel_table.h"
#include "kernels/policy_loss/selection.h"

namespace crossthink::addon {
namespace {

Napi::Value BadIndex(const Napi::CallbackInfo& info, ptrdiff_t index) {
  return Napi::Number::New(info.Env(), static_cast<double>(index));
}

// (tokens, sequences, offsets, logprobs, rollout logprobs, mask | undefined, parameters, rules, threads, weights, mask
// out, results) -> the first bad offset, or -1
Napi::Value RolloutCorrectionOf(const Napi::CallbackInfo& info) {
  const size_t tokens = SizeOf(info, 0);
  RolloutCorrection op;
  op.tokens = tokens;
  op.sequences = SizeOf(info, 1);
  op.offsets = ArrayOf<int32_t>(info, 2, op.sequences + 1, "cuSeqlens");
  op.logprobs = ArrayOf<float>(info, 3, tokens, "logprobs");
  op.rollout_logprobs = ArrayOf<float>(info, 4, tokens, "rolloutLogprobs");
  op.mask = ArrayOf<uint8_t>(info, 5, tokens, "mask");
  const size_t rules = info[7].As<Napi::Float64Array>().ElementLength() / kRuleNumbers;
  if (rules > kMaxRejectRules) throw Napi::RangeError::New(info.Env(), "reject: too many rules");
  ReadCorrectionParameters(ArrayOf<double>(info, 6, kCorrectionParameters, "parameters"),
                           ArrayOf<double>(info, 7, rules * kRuleNumbers, "rules"), rules, &op);
  op.weights_out = ArrayOf<float>(info, 9, tokens, "weights");
  op.mask_out = ArrayOf<uint8_t>(info, 10, tokens, "mask");
  double* results = ArrayOf<double>(info, 11, kCorrectionSums, "results");
  const ptrdiff_t bad = BadOffset(op.offsets, op.sequences, tokens);
  if (bad < 0) RunRolloutCorrection(op, ActiveKernels().correction, static_cast<unsigned>(SizeOf(info, 8)), results);
  return BadIndex(info, bad);
}

// (tokens, sequences, offsets, logprobs, old logprobs, advantages, per token, mask | undefined, parameters, seed,
// selected) -> the first bad offset, or -1
Napi::Value CovarianceSelectionOf(const Napi::CallbackInfo& info) {
  const size_t tokens = SizeOf(info, 0);
  CovarianceSelection op;
  op.tokens = tokens;
  op.sequences = SizeOf(info, 1);
  op.offsets = ArrayOf<int32_t>(info, 2, op.sequences + 1, "cuSeqlens");
  op.logprobs = ArrayOf<float>(info, 3, tokens, "logprobs");
  op.old_logprobs = ArrayOf<float>(info, 4, tokens, "oldLogprobs");
  op.token_advantages = FlagOf(info, 6);
  op.advantages = ArrayOf<float>(info, 5, op.token_advantages ? tokens : op.sequences, "advantages");
  op.mask = ArrayOf<uint8_t>(info, 7, tokens, "mask");
  ReadCovarianceParameters(ArrayOf<double>(info, 8, kCovarianceParameters, "parameters"), &op);
  bool lossless = false;
  op.seed = info[9].As<Napi::BigInt>().Uint64Value(&lossless);
  op.selected = ArrayOf<uint8_t>(info, 10, tokens, "selected");
  const ptrdiff_t bad = BadOffset(op.offsets, op.sequences, tokens);
  if (bad < 0) RunCovarianceSelection(op);
  return BadIndex(info, bad);
}

// (tokens, entropies, mask | undefined, ratio, selected)
Napi::Value EntropySelectionOf(const Napi::CallbackInfo& info) {
  EntropySelection op;
  op.tokens = SizeOf(info, 0);
  op.entropies = ArrayOf<float>(info, 1, op.tokens, "entropies");
  op.mask = ArrayOf<uint8_t>(info, 2, op.tokens, "mask");
  op.ratio = NumberOf(info, 3);
  op.selected = ArrayOf<uint8_t>(info, 4, op.tokens, "selected");
  RunEntropySelection(op);
  return info.Env().Undefined();
}

// (tokens, logprobs, rollout logprobs, mask | undefined, threshold, mask out)
Napi::Value SecondMomentMaskOf(const Napi::CallbackInfo& info) {
  SecondMomentMask op;
  op.tokens = SizeOf(info, 0);
  op.logprobs = ArrayOf<float>(info, 1, op.tokens, "logprobs");
  op.rollout_logprobs = ArrayOf<float>(info, 2, op.tokens, "rolloutLogprobs");
  op.mask = ArrayOf<uint8_t>(info, 3, op.tokens, "mask");
  op.threshold = NumberOf(info, 4);
  op.mask_out = ArrayOf<uint8_t>(info, 5, op.tokens, "mask out");
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
