import { z } from 'zod';
import { CrossThinkError, invalidValue } from '../errors.js';
import type { Source } from './extraction/extract.js';
import { allSources, defaultSources } from './extraction/extract.js';
import { isSafePattern } from './patterns.js';
import { presets, type PresetName } from './presets.js';

/** How `verify` reads and compares answers. Every field has a default; `preset` sets the fields a system's convention fixes. */
export interface VerifySettings {
  /** Named convention; fields given beside it win over it. Default `default`. */
  readonly preset?: PresetName;
  /** Template the format reward asks for; `none` makes the reward the accuracy alone. Default `boxed`. */
  readonly template?: 'boxed' | 'answer-tag' | 'think' | 'none';
  /** The prompt ended with `<think>`. Default false. */
  readonly thinkPrefilled?: boolean;
  /** Accept an empty reasoning block. Default false. */
  readonly allowEmptyThink?: boolean;
  /** Accept several boxes with different contents; the last is the answer. Default true. */
  readonly allowSeveralBoxes?: boolean;
  /** The tags of the reasoning block. Default `<think>`, `</think>`. */
  readonly thinkTags?: readonly [string, string];
  /** Where the final answer is looked for, in this order. */
  readonly sources?: readonly Source[];
  /** Regular expressions tried before `sources`; the last match's first group is the answer. */
  readonly patterns?: readonly string[];
  /** Flags of `patterns`. Default none. */
  readonly patternFlags?: '' | 'i';
  /** Which groups of a pattern must equal the gold: the first; any; all. Default `first`. */
  readonly patternGroups?: 'first' | 'any' | 'all';
  /** An answer inside the reasoning block counts where nothing stands after it (`fallback`), or never (`ignore`). */
  readonly answerInThinking?: 'fallback' | 'ignore';
  /** Letters of options accepted: `any` case, or capitals alone. Default `any`. */
  readonly letterCase?: 'any' | 'upper';
  /** A gold that is no mathematics is compared as `text`, or makes the question `unscorable`. Default `text`. */
  readonly wordGolds?: 'text' | 'unscorable';
  /** Relative tolerance where either side is a decimal literal. Default 1e-6. */
  readonly tolerance?: number;
  /**
   * `fraction`: 10 % = 0.1; `number`: the sign is dropped, 10 % = 10; `either`: both, the second from 1 % up. Default
   * `either`.
   */
  readonly percent?: 'fraction' | 'number' | 'either';
  /** `ignore-missing`: a unit only one side writes does not matter; `ignore`: units never matter; `strict`. */
  readonly units?: 'ignore-missing' | 'ignore' | 'strict';
  /** Absolute tolerance of half a unit in this decimal place, where either side is a decimal. Default null: none. */
  readonly decimalPlaces?: number | null;
  /** Accept an answer that rounds to the decimal the other side writes (2/3 for 0.67). Default false. */
  readonly roundToPrecision?: boolean;
  /** `any`: `1, 2` equals `2, 1`; `same`: it does not. Tuples are always ordered, sets never. Default `any`. */
  readonly listOrder?: 'any' | 'same';
  /** `ordered`: `(1, 2)` is not `\\{1, 2\\}`; `as-sets`: it is. Default `ordered`. */
  readonly tuples?: 'ordered' | 'as-sets';
  /** `equal`: `x > 5` equals `(5, \\infty)`; `gold-inequality`: only where the gold is the inequality; `as-written`: never. */
  readonly intervals?: 'equal' | 'gold-inequality' | 'as-written';
  /** `either`: `x = 5` equals 5 both ways; `gold-only`: an equation in the answer must assign. Default `either`. */
  readonly assignments?: 'either' | 'gold-only';
  /**
   * `symbolic`: as values; `latex-string`: as normalised LaTeX, nothing evaluated (Minerva, Hendrycks MATH, DAPO);
   * `text`: as normalised text. Default `symbolic`.
   */
  readonly comparison?: 'symbolic' | 'latex-string' | 'text';
  /** `words`: punctuation and articles in words do not matter (SQuAD); `exact`: they do. Default `words`. */
  readonly text?: 'words' | 'exact';
  /** Steps one verdict may take; exhausted counts as wrong. Default 200,000 (tens of milliseconds at most). */
  readonly budget?: number;
  /** Longest response read, in characters. Default 1,000,000. */
  readonly maximumLength?: number;
}

export type ResolvedSettings = Required<Omit<VerifySettings, 'preset'>>;

export const defaultSettings: ResolvedSettings = {
  template: 'boxed',
  thinkPrefilled: false,
  allowEmptyThink: false,
  allowSeveralBoxes: true,
  thinkTags: ['<think>', '</think>'],
  sources: defaultSources,
  patterns: [],
  patternFlags: '',
  patternGroups: 'first',
  answerInThinking: 'fallback',
  letterCase: 'any',
  wordGolds: 'text',
  tolerance: 1e-6,
  percent: 'either',
  units: 'ignore-missing',
  decimalPlaces: null,
  roundToPrecision: false,
  listOrder: 'any',
  tuples: 'ordered',
  intervals: 'equal',
  assignments: 'either',
  comparison: 'symbolic',
  text: 'words',
  budget: 200_000,
  maximumLength: 1_000_000,
};

const pattern = z
  .string()
  .max(1000)
  .refine(isSafePattern, 'must be a regular expression without nested repetition or back-references');

const settingsSchema = z.strictObject({
  preset: z.enum(Object.keys(presets) as [PresetName, ...PresetName[]]).optional(),
  template: z.enum(['boxed', 'answer-tag', 'think', 'none']).optional(),
  thinkPrefilled: z.boolean().optional(),
  allowEmptyThink: z.boolean().optional(),
  allowSeveralBoxes: z.boolean().optional(),
  thinkTags: z.tuple([z.string().min(1), z.string().min(1)]).optional(),
  sources: z.array(z.enum(allSources)).optional(),
  patterns: z.array(pattern).max(32).optional(),
  patternFlags: z.enum(['', 'i']).optional(),
  patternGroups: z.enum(['first', 'any', 'all']).optional(),
  answerInThinking: z.enum(['fallback', 'ignore']).optional(),
  letterCase: z.enum(['any', 'upper']).optional(),
  wordGolds: z.enum(['text', 'unscorable']).optional(),
  tolerance: z.number().min(0).max(1).optional(),
  percent: z.enum(['fraction', 'number', 'either']).optional(),
  units: z.enum(['ignore-missing', 'ignore', 'strict']).optional(),
  decimalPlaces: z.number().int().min(0).max(30).nullable().optional(),
  roundToPrecision: z.boolean().optional(),
  listOrder: z.enum(['any', 'same']).optional(),
  tuples: z.enum(['ordered', 'as-sets']).optional(),
  intervals: z.enum(['equal', 'gold-inequality', 'as-written']).optional(),
  assignments: z.enum(['either', 'gold-only']).optional(),
  comparison: z.enum(['symbolic', 'latex-string', 'text']).optional(),
  text: z.enum(['words', 'exact']).optional(),
  budget: z.number().int().positive().optional(),
  maximumLength: z.number().int().positive().optional(),
});

/** Settings from outside the program, checked. Throws CrossThinkError ERR_SCHEMA with the field's name. */
export function parseSettings(value: unknown): VerifySettings {
  const parsed = settingsSchema.safeParse(value);
  if (parsed.success) return parsed.data as VerifySettings;
  const issue = parsed.error.issues[0];
  const field = ['settings', ...(issue?.path ?? [])].join('.');
  throw new CrossThinkError('ERR_SCHEMA', `${field}: ${issue?.message ?? 'invalid'}`, { field });
}

const resolved = new WeakMap<VerifySettings, ResolvedSettings>();

/** Defaults, then the preset, then the fields given. Cached per settings object. */
export function resolveSettings(settings: VerifySettings = {}): ResolvedSettings {
  let result = resolved.get(settings);
  if (result === undefined) {
    const { preset = 'default', ...fields } = settings;
    if (!Object.hasOwn(presets, preset)) {
      throw invalidValue('settings.preset', `one of ${Object.keys(presets).join(', ')}`, preset);
    }
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => (value as unknown) !== undefined));
    result = { ...defaultSettings, ...presets[preset], ...given };
    resolved.set(settings, result);
  }
  return result;
}
