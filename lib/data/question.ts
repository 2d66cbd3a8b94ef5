import { hash } from 'node:crypto';
import { z } from 'zod';

/** Field of knowledge, as the paper splits it: general-purpose reasoning or mathematical reasoning. */
export type Domain = 'general' | 'math';

/** `multiple-choice` shows options; `open-ended` asks for a short answer (paper.md, section 2). */
export type Form = 'multiple-choice' | 'open-ended';

/** One option of a multiple-choice question. */
export interface Option {
  /** `A`, `B`, … as shown in the prompt. */
  readonly label: string;
  readonly text: string;
}

/**
 * A gold answer: typed, so that its meaning never depends on the source it came from.
 *
 * `value` is canonical text for its type: the label for `option`; digits for `integer`; `3/4` for `fraction`;
 * `0.75` for `decimal`; LaTeX for `expression`; the text itself for `text`; `true` or `false` for `boolean`.
 */
export interface Answer {
  readonly type: 'option' | 'integer' | 'decimal' | 'fraction' | 'expression' | 'boolean' | 'text';
  readonly value: string;
  /** Other accepted forms of the same answer, of the same type. */
  readonly alternatives?: readonly string[];
  /** Unit of a numeric answer, as the source writes it. */
  readonly unit?: string;
  /** Relative tolerance of a decimal answer; absent means exact. */
  readonly tolerance?: number;
}

/** Where a question came from and what was done to it. */
export interface Provenance {
  /** Name of the data set, e.g. `mmlu`. */
  readonly dataset: string;
  readonly revision?: string;
  /** File the row was read from, as given, and its 1-based row. */
  readonly file?: string;
  readonly row?: number;
  /** SPDX identifier or the source's own words. */
  readonly licence?: string;
  /** What was done to the row since, oldest first: `template:open-ended`, `filter:h`, … */
  readonly steps: readonly string[];
}

/** The one record: every row becomes a `Question` at its adapter and stays one until export. */
export interface Question {
  /** Stable content hash (`questionId`). */
  readonly id: string;
  readonly source: string;
  readonly domain: Domain;
  readonly subject?: string;
  readonly form: Form;
  /** Text of the question, without its options. */
  readonly question: string;
  readonly options?: readonly Option[];
  readonly answer: Answer;
  /** Share of right answers among sampled ones, 0 to 1, where it was measured. */
  readonly passRate?: number;
  readonly provenance: Provenance;
}

/** One generated answer to a question. */
export interface Rollout {
  readonly questionId: string;
  /** Generated tokens, the end-of-sequence token included where it was generated. */
  readonly tokens: readonly number[];
  /** Log-prob of each token under the policy that generated it, float32, nats. */
  readonly logprobs: readonly number[];
  /** Kept set per token where sampled with truncation (top-k, top-p): token ids. */
  readonly keptSet?: readonly (readonly number[])[];
  /** Optimiser steps of the policy that generated it. */
  readonly policyVersion: number;
  /** Reward components by name, e.g. `{ accuracy: 1, format: 0, reward: 0 }`. */
  readonly rewards: Readonly<Record<string, number>>;
  readonly status: 'finished' | 'truncated' | 'failed';
}

const optionSchema = z.object({ label: z.string().min(1), text: z.string() });

/** Validates an answer that comes from outside. */
export const answerSchema = z.object({
  type: z.enum(['option', 'integer', 'decimal', 'fraction', 'expression', 'boolean', 'text']),
  value: z.string(),
  alternatives: z.array(z.string()).optional(),
  unit: z.string().optional(),
  tolerance: z.number().nonnegative().optional(),
});

const provenanceSchema = z.object({
  dataset: z.string().min(1),
  revision: z.string().optional(),
  file: z.string().optional(),
  row: z.number().int().positive().optional(),
  licence: z.string().optional(),
  steps: z.array(z.string()),
});

/** Validates rows at the border; inside the package a `Question` is trusted. */
export const questionSchema = z.object({
  id: z.string().min(1),
  source: z.string().min(1),
  domain: z.enum(['general', 'math']),
  subject: z.string().optional(),
  form: z.enum(['multiple-choice', 'open-ended']),
  question: z.string().min(1),
  options: z.array(optionSchema).min(2).optional(),
  answer: answerSchema,
  passRate: z.number().min(0).max(1).optional(),
  provenance: provenanceSchema,
});

/**
 * Stable content hash of a question: SHA-256 over source, question, options and answer, first 16 bytes in hex. Equal
 * content gives equal ids on every machine and in every order of reading.
 */
export function questionId(content: Pick<Question, 'source' | 'question' | 'options' | 'answer'>): string {
  const options = content.options?.map(({ label, text }) => [label, text]) ?? [];
  const key = JSON.stringify([content.source, content.question, options, content.answer.type, content.answer.value]);
  return hash('sha256', key, 'hex').slice(0, 32);
}
