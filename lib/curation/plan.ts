import { createHash } from 'node:crypto';
import { CrossThinkError, invalidValue } from '../errors.js';
import { adapterByName } from '../data/adapters/registry.js';
import { type MappingSpec } from '../data/adapters/generic.js';
import { checkFilter, type FilterSpec } from '../filters/registry.js';
import { MINHASH } from './questionBatch.js';

export type TemplateName = 'none' | 'open-ended' | 'multiple-choice';
export type Duplicates = 'keep' | 'exact' | 'near';

/** One input file and how its rows are read. */
export interface PlanInput {
  readonly file: string;
  /** Adapter name, or `auto`. */
  readonly adapter: string;
  /** Field mapping of the `generic` adapter. */
  readonly mapping?: MappingSpec;
}

/** Everything that decides what a run writes, as plain data: equal plans over equal files give equal bytes. */
export interface CuratePlan {
  readonly inputs: readonly PlanInput[];
  readonly template: TemplateName;
  readonly optionCount: number;
  /** Files whose golds the multiple-choice template makes wrong options from. */
  readonly distractors: readonly string[];
  /** Put options into an order that seed and question decide. */
  readonly shuffleOptions: boolean;
  readonly seed: number;
  readonly filters: readonly FilterSpec[];
  readonly duplicates: Duplicates;
  /** Estimated Jaccard similarity from which `near` drops a question. */
  readonly nearThreshold: number;
  /** Share of rows to look at, chosen by seed and row. */
  readonly sample: number;
  /** Rows of each file to look at; Infinity for all (null in JSON). */
  readonly limit: number | null;
  /** This process's part of the rows; absent for all. */
  readonly shard?: Shard;
  readonly maxRowBytes: number;
  /** Whether texts are written that their authors ask not to show. */
  readonly plaintext: boolean;
}

export interface Shard {
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

/** A plan with gaps: defaults are those of the paper's step from rows to verifiable questions. */
export type PlanOptions = Partial<Omit<CuratePlan, 'inputs' | 'filters'>> & {
  readonly filters?: readonly (FilterSpec | string)[];
};

/** Fills in defaults and checks every field; throws naming the field at fault. */
export function makePlan(inputs: readonly PlanInput[], options: PlanOptions = {}): CuratePlan {
  if (inputs.length === 0) throw invalidValue('inputs', 'one or more files', inputs);
  for (const { adapter } of inputs) if (adapter !== 'auto' && adapter !== 'generic') adapterByName(adapter);
  const plan: CuratePlan = {
    inputs,
    template: options.template ?? 'none',
    optionCount: options.optionCount ?? 4,
    distractors: options.distractors ?? [],
    shuffleOptions: options.shuffleOptions ?? false,
    seed: options.seed ?? 0,
    filters: (options.filters ?? ['verifiable']).map(checkFilter),
    duplicates: options.duplicates ?? 'keep',
    nearThreshold: options.nearThreshold ?? MINHASH.threshold,
    sample: options.sample ?? 1,
    limit: options.limit ?? null,
    ...(options.shard === undefined ? {} : { shard: options.shard }),
    maxRowBytes: options.maxRowBytes ?? 16 * 1024 * 1024,
    plaintext: options.plaintext ?? false,
  };
  const { optionCount, sample, shard, nearThreshold } = plan;
  if (optionCount < 2 || optionCount > 10) throw invalidValue('optionCount', '2 to 10', optionCount);
  if (!(sample > 0 && sample <= 1)) throw invalidValue('sample', 'above 0 and at most 1', sample);
  if (!(nearThreshold > 0 && nearThreshold <= 1))
    throw invalidValue('nearThreshold', 'above 0 and at most 1', nearThreshold);
  if (shard !== undefined && !(shard.index >= 0 && shard.index < shard.count)) {
    throw invalidValue('shard', 'i/n with i from 1 to n', `${shard.index + 1}/${shard.count}`);
  }
  return plan;
}

/** Hash of a plan: a run goes on only from a journal of the same plan. */
export function planFingerprint(plan: CuratePlan): string {
  return createHash('sha256').update(JSON.stringify(plan)).digest('hex').slice(0, 32);
}

/** `i/n` from 1, or `auto`: Slurm arrays, Kubernetes indexed jobs, and RANK with WORLD_SIZE. */
export function parseShard(text: string, env: NodeJS.ProcessEnv = process.env): Shard {
  if (text === 'auto') return shardFromEnvironment(env);
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const [index, count] = [Number(match?.[1]) - 1, Number(match?.[2])];
  if (match === null || index < 0 || index >= count)
    throw invalidValue('--shard', 'i/n with i from 1 to n, or auto', text);
  return { index, count };
}

function shardFromEnvironment(env: NodeJS.ProcessEnv): Shard {
  const number = (name: string): number | undefined => {
    const value = env[name];
    return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
  };
  const slurm = number('SLURM_ARRAY_TASK_ID');
  if (slurm !== undefined) {
    const first = number('SLURM_ARRAY_TASK_MIN') ?? 0;
    const count = number('SLURM_ARRAY_TASK_COUNT');
    if (count !== undefined) return { index: slurm - first, count };
  }
  const pairs = [
    ['JOB_COMPLETION_INDEX', 'JOB_COMPLETIONS'],
    ['RANK', 'WORLD_SIZE'],
  ] as const;
  for (const [indexName, countName] of pairs) {
    const [index, count] = [number(indexName), number(countName)];
    if (index !== undefined && count !== undefined && index < count) return { index, count };
  }
  const message = 'no SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX with JOB_COMPLETIONS, or RANK with WORLD_SIZE is set';
  throw new CrossThinkError('ERR_INVALID_ARG_VALUE', `--shard auto: ${message}`, { field: '--shard' });
}

/** Rows are dealt to shards in stripes of this many. */
const STRIPE = 1024;

/** Whether a row of a file (from 1) is looked at under a plan: limit, shard and sample. */
export function wantedRow(plan: CuratePlan, inputIndex: number): (row: number) => boolean {
  const { limit, shard, sample, seed } = plan;
  const last = limit ?? Infinity;
  return (row) => {
    if (row > last) return false;
    if (shard !== undefined && Math.floor((row - 1) / STRIPE) % shard.count !== shard.index) return false;
    return sample === 1 || unitHash(seed, inputIndex, row) < sample;
  };
}

/** The last of the rows in sequence from `row` that are all looked at; smaller than `row` where that is not known. */
export function wantedThrough({ limit, shard, sample }: CuratePlan, row: number): number {
  if (sample < 1) return 0;
  const last = limit ?? Infinity;
  if (shard === undefined) return last;
  const stripe = Math.floor((row - 1) / STRIPE);
  return stripe % shard.count === shard.index ? Math.min(last, (stripe + 1) * STRIPE) : 0;
}

/** A number from 0 to 1 that depends on its arguments alone. */
function unitHash(seed: number, file: number, row: number): number {
  let h = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(file + 1, 0xc2b2ae35) ^ row;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}
