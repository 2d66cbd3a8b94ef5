import { z } from 'zod';
import { CrossThinkError } from '../errors.js';
import type { Source } from './extraction/extract.js';
import { defaultSources } from './extraction/extract.js';
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
  /** Where the final answer is looked for, in this order. */
  readonly sources?: readonly Source[];
  /** Regular expressions tried before `sources`; the last match's first group is the answer. */
  readonly patterns?: readonly string[];
  /** Relative tolerance where either side is a decimal literal. Default 1e-6. */
  readonly tolerance?: number;
  /** `fraction`: 10 % = 0.1; `number`: the sign is dropped, 10 % = 10; `either`. Default `fraction`. */
  readonly percent?: 'fraction' | 'number' | 'either';
  /** `ignore-missing`: a unit only one side writes does not matter; `ignore`: units never matter; `strict`. */
  readonly units?: 'ignore-missing' | 'ignore' | 'strict';
  /** Longest response read, in characters. Default 1,000,000. */
  readonly maximumLength?: number;
}

export type ResolvedSettings = Required<Omit<VerifySettings, 'preset'>>;

export const defaultSettings: ResolvedSettings = {
  template: 'boxed',
  thinkPrefilled: false,
  allowEmptyThink: false,
  allowSeveralBoxes: true,
  sources: defaultSources,
  patterns: [],
  tolerance: 1e-6,
  percent: 'fraction',
  units: 'ignore-missing',
  maximumLength: 1_000_000,
};

const pattern = z.string().max(1000).refine(compiles, 'a regular expression that compiles');

const settingsSchema = z.strictObject({
  preset: z.enum(Object.keys(presets) as [PresetName, ...PresetName[]]).optional(),
  template: z.enum(['boxed', 'answer-tag', 'think', 'none']).optional(),
  thinkPrefilled: z.boolean().optional(),
  allowEmptyThink: z.boolean().optional(),
  allowSeveralBoxes: z.boolean().optional(),
  sources: z.array(z.enum(['regex', 'boxed', 'answer-tag', 'json', 'anchor', 'hash', 'tail'])).optional(),
  patterns: z.array(pattern).max(32).optional(),
  tolerance: z.number().min(0).max(1).optional(),
  percent: z.enum(['fraction', 'number', 'either']).optional(),
  units: z.enum(['ignore-missing', 'ignore', 'strict']).optional(),
  maximumLength: z.number().int().positive().optional(),
});

function compiles(source: string): boolean {
  try {
    new RegExp(source, 'g');
    return true;
  } catch {
    return false;
  }
}

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
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => (value as unknown) !== undefined));
    result = { ...defaultSettings, ...presets[preset], ...given };
    resolved.set(settings, result);
  }
  return result;
}
