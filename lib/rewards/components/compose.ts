import { invalidValue } from '../../errors.js';
import type { Option } from '../../data/question.js';
import { resolveSettings, type VerifySettings } from '../settings.js';
import { readTarget, type VerifyQuestion } from '../target.js';
import type { Verdict } from '../verdict.js';
import { verifyTarget } from '../verify.js';
import { tagCount } from './format.js';
import { trippedGuards, type GuardOptions } from './guards.js';
import { scriptShare, type Script } from './language.js';
import { cosineLength, overlongPenalty, type CosineOptions, type OverlongOptions } from './length.js';
import { repetitionPenalty, type RepetitionOptions } from './repetition.js';

/** One part of a reward. `weight` scales it in a sum; default 1. */
export type RewardTerm = { readonly weight?: number } & (
  | { readonly kind: 'accuracy' | 'format' }
  | { readonly kind: 'tags'; readonly tags: readonly string[] }
  | ({ readonly kind: 'overlong' } & OverlongOptions)
  | ({ readonly kind: 'cosine-length' } & CosineOptions)
  | ({ readonly kind: 'repetition' } & RepetitionOptions)
  | { readonly kind: 'language'; readonly script: Script; readonly minimum?: number }
  | ({ readonly kind: 'guards' } & GuardOptions)
);

/** How a reward is put together. Without terms it is the paper's: accuracy AND format. */
export interface RewardSpec {
  /** `and`: 1 where every term is at least 1, else 0; `sum`: weighted sum. Default `and`. */
  readonly combine?: 'and' | 'sum';
  readonly terms?: readonly RewardTerm[];
  readonly settings?: VerifySettings;
}

/** What a composed reward may look at beside the response. */
export interface RewardContext {
  readonly question: VerifyQuestion;
  /** Text of the question, for the guards. */
  readonly questionText?: string;
  /** Length of the response in tokens; words are counted where it is not given. */
  readonly length?: number;
}

export interface ComposedReward {
  /** NaN where a term that counts is NaN: the gold cannot be scored. */
  readonly reward: number;
  /** Every term's value by name, unweighted; equal kinds are numbered (`tags`, `tags.2`). */
  readonly components: Readonly<Record<string, number>>;
  readonly verdict: Verdict;
}

const paper: readonly RewardTerm[] = [{ kind: 'accuracy' }, { kind: 'format' }];

/**
 * Computes a reward of several components. Throws CrossThinkError for a weight that is not finite.
 *
 * @example composeReward(response, { question: gold }, { combine: 'sum', terms: [{ kind: 'accuracy' }, { kind: 'format', weight: 0.1 }] })
 */
export function composeReward(response: string, context: RewardContext, spec: RewardSpec = {}): ComposedReward {
  const terms = spec.terms ?? paper;
  const verdict = verifyTarget(response, readTarget(context.question), resolveSettings(spec.settings));
  const components: Record<string, number> = {};
  let sum = 0;
  let every = true;
  for (const [i, term] of terms.entries()) {
    const { weight = 1 } = term;
    if (!Number.isFinite(weight)) throw invalidValue(`spec.terms[${i}].weight`, 'a finite number', weight);
    const value = evaluate(term, response, context, verdict);
    components[nameOf(term.kind, components)] = value;
    if (weight === 0) continue;
    sum += weight * value;
    every &&= Number.isNaN(value) || value >= 1;
  }
  const unscorable = Number.isNaN(sum);
  const combined = spec.combine === 'sum' ? sum : every ? 1 : 0;
  return { reward: unscorable ? NaN : combined, components, verdict };
}

function nameOf(kind: string, taken: Readonly<Record<string, number>>): string {
  if (!(kind in taken)) return kind;
  let n = 2;
  while (`${kind}.${n}` in taken) n++;
  return `${kind}.${n}`;
}

function evaluate(term: RewardTerm, response: string, context: RewardContext, verdict: Verdict): number {
  const length = (): number => context.length ?? response.split(/\s+/).filter(Boolean).length;
  switch (term.kind) {
    case 'accuracy':
      return verdict.accuracy;
    case 'format':
      return verdict.format;
    case 'tags':
      return tagCount(response, term.tags);
    case 'overlong':
      return overlongPenalty(length(), term);
    case 'cosine-length':
      return Number.isNaN(verdict.accuracy) ? NaN : cosineLength(length(), verdict.accuracy === 1, term);
    case 'repetition':
      return repetitionPenalty(response, term);
    case 'language':
      return scriptShare(response, term.script) >= (term.minimum ?? 0.9) ? 1 : 0;
    case 'guards':
      return trippedGuards(response, guarded(context), term).length === 0 ? 1 : 0;
  }
}

function guarded({ question, questionText }: RewardContext): { question?: string; options?: readonly Option[] } {
  const options = typeof question === 'object' && 'answer' in question ? question.options : undefined;
  return {
    ...(questionText === undefined ? {} : { question: questionText }),
    ...(options === undefined ? {} : { options }),
  };
}
