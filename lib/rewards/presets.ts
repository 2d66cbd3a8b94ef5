import type { VerifySettings } from './settings.js';

export type PresetName =
  'default' | 'math-verify' | 'verl-dapo' | 'nemo-skills' | 'hendrycks-math' | 'squad' | 'strict';

/** The conventions of other systems, as far as they differ from the defaults (docs/rewards.md, presets). */
export const presets: Readonly<Record<PresetName, Omit<VerifySettings, 'preset'>>> = {
  default: {},
  'math-verify': {
    sources: ['final', 'boxed', 'answer-tag', 'anchor', 'tail'],
    decimalPlaces: 6,
    tolerance: 0,
    tuples: 'as-sets',
    intervals: 'gold-inequality',
    percent: 'fraction',
  },
  'verl-dapo': { comparison: 'latex-string', sources: ['boxed', 'anchor', 'tail'] },
  'nemo-skills': { percent: 'number', units: 'ignore' },
  'hendrycks-math': { comparison: 'latex-string', sources: ['boxed', 'tail'] },
  squad: { comparison: 'text', sources: ['boxed', 'answer-tag', 'whole'], template: 'none' },
  strict: {
    sources: ['boxed'],
    tolerance: 0,
    percent: 'fraction',
    units: 'strict',
    listOrder: 'same',
    intervals: 'as-written',
    text: 'exact',
  },
};
