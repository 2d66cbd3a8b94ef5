export { formatFault, type FormatOptions } from './format.js';
export { presets, type PresetName } from './presets.js';
export { resolveSettings, type ResolvedSettings, type VerifySettings } from './settings.js';
export { readTarget, type Gold, type Target, type VerifyQuestion } from './target.js';
export { reasons, type Reason, type Verdict } from './verdict.js';
export { verify, verifyTarget } from './verify.js';
export {
  composeReward,
  type ComposedReward,
  type RewardContext,
  type RewardSpec,
  type RewardTerm,
} from './components/compose.js';
export { tagCount } from './components/format.js';
export { guardCodes, trippedGuards, type GuardCode, type GuardOptions } from './components/guards.js';
export { scriptShare, type Script } from './components/language.js';
export { cosineLength, overlongPenalty, type CosineOptions, type OverlongOptions } from './components/length.js';
export { repetitionPenalty, type RepetitionOptions } from './components/repetition.js';
export { reasonCodes, verifyBatch, verifyBatchAsync, type BatchInput, type BatchVerdicts } from './batch/batch.js';
export { verifyLines } from './batch/stream.js';
export { compareSettings, type Change, type Comparison } from './audit.js';
export { createRewardServer, type ServerOptions } from './server/server.js';
export { tokenF1 } from './answers/text.js';
