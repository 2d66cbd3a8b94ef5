import { z } from 'zod';
import { CrossThinkError } from '../errors.js';
import { BenchmarkIndex, decontaminate } from './contamination/ngrams.js';
import type { Question } from '../data/question.js';
import type { Filter } from './filter.js';
import { languages } from './language.js';
import {
  answerTypes,
  lengthWithin,
  noOptionsAboutOptions,
  passRateWithin,
  questionsOnly,
  selfContained,
  singleAnswer,
  tokensWithin,
} from './shape.js';
import { PAPER_MAX_WORDS, verifiable } from './verifiable.js';

const answerType = z.enum(['option', 'integer', 'decimal', 'fraction', 'expression', 'boolean', 'text']);

const filterSchema = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('verifiable'), maxWords: z.number().int().positive().default(PAPER_MAX_WORDS) }),
  z.strictObject({ name: z.literal('no-all-of-the-above') }),
  z.strictObject({ name: z.literal('single-answer') }),
  z.strictObject({ name: z.literal('questions-only') }),
  z.strictObject({ name: z.literal('self-contained') }),
  z.strictObject({ name: z.literal('language'), keep: z.array(z.string()).min(1) }),
  z.strictObject({
    name: z.literal('length'),
    minChars: z.number().int().nonnegative().default(0),
    maxChars: z.number().int().positive().default(1_000_000),
  }),
  z.strictObject({ name: z.literal('answer-type'), keep: z.array(answerType).min(1) }),
  z.strictObject({
    name: z.literal('pass-rate'),
    min: z.number().min(0).max(1).default(0),
    max: z.number().min(0).max(1).default(1),
    missing: z.enum(['keep', 'drop']).default('keep'),
  }),
  z.strictObject({
    name: z.literal('tokens'),
    /** Folder with the model's tokenizer.json. */
    tokenizer: z.string().min(1),
    max: z.number().int().positive(),
  }),
  z.strictObject({
    name: z.literal('decontaminate'),
    benchmarks: z.array(z.string()).min(1),
    words: z.number().int().min(5).max(50).default(13),
  }),
]);

/** A filter with its options, as recipes and journals hold it: plain data. */
export type FilterSpec = Readonly<{ name: string } & Record<string, unknown>>;

/** Names of the filters, for `--filter` and messages. */
export const FILTER_NAMES: readonly string[] = filterSchema.options.map((option) => option.shape.name.value);

/** The filter with defaults filled in; throws `ERR_SCHEMA` naming the option at fault. */
export function checkFilter(spec: unknown): FilterSpec {
  const parsed = filterSchema.safeParse(typeof spec === 'string' ? { name: spec } : spec);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'filter'}: ${message}`);
  throw new CrossThinkError(
    'ERR_SCHEMA',
    `filter ${JSON.stringify(spec)}: ${problems.join('; ')}. Known: ${FILTER_NAMES.join(', ')}`,
  );
}

/** What some filters need beside their options. */
export interface FilterResources {
  /** What `decontaminate` looks up. */
  readonly benchmarks?: BenchmarkIndex;
  /** What `tokens` counts a question's prompt with. */
  readonly countTokens?: (question: Question) => number;
}

/** Builds a filter from its checked specification. */
export function makeFilter(spec: FilterSpec, resources: FilterResources = {}): Filter {
  const options = filterSchema.parse(spec);
  switch (options.name) {
    case 'verifiable':
      return verifiable(options);
    case 'no-all-of-the-above':
      return noOptionsAboutOptions();
    case 'single-answer':
      return singleAnswer();
    case 'questions-only':
      return questionsOnly();
    case 'self-contained':
      return selfContained();
    case 'language':
      return languages(options.keep);
    case 'length':
      return lengthWithin(options);
    case 'answer-type':
      return answerTypes(options.keep);
    case 'pass-rate':
      return passRateWithin(options);
    case 'decontaminate':
      return decontaminate(resources.benchmarks ?? new BenchmarkIndex(options.words));
    case 'tokens':
      return tokensWithin(options.max, resources.countTokens ?? (({ question }) => question.length));
  }
}
