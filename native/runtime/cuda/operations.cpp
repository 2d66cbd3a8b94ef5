#include "runtime/cuda/operations.h"

#include "kernels/advantage/advantage_cuda.h"
#include "kernels/grpo/grpo_step_cuda.h"
#include "kernels/linear/linear_cuda.h"
#include "kernels/logprob/logprob_cuda.h"
#include "kernels/policy_loss/policy_loss_cuda.h"
#include "kernels/sampling/sampling_cuda.h"
#include "runtime/cuda/blas.h"
#include "runtime/cuda/check.h"
#include "runtime/cuda/device_scope.h"

namespace crossthink::cuda {
namespace {

template <class Op, size_t (*kSize)(const Op&)>
uint64_t WorkspaceOf(const Op* op) {
  return kSize(*op);
}

// Runs an operation's launcher on the caller's device and stream.
template <class Op, cudaError_t (*kRun)(const Op&, void*, cudaStream_t)>
int32_t RunOn(const Op* op, const CrossthinkCudaCall* call, CrossthinkCudaStatus* status) {
  const DeviceScope scope(call->device);
  const cudaError_t error = scope.Do([&] { return kRun(*op, Pointer(call->workspace), Stream(call->stream)); });
  return Finish(error, "kernel launch", status);
}

// The same for operations with products: cuBLAS works in the front of the workspace.
template <class Op, size_t (*kSize)(const Op&, size_t)>
uint64_t LinearWorkspaceOf(const CrossthinkBounded<Op>* bounded) {
  return kBlasWorkspace + kSize(bounded->op, bounded->bytes);
}

template <class Op, cudaError_t (*kRun)(const Op&, size_t, void*, cudaStream_t, Blas*)>
int32_t RunLinearOn(const CrossthinkBounded<Op>* bounded, const CrossthinkCudaCall* call,
                    CrossthinkCudaStatus* status) {
  const int32_t missing = Blas::Available(status);
  if (missing != 0) return missing;
  const DeviceScope scope(call->device);
  Blas blas(call->device, Stream(call->stream), Pointer(call->workspace));
  void* workspace = Pointer(call->workspace + kBlasWorkspace);
  const cudaError_t error = scope.Do([&] {
    if (!blas.IsOpen()) return cudaErrorInvalidValue;
    return kRun(bounded->op, bounded->bytes, workspace, Stream(call->stream), &blas);
  });
  return blas.Report(error, status);
}

}  // namespace

void AddOperations(CrossthinkCudaApi* api) {
  api->logprob_forward_workspace = WorkspaceOf<LogprobForward, LogprobForwardWorkspace>;
  api->logprob_forward = RunOn<LogprobForward, RunLogprobForward>;
  api->logprob_backward_workspace = WorkspaceOf<LogprobBackward, LogprobBackwardWorkspace>;
  api->logprob_backward = RunOn<LogprobBackward, RunLogprobBackward>;
  api->logprob_merge = RunOn<LogprobMerge, RunLogprobMerge>;
  api->grpo_step_workspace = WorkspaceOf<GrpoStep, GrpoStepWorkspace>;
  api->grpo_step = RunOn<GrpoStep, RunGrpoStep>;
  api->greedy_baseline = RunOn<GreedyBaseline, RunGreedyBaseline>;
  api->weighted_sum = RunOn<WeightedSum, RunWeightedSum>;
  api->group_signal = RunOn<GroupSignal, RunGroupSignal>;
  api->sequence_mask = RunOn<SequenceMask, RunSequenceMask>;
  api->rewards_at_end = RunOn<RewardsAtEnd, RunRewardsAtEnd>;
  api->overlong_penalty = RunOn<OverlongPenalty, RunOverlongPenalty>;
  api->blas_available = Blas::Available;
  api->linear_logits_workspace = LinearWorkspaceOf<LinearLogits, LinearLogitsWorkspace>;
  api->linear_logits = RunLinearOn<LinearLogits, RunLinearLogits>;
  api->linear_forward_workspace = LinearWorkspaceOf<LinearForward, LinearForwardWorkspace>;
  api->linear_forward = RunLinearOn<LinearForward, RunLinearForward>;
  api->linear_backward_workspace = LinearWorkspaceOf<LinearBackward, LinearBackwardWorkspace>;
  api->linear_backward = RunLinearOn<LinearBackward, RunLinearBackward>;
  api->sampling_workspace = WorkspaceOf<Sampling, SamplingWorkspace>;
  api->sampling = RunOn<Sampling, RunSampling>;
  api->speculative_workspace = WorkspaceOf<SpeculativeChain, SpeculativeWorkspace>;
  api->speculative = RunOn<SpeculativeChain, RunSpeculative>;
  api->group_advantages_workspace = WorkspaceOf<GroupAdvantages, GroupAdvantagesWorkspace>;
  api->group_advantages = RunOn<GroupAdvantages, RunGroupAdvantages>;
  api->policy_loss_workspace = WorkspaceOf<PolicyLoss, PolicyLossWorkspace>;
  api->policy_loss = RunOn<PolicyLoss, RunPolicyLoss>;
  api->rollout_correction_workspace = WorkspaceOf<RolloutCorrection, RolloutCorrectionWorkspace>;
  api->rollout_correction = RunOn<RolloutCorrection, RunRolloutCorrection>;
  api->covariance_selection_workspace = WorkspaceOf<CovarianceSelection, CovarianceSelectionWorkspace>;
  api->covariance_selection = RunOn<CovarianceSelection, RunCovarianceSelection>;
  api->entropy_selection_workspace = WorkspaceOf<EntropySelection, EntropySelectionWorkspace>;
  api->entropy_selection = RunOn<EntropySelection, RunEntropySelection>;
  api->second_moment_mask_workspace = WorkspaceOf<SecondMomentMask, SecondMomentMaskWorkspace>;
  api->second_moment_mask = RunOn<SecondMomentMask, RunSecondMomentMask>;
  api->gae_workspace = WorkspaceOf<Gae, GaeWorkspace>;
  api->gae = RunOn<Gae, RunGae>;
  api->whiten_workspace = WorkspaceOf<Whiten, WhitenWorkspace>;
  api->whiten = RunOn<Whiten, RunWhiten>;
  api->optimal_token_baseline_workspace = WorkspaceOf<OptimalTokenBaseline, OptimalTokenBaselineWorkspace>;
  api->optimal_token_baseline = RunOn<OptimalTokenBaseline, RunOptimalTokenBaseline>;
}

}  // namespace crossthink::cuda
