export { CrossThinkError, type ErrorCode, type ErrorLocation } from './errors.js';
export {
  groupAdvantages,
  type GroupAdvantageOptions,
  type GroupAdvantages,
  type GroupEstimator,
  type Grouping,
} from './kernels/advantages.js';
export { AdaptiveEntropyCoefficient, type EntropyCoefficientOptions } from './kernels/entropyCoefficient.js';
export {
  positiveExampleLoss,
  type PositiveExampleLoss,
  type PositiveExampleOptions,
} from './kernels/positiveExamples.js';
export {
  type Aggregation,
  type KlForm,
  type LossSettings,
  type PolicyLossPreset,
  type PolicyTerm,
} from './kernels/lossSettings.js';
export {
  advantagePreset,
  dynamicSampling,
  gdpoAdvantages,
  maskTruncated,
  overlongPenalty,
  remaxAdvantages,
  type DynamicSampling,
  type GdpoOptions,
  type OverlongOptions,
} from './kernels/rewardShaping.js';
export {
  rolloutCorrection,
  type RejectRule,
  type RolloutCorrection,
  type RolloutCorrectionInputs,
  type RolloutCorrectionMetrics,
  type RolloutCorrectionOptions,
  type RolloutCorrectionPreset,
} from './kernels/rolloutCorrection.js';
export {
  secondMomentMask,
  selectByCovariance,
  selectByEntropy,
  type CovarianceSelectionOptions,
} from './kernels/selection.js';
export {
  gaeAdvantages,
  optimalTokenBaseline,
  rewardsAtEnd,
  whiten,
  type GaeOptions,
  type OptimalTokenBaselineInputs,
  type TokenRewards,
  type WhitenOptions,
} from './kernels/tokenAdvantages.js';
export {
  policyLoss,
  type PolicyLoss,
  type PolicyLossInputs,
  type PolicyLossMetrics,
  type PolicyLossOptions,
} from './kernels/policyLoss.js';
export { runtimeInfo, type RuntimeInfo } from './native/info.js';
export {
  questionId,
  type Answer,
  type Domain,
  type Form,
  type Option,
  type Question,
  type Rollout,
} from './data/question.js';
export { adapterByName, adapters, recogniseAdapter, recogniseRows, type PlacedRow } from './data/adapters/registry.js';
export {
  defineAdapter,
  type Adapter,
  type AdapterDefinition,
  type ParsedRow,
  type RowContext,
} from './data/adapters/adapter.js';
export { isDrop, type Drop, type LedgerEntry, RowProblem } from './data/ledger.js';
export { curate, curateFiles, type CurateOptions, type CuratePlan, type CurateSummary } from './curation/curate.js';
export { makePlan, type PlanInput, type PlanOptions } from './curation/plan.js';
export { mergeShards, type MergeJoin, type MergeOptions } from './curation/merge.js';
export { filterQuestions, type Filter } from './filters/filter.js';
export { verifiable } from './filters/verifiable.js';
export { needsOptions, type Incompleteness } from './templates/completeness.js';
export { toOpenEnded } from './templates/openEnded.js';
export { toMultipleChoice, type MultipleChoiceOptions } from './templates/multipleChoice.js';
export {
  renderPrompt,
  type CustomPrompt,
  type Message,
  type PromptOptions,
  type PromptPreset,
} from './templates/prompt.js';
export { ChatModel } from './templates/chat.js';
export { shuffleOptions } from './templates/shuffle.js';
export { blendRecipe, type BlendName, type BlendRecipe, type BlendSource } from './blend/recipe.js';
export { BlendSchedule, type BatchOptions, type BlendDraw, type BlendState } from './blend/schedule.js';
export {
  compareSettings,
  composeReward,
  createRewardServer,
  reasonCodes,
  reasons,
  repetitionPenalty,
  tokenF1,
  trippedGuards,
  verify,
  verifyBatch,
  verifyBatchAsync,
  verifyLines,
  type BatchInput,
  type BatchVerdicts,
  type Comparison,
  type ComposedReward,
  type Gold,
  type Reason,
  type RewardContext,
  type RewardSpec,
  type RewardTerm,
  type ServerOptions,
  type Verdict,
  type VerifyQuestion,
  type VerifySettings,
} from './rewards/index.js';
export { type FloatType, type LogitsArray, type LogitsShape } from './kernels/logits.js';
export {
  linearLogits,
  linearLogitsAsync,
  linearLogprobs,
  linearLogprobsAsync,
  linearLogprobsBackward,
  linearLogprobsBackwardAsync,
  type LinearBackwardOptions,
  type LinearGradients,
  type LinearLogitsOptions,
  type LinearLogprobsOptions,
} from './kernels/linearLogprob.js';
export { type LinearOptions } from './kernels/linearProduct.js';
export {
  bindLogprobBackward,
  bindTokenLogprobs,
  logprobBackward,
  logprobBackwardAsync,
  mergeLogprobs,
  tokenLogprobs,
  tokenLogprobsAsync,
  type LogprobBackwardOptions,
  type LogprobGradients,
  type LogprobOptions,
  type MergedLogprobs,
  type TokenLogprobs,
  type TokenLogprobsOptions,
} from './kernels/logprob.js';
export { SamplingPlan, type SampledTokens, type SamplingKeys } from './kernels/sampling.js';
export {
  speculativeSample,
  type SpeculativeInputs,
  type SpeculativeKeys,
  type SpeculativeTokens,
} from './kernels/speculative.js';
export {
  type SamplingOptions,
  type SamplingOrder,
  type SamplingOutput,
  type SamplingStep,
  type TokenListOption,
} from './kernels/samplingOptions.js';
export { rowStatus, rowStatusName, type RowStatus } from './kernels/status.js';
export {
  grpoStep,
  grpoStepAsync,
  type GrpoBatch,
  type GrpoStep,
  type GrpoStepMetrics,
  type GrpoStepOptions,
} from './kernels/grpoStep.js';
// Operations on device tensors; the same names without `device` are those on host arrays.
export {
  deviceGaeAdvantages,
  deviceGroupAdvantages,
  deviceOptimalTokenBaseline,
  deviceWhiten,
  type DeviceGroupAdvantageOptions,
} from './kernels/device/advantageTensors.js';
export { type DeviceInput, type OnStream } from './kernels/device/call.js';
export {
  deviceRolloutCorrection,
  deviceSecondMomentMask,
  deviceSelectByCovariance,
  deviceSelectByEntropy,
  type DeviceRolloutCorrection,
} from './kernels/device/correctionTensors.js';
export {
  deviceGrpoStep,
  type DeviceGrpoBatch,
  type DeviceGrpoStep,
  type DeviceGrpoStepOptions,
} from './kernels/device/grpoStep.js';
export {
  deviceLinearLogits,
  deviceLinearLogprobs,
  deviceLinearLogprobsBackward,
  type DeviceLinearBackwardOptions,
  type DeviceLinearGradients,
  type DeviceLinearLogprobsOptions,
  type DeviceLinearOptions,
} from './kernels/device/linearTensors.js';
export {
  deviceLogprobBackward,
  deviceTokenLogprobs,
  type DeviceLogprobBackwardOptions,
  type DeviceLogprobGradients,
  type DeviceLogprobOptions,
  type DeviceTokenLogprobs,
  type DeviceTokenLogprobsOptions,
} from './kernels/device/logprob.js';
export {
  devicePolicyLoss,
  type DeviceLossInputs,
  type DevicePolicyLoss,
  type DevicePolicyLossInputs,
  type DevicePolicyLossOptions,
} from './kernels/device/policyLoss.js';
export { deviceMergeLogprobs, type DeviceMergedLogprobs } from './kernels/device/merge.js';
export { deviceMaskTruncated, deviceOverlongPenalty, deviceRewardsAtEnd } from './kernels/device/responseTensors.js';
export {
  deviceSpeculativeSample,
  type DeviceSpeculativeInputs,
  type DeviceSpeculativeKeys,
  type DeviceSpeculativeTokens,
} from './kernels/device/speculativeTensors.js';
export { deviceSample, type DeviceSampledTokens, type DeviceSamplingKeys } from './kernels/device/samplingTensors.js';
export {
  deviceDynamicSampling,
  deviceGdpoAdvantages,
  devicePositiveExampleLoss,
  deviceRemaxAdvantages,
  type DevicePositiveExampleOptions,
} from './kernels/device/shapingTensors.js';
export { readCorrection } from './kernels/rolloutCorrection.js';
export { readPolicyLoss } from './kernels/policyLoss.js';
export { type Device } from './native/device.js';
export { type DType, type HostArray } from './native/dtype.js';
export { CudaStream } from './native/stream.js';
export {
  deviceMemory,
  DeviceTensor,
  type DeviceMemory,
  type TensorOptions,
  type WrapOptions,
} from './native/tensor.js';
export { meanEstimate, passAtK, proportionEstimate, type Estimate } from './evaluation/estimate.js';
export {
  summariseAnswers,
  type EvaluationStats,
  type EvaluationSummary,
  type JudgedAnswer,
} from './evaluation/summary.js';
export { exportQuestions } from './exports/export.js';
export { exportFormat, exportFormats } from './exports/registry.js';
export { type ExportFormat, type ExportOptions } from './exports/format.js';
export { generationRequests, solutionRequests, type Candidate, type GenerationSpec } from './synthetic/requests.js';
export { majorityVote, parseCandidate, voteAll, type VoteOptions } from './synthetic/responses.js';
export { readResponses, runRequests, type EndpointOptions } from './synthetic/endpoint.js';
export { readSynthesisSpec, type SynthesisSpec } from './synthetic/spec.js';
export { importSynthesis, runSynthesis, synthesisRequests, type SynthesisSummary } from './synthetic/synthesis.js';
export { GoldPool } from './templates/distractors.js';
export { generateRows, FAMILIES } from './data/procedural/generate.js';
