export { CrossThinkError, type ErrorCode, type ErrorLocation } from './errors.js';
export { runtimeInfo, type RuntimeInfo } from './native/info.js';
