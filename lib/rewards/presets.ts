import type { VerifySettings } from './settings.js';

export type PresetName = 'default' | 'math-verify' | 'verl-dapo' | 'nemo-skills' | 'strict';

/** The conventions of other systems, as far as they differ from the defaults (docs/rewards.md, presets). */
export const presets: Readonly<Record<PresetName, Omit<VerifySettings, 'preset'>>> = {
  default: {},
  'math-verify': {},
  'verl-dapo': { percent: 'number', units: 'ignore' },
  'nemo-skills': { percent: 'number', units: 'ignore' },
  strict: { sources: ['boxed'], tolerance: 0, units: 'strict' },
};
