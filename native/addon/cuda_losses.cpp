#include "addon/addon.h"
#include "addon/cuda_inputs.h"

// Losses and advantages of tokens in device memory. What they take: cuda_arguments.h.
namespace crossthink::addon {
namespace {

using Arguments = CudaArguments;

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

RewardGroups ReadGroups(Arguments* arguments) {
  RewardGroups groups;
  ReadOffsets(arguments, &groups.count, &groups.groups, &groups.offsets);
  groups.group_size = arguments->Size();
  return groups;
}

void GreedyBaselineOf(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  GreedyBaseline op;
  op.groups = ReadGroups(&arguments);
  op.rewards = arguments.Pointer<const float>();
  op.greedy = arguments.Pointer<const float>();
  op.advantages = arguments.Pointer<float>();
  arguments.Run(op, &CrossthinkCudaApi::greedy_baseline);
}

void WeightedSumOf(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  WeightedSum op;
  op.count = arguments.Size();
  op.terms = arguments.Size();
  if (op.terms > kMostTerms) throw Napi::RangeError::New(info.Env(), "too many terms");
  for (size_t k = 0; k < op.terms; ++k) {
    op.weights[k] = arguments.Number();
    op.values[k] = arguments.Pointer<const float>();
  }
  op.out = arguments.Pointer<float>();
  arguments.Run(op, &CrossthinkCudaApi::weighted_sum);
}

void GroupSignalOf(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  GroupSignal op;
  op.groups = ReadGroups(&arguments);
  op.least = arguments.Number();
  op.most = arguments.Number();
  op.metric = arguments.Pointer<const float>();
  op.zero_variance = arguments.Pointer<const uint8_t>();
  op.keep_groups = arguments.Pointer<uint8_t>();
  op.keep = arguments.Pointer<uint8_t>();
  arguments.Run(op, &CrossthinkCudaApi::group_signal);
}

void SequenceMaskOf(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  SequenceMask op;
  ReadOffsets(&arguments, &op.tokens, &op.sequences, &op.offsets);
  op.unset = arguments.Flag();
  op.flags = arguments.Pointer<const uint8_t>();
  op.mask = arguments.Pointer<const uint8_t>();
  op.out = arguments.Pointer<uint8_t>();
  arguments.Run(op, &CrossthinkCudaApi::sequence_mask);
}

void RewardsAtEndOf(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  RewardsAtEnd op;
  ReadOffsets(&arguments, &op.tokens, &op.sequences, &op.offsets);
  op.rewards = arguments.Pointer<const float>();
  op.mask = arguments.Pointer<const uint8_t>();
  op.out = arguments.Pointer<float>();
  arguments.Run(op, &CrossthinkCudaApi::rewards_at_end);
}

void OverlongPenaltyOf(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  OverlongPenalty op;
  op.count = arguments.Size();
  op.longest = arguments.Number();
  op.buffer = arguments.Number();
  op.factor = arguments.Number();
  op.most = arguments.Number();
  op.lengths = arguments.Pointer<const int32_t>();
  op.out = arguments.Pointer<float>();
  arguments.Run(op, &CrossthinkCudaApi::overlong_penalty);
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
  ReadLossInputs(info.Env(), &arguments, &op);
  op.logprobs = arguments.Pointer<const float>();
  op.entropies = arguments.Pointer<const float>();
  op.d_logprobs = arguments.Pointer<float>();
  op.d_entropies = arguments.Pointer<float>();
  arguments.Run(op, &CrossthinkCudaApi::policy_loss_workspace, &CrossthinkCudaApi::policy_loss);
}

void GrpoStepOf(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  GrpoStep op;
  ReadLogprobInput(&arguments, &op.forward);
  op.forward.status = arguments.Pointer<uint8_t>();
  op.forward.logprob = arguments.Pointer<float>();
  op.forward.entropy_out = arguments.Pointer<float>();
  ReadLossInputs(info.Env(), &arguments, &op.loss);
  op.backward.d_logits = arguments.Pointer<void>();
  op.backward.d_type = static_cast<DType>(arguments.Size());
  op.backward.d_stride = arguments.Size();
  arguments.Run(op, &CrossthinkCudaApi::grpo_step_workspace, &CrossthinkCudaApi::grpo_step);
}

void RolloutCorrectionOf(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  RolloutCorrection op;
  ReadOffsets(&arguments, &op.tokens, &op.sequences, &op.offsets);
  const double* parameters = arguments.Numbers(kCorrectionParameters);
  const size_t rules = arguments.Size();
  if (rules > kMaxRejectRules) throw Napi::RangeError::New(info.Env(), "reject: too many rules");
  ReadCorrectionParameters(parameters, arguments.Numbers(rules * kRuleNumbers), rules, &op);
  op.logprobs = arguments.Pointer<const float>();
  op.rollout_logprobs = arguments.Pointer<const float>();
  op.mask = arguments.Pointer<const uint8_t>();
  op.weights_out = arguments.Pointer<float>();
  op.mask_out = arguments.Pointer<uint8_t>();
  op.result = arguments.Pointer<double>();
  arguments.Run(op, &CrossthinkCudaApi::rollout_correction_workspace, &CrossthinkCudaApi::rollout_correction);
}

void CovarianceSelectionOf(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  CovarianceSelection op;
  ReadOffsets(&arguments, &op.tokens, &op.sequences, &op.offsets);
  op.token_advantages = arguments.Flag();
  ReadCovarianceParameters(arguments.Numbers(kCovarianceParameters), &op);
  op.logprobs = arguments.Pointer<const float>();
  op.old_logprobs = arguments.Pointer<const float>();
  op.advantages = arguments.Pointer<const float>();
  op.mask = arguments.Pointer<const uint8_t>();
  op.seed = arguments.Integer();
  op.selected = arguments.Pointer<uint8_t>();
  arguments.Run(op, &CrossthinkCudaApi::covariance_selection_workspace, &CrossthinkCudaApi::covariance_selection);
}

void EntropySelectionOf(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  EntropySelection op;
  op.tokens = arguments.Size();
  op.ratio = arguments.Number();
  op.entropies = arguments.Pointer<const float>();
  op.mask = arguments.Pointer<const uint8_t>();
  op.selected = arguments.Pointer<uint8_t>();
  arguments.Run(op, &CrossthinkCudaApi::entropy_selection_workspace, &CrossthinkCudaApi::entropy_selection);
}

void SecondMomentMaskOf(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  SecondMomentMask op;
  op.tokens = arguments.Size();
  op.threshold = arguments.Number();
  op.logprobs = arguments.Pointer<const float>();
  op.rollout_logprobs = arguments.Pointer<const float>();
  op.mask = arguments.Pointer<const uint8_t>();
  op.mask_out = arguments.Pointer<uint8_t>();
  arguments.Run(op, &CrossthinkCudaApi::second_moment_mask_workspace, &CrossthinkCudaApi::second_moment_mask);
}

}  // namespace

void RegisterCudaLosses(Napi::Env env, Napi::Object exports) {
  Export<GroupAdvantagesOf>(env, exports, "cudaGroupAdvantages");
  Export<GreedyBaselineOf>(env, exports, "cudaGreedyBaseline");
  Export<WeightedSumOf>(env, exports, "cudaWeightedSum");
  Export<GroupSignalOf>(env, exports, "cudaGroupSignal");
  Export<SequenceMaskOf>(env, exports, "cudaSequenceMask");
  Export<RewardsAtEndOf>(env, exports, "cudaRewardsAtEnd");
  Export<OverlongPenaltyOf>(env, exports, "cudaOverlongPenalty");
  Export<GaeOf>(env, exports, "cudaGae");
  Export<WhitenOf>(env, exports, "cudaWhiten");
  Export<OptimalTokenBaselineOf>(env, exports, "cudaOptimalTokenBaseline");
  Export<RolloutCorrectionOf>(env, exports, "cudaRolloutCorrection");
  Export<CovarianceSelectionOf>(env, exports, "cudaSelectByCovariance");
  Export<EntropySelectionOf>(env, exports, "cudaSelectByEntropy");
  Export<SecondMomentMaskOf>(env, exports, "cudaSecondMomentMask");
  Export<PolicyLossOf>(env, exports, "cudaPolicyLoss");
  Export<GrpoStepOf>(env, exports, "cudaGrpoStep");
}

}  // namespace crossthink::addon
