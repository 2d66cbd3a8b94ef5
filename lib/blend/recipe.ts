import { CrossThinkError, invalidValue } from '../errors.js';
import type { Domain, Form } from '../data/question.js';

/** One source of a blend: questions of one data set in one form. */
export interface BlendSource {
  readonly name: string;
  readonly domain: Domain;
  readonly form: Form;
  /** Number of questions. */
  readonly size: number;
  /** Hash of the content, checked on resume. */
  readonly fingerprint?: string;
}

/** Sources with their weights: what a `BlendSchedule` draws from. */
export interface BlendRecipe {
  readonly name: string;
  readonly sources: readonly BlendSource[];
  /** One weight a source, in any unit; 0 leaves a source out. Whole numbers are scheduled exactly. */
  readonly weights: readonly number[];
}

/** The paper's blends (paper.md, section 4), without B_score, whose weights need benchmark scores. */
export const BLEND_NAMES = ['natural', 'gpr-up', 'mr-up', 'mcq-up', 'open-up', 'only-gpr', 'only-mr'] as const;
export type BlendName = (typeof BLEND_NAMES)[number];

type Side = (source: BlendSource) => boolean;
const general: Side = ({ domain }) => domain === 'general';
const math: Side = ({ domain }) => domain === 'math';
const multipleChoice: Side = ({ form }) => form === 'multiple-choice';
const openEnded: Side = ({ form }) => form === 'open-ended';

/** Favoured and other side of the 2:1 blends. */
const TWO_TO_ONE: Partial<Record<BlendName, readonly [favoured: Side, other: Side]>> = {
  'gpr-up': [general, math],
  'mr-up': [math, general],
  'mcq-up': [multipleChoice, openEnded],
  'open-up': [openEnded, multipleChoice],
};
const ONLY: Partial<Record<BlendName, Side>> = { 'only-gpr': general, 'only-mr': math };

/**
 * A blend of the paper over `sources`: `natural` weighs by size; `*-up` gives the favoured side twice the weight of the
 * other; `only-*` are the single-domain controls. Inside a side weights follow size. Throws where a side is empty.
 */
export function blendRecipe(name: BlendName, sources: readonly BlendSource[]): BlendRecipe {
  checkSources(sources);
  const pair = TWO_TO_ONE[name];
  const only = ONLY[name];
  if (pair !== undefined) {
    const [favoured, other] = [total(sources, pair[0], name), total(sources, pair[1], name)];
    // Common denominator 3 · favoured · other: weights stay whole numbers, hence exact.
    const weights = sources.map((s) => BigInt(s.size) * BigInt(pair[0](s) ? 2 * other : favoured));
    return { name, sources, weights: reduced(weights) };
  }
  if (only !== undefined) {
    total(sources, only, name);
    return { name, sources, weights: sources.map((s) => (only(s) ? s.size : 0)) };
  }
  return { name, sources, weights: sources.map(({ size }) => size) };
}

function total(sources: readonly BlendSource[], side: Side, name: string): number {
  const sum = sources.filter(side).reduce((n, { size }) => n + size, 0);
  if (sum > 0) return sum;
  const have = sources.map((s) => `${s.name} (${s.domain}, ${s.form}, ${s.size})`).join('; ');
  throw new CrossThinkError(
    'ERR_INVALID_ARG_VALUE',
    `blend ${name} needs questions on both sides; sources are ${have}`,
    {
      field: 'sources',
    },
  );
}

function checkSources(sources: readonly BlendSource[]): void {
  if (sources.length === 0) throw invalidValue('sources', 'a list of at least one source', sources);
  for (const { name, size } of sources) {
    if (!Number.isSafeInteger(size) || size < 0) throw invalidValue(`sources.${name}.size`, 'a whole number', size);
  }
  const names = new Set(sources.map(({ name }) => name));
  if (names.size !== sources.length) throw invalidValue('sources', 'sources of distinct names', [...names].join(', '));
}

/** Divides by the greatest common divisor; Number() then is exact for all but absurd sizes. */
function reduced(weights: readonly bigint[]): number[] {
  const divisor = weights.reduce(gcd, 0n);
  return weights.map((weight) => Number(divisor === 0n ? weight : weight / divisor));
}

function gcd(a: bigint, b: bigint): bigint {
  return b === 0n ? a : gcd(b, a % b);
}
