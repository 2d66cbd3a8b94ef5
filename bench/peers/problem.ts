import { SamplingPlan, tokenLogprobs } from '../../lib/index.js';

/** Work that every peer is asked for; a peer without an operation leaves it out. */
export const operations = [
  'log-prob',
  'log-prob + entropy',
  'backward',
  'sample',
  'sample, top-k 50 + top-p 0.95',
  'sample, top-p 0.95',
] as const;
export type Operation = (typeof operations)[number];

export const TOP_K = 50;
export const TOP_P = 0.95;
/** Of the two filtered operations; the others are at 1. */
export const TEMPERATURE = 0.8;

/** The arrays that every contestant reads. */
export interface Problem {
  readonly rows: number;
  readonly vocab: number;
  readonly threads: number;
  readonly logits: Float32Array;
  readonly tokens: Int32Array;
  /** Upstream gradient of each log-prob. */
  readonly dLogprob: Float32Array;
}

/** One contestant's way to do one operation. */
export interface PeerCase {
  readonly operation: Operation;
  readonly peer: string;
  /** How it does it. */
  readonly how: string;
  /** Does the work `times` times; returns the seconds it took where the work is done in another process. */
  run(times: number): Promise<number | undefined> | number | undefined;
  /** Results of the last run, for the check. */
  results(): Promise<Results> | Results;
}

/** What an operation leaves; only its own fields are set. */
export interface Results {
  readonly logprobs?: ArrayLike<number>;
  readonly entropies?: ArrayLike<number>;
  /** `[rows, vocab]`; a contestant may negate it and leave out the one-hot term (ORT has only softmax). */
  readonly gradient?: { readonly values: ArrayLike<number>; readonly softmaxOnly?: boolean };
  readonly tokens?: ArrayLike<number>;
}

/** Normal-like logits of standard deviation 2.2 with a head of twenty likely tokens: the shape of a language model's row. */
export function makeProblem(rows: number, vocab: number, threads: number): Problem {
  let state = 1;
  const uniform = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const logits = new Float32Array(rows * vocab);
  for (let i = 0; i < logits.length; i++) logits[i] = (uniform() + uniform() + uniform() + uniform() - 2) * 3.8;
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < 20; j++) logits[r * vocab + Math.floor(uniform() * vocab)] = 16 - 0.6 * j;
  }
  const tokens = Int32Array.from({ length: rows }, () => Math.floor(uniform() * vocab));
  return { rows, vocab, threads, logits, tokens, dLogprob: new Float32Array(rows).fill(1) };
}

/** The distribution that a sampling operation draws from, by CrossThink: what drawn tokens are checked against. */
export interface Target {
  /** ln of a token's probability in a row; -Infinity where the filters removed it. */
  logprob(row: number, token: number): number;
  /** Expectation and variance of that log-prob, per row. */
  readonly means: Float64Array;
  readonly variances: Float64Array;
}

export function targetOf(problem: Problem, operation: Operation): Target {
  const { logits, rows, vocab, tokens } = problem;
  const temperature = operation === 'sample' ? 1 : TEMPERATURE;
  const { logsumexp } = tokenLogprobs(logits, tokens, { temperature });
  const plan = new SamplingPlan({ ...settingsOf(operation), outputs: ['keptSet', 'supportMass'] });
  const { keptSet, supportMass } = plan.sample(logits, keysOf(rows));
  const everything = Int32Array.from({ length: vocab }, (_, j) => j);
  const kept = Array.from({ length: rows }, (_, r) => keptSet!.tokens.subarray(...keptSet!.offsets.subarray(r, r + 2)));
  const members = kept.map((ids) => new Set(ids)); // Empty: no filter touched the row.
  const logprob = (r: number, j: number): number =>
    logits[r * vocab + j]! / temperature - logsumexp[r]! - Math.log(supportMass![r]!);
  const means = new Float64Array(rows);
  const variances = new Float64Array(rows);
  for (let r = 0; r < rows; r++) {
    for (const j of kept[r]!.length === 0 ? everything : kept[r]!) {
      const lp = logprob(r, j);
      means[r]! += Math.exp(lp) * lp;
      variances[r]! += Math.exp(lp) * lp * lp;
    }
    variances[r]! -= means[r]! ** 2;
  }
  return {
    ...{ means, variances },
    logprob: (r, j) => (members[r]!.size === 0 || members[r]!.has(j) ? logprob(r, j) : -Infinity),
  };
}

export function settingsOf(operation: Operation): ConstructorParameters<typeof SamplingPlan>[0] {
  if (operation === 'sample') return {};
  const topK = operation === 'sample, top-p 0.95' ? 0 : TOP_K;
  return { temperature: TEMPERATURE, topK, topP: TOP_P };
}

export function keysOf(rows: number): { seed: number; sequences: BigUint64Array; positions: Int32Array } {
  const positions = Int32Array.from({ length: rows }, (_, i) => i);
  return { seed: 1, sequences: BigUint64Array.from(positions, BigInt), positions };
}
