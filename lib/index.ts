export { CrossThinkError, type ErrorCode, type ErrorLocation } from './errors.js';
export {
  groupAdvantages,
  type GroupAdvantageOptions,
  type GroupAdvantages,
  type GroupEstimator,
} from './kernels/advantages.js';
export {
  policyLoss,
  type Aggregation,
  type PolicyLoss,
  type PolicyLossInputs,
  type PolicyLossMetrics,
  type PolicyLossOptions,
  type PolicyLossPreset,
} from './kernels/policyLoss.js';
export { runtimeInfo, type RuntimeInfo } from './native/info.js';
export {
  reasons,
  verify,
  type Gold,
  type Reason,
  type Verdict,
  type VerifyQuestion,
  type VerifySettings,
} from './rewards/index.js';
