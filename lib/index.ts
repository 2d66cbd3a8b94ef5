export { CrossThinkError, type ErrorCode, type ErrorLocation } from './errors.js';
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
