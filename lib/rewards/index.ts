export { formatFault, type FormatOptions } from './format.js';
export { presets, type PresetName } from './presets.js';
export { resolveSettings, type ResolvedSettings, type VerifySettings } from './settings.js';
export { readTarget, type Gold, type Target, type VerifyQuestion } from './target.js';
export { reasons, type Reason, type Verdict } from './verdict.js';
export { verify, verifyTarget } from './verify.js';
export { tagCount } from './components.js';
export { tokenF1 } from './answers/text.js';
