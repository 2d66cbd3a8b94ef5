import { invalidValue } from '../errors.js';
import { float32, int32, threadCount } from './arguments.js';
import { gpuOf, type RowKernels } from './device/backend.js';
import { withCall } from './device/call.js';
import { type SampledRows } from './device/sampling.js';
import { callSpeculate } from './device/speculative.js';
import { host } from './host.js';
import { type LogitsArray, type LogitsShape } from './logits.js';
import { SamplingPlan, type SamplingKeys } from './sampling.js';
import { packedLists, type TokenListOption } from './samplingOptions.js';

/** A chain of draft tokens for each sequence, and what the target model says of it. */
export interface SpeculativeInputs {
  /** `[sequences, drafts + 1, vocab]`: row i decides on draft i, the last one draws the token after the drafts. */
  readonly targetLogits: LogitsArray;
  /** `[sequences, drafts]`; a negative one ends its chain: shorter chains are padded with -1. */
  readonly draftTokens: Int32Array;
  /**
   * What the drafts were drawn from, `[sequences, drafts, vocab]`: the draft model's logits, of the type and vocab of the
   * target's, to be edited and filtered by `draftPlan`; or probabilities. With neither, the drafts were certain (n-gram or
   * greedy drafts): one is accepted with its target probability.
   */
  readonly draftLogits?: LogitsArray | undefined;
  readonly draftProbabilities?: Float32Array | undefined;
  /** How the draft model sampled from `draftLogits`; default: as the target. */
  readonly draftPlan?: SamplingPlan | undefined;
}

/** What identifies the draws; rows of `targetLogits` are `stride` apart. */
export interface SpeculativeKeys extends LogitsShape {
  /** As in {@link SamplingKeys}. */
  readonly seed: number | bigint;
  /** One id per sequence. */
  readonly sequences: Int32Array;
  /** Per sequence the position of the first draft token; the others follow. */
  readonly positions: Int32Array;
  readonly sample?: number | undefined;
  /** Tokens before the first draft, one list per sequence; the drafts before a row are added to its output. */
  readonly history?: { readonly prompt?: TokenListOption; readonly output?: TokenListOption } | undefined;
  /** `[sequences * (drafts + 1), words]`, as in {@link SamplingKeys}: one row of words for each target row. */
  readonly bitmask?: Int32Array | undefined;
}

export interface SpeculativeTokens {
  /** Drafts accepted, per sequence. */
  readonly accepted: Int32Array;
  /** `[sequences, drafts + 1]`: the accepted drafts, then one more token, then -1. */
  readonly tokens: Int32Array;
  /** Of the tokens, under the target's distribution after edits and filters; NaN past the end. */
  readonly logprobs?: Float32Array;
  /** The same under softmax(logits). */
  readonly rawLogprobs?: Float32Array;
  /**
   * Per sequence a code of `rowStatus`: where a row that was reached has no distribution, or a draft is not in the vocabulary
   * (`targetOutOfRange`), no token follows the accepted ones.
   */
  readonly status: Uint8Array;
}

/** Lists per sequence as lists per row: each sequence `times` times, its copies growing by the drafts before the row. */
function repeatedLists(field: string, option: TokenListOption, sequences: number, times: number, drafts?: Int32Array) {
  const { tokens = new Int32Array(0), offsets } = packedLists(field, option, sequences);
  const lists: Int32Array[] = [];
  const ends = new Int32Array(sequences * times + 1);
  let end = 0;
  for (let s = 0; s < sequences; s++) {
    const list = offsets === undefined ? tokens : tokens.subarray(offsets[s], offsets[s + 1]);
    const width = drafts === undefined ? 0 : drafts.length / sequences;
    for (let i = 0; i < times; i++) {
      const grown = drafts === undefined ? [list] : [list, drafts.subarray(s * width, s * width + i)];
      lists.push(...grown);
      end += grown.reduce((length, part) => length + part.length, 0);
      ends[s * times + i + 1] = end;
    }
  }
  const all = new Int32Array(end);
  let at = 0;
  for (const list of lists) {
    all.set(list, at);
    at += list.length;
  }
  return { tokens: all, offsets: ends };
}

/** Keys of `rows` consecutive positions of each sequence. Without `drafts` there is no history. */
export function keysOf(
  keys: Pick<SpeculativeKeys, 'seed' | 'sample' | 'history' | 'sequences' | 'positions' | 'vocab' | 'dtype'>,
  rows: number,
  drafts: Int32Array | undefined,
): SamplingKeys {
  const sequences = keys.positions.length;
  const { seed, sample, history } = keys;
  const each = { length: sequences * rows };
  return {
    ...{ seed, sample, vocab: keys.vocab, dtype: keys.dtype },
    sequences: Int32Array.from(each, (_, i) => keys.sequences[Math.floor(i / rows)] ?? 0),
    positions: Int32Array.from(each, (_, i) => (keys.positions[Math.floor(i / rows)] ?? 0) + (i % rows)),
    history: drafts && {
      ...(history?.prompt && { prompt: repeatedLists('history.prompt', history.prompt, sequences, rows) }),
      // Drafts are output, whether or not there was any before.
      output: repeatedLists('history.output', history?.output ?? [], sequences, rows, drafts),
    },
  };
}

/** The arguments of `sample` but for the number of threads. */
function rowsOf([, ...rows]: Parameters<RowKernels['sample']>): SampledRows {
  return rows;
}

/** Checks what both plans can return in a chain, and how many drafts each sequence has. */
export function checkChain(
  plans: { readonly plan: SamplingPlan; readonly draftPlan: SamplingPlan },
  sequences: number,
  draftTokens: { readonly length: number },
  draft: { readonly draftLogits?: unknown; readonly draftProbabilities?: unknown },
): number {
  if (sequences === 0 ? draftTokens.length !== 0 : draftTokens.length % sequences !== 0) {
    throw invalidValue('draftTokens', `of sequences * drafts elements, ${sequences} sequences`, draftTokens);
  }
  if (draft.draftLogits !== undefined && draft.draftProbabilities !== undefined) {
    throw invalidValue('draftProbabilities', 'left out where there are draftLogits', draft.draftProbabilities);
  }
  for (const [field, { options, outputs }] of Object.entries(plans)) {
    const extra = [...outputs].find((output) => !['token', 'logprob', 'rawLogprob'].includes(output));
    if (extra !== undefined) throw invalidValue(`${field}.outputs`, 'token, logprob or rawLogprob', extra);
    if (options.topLogprobs !== undefined || options.logprobTokens !== undefined) {
      throw invalidValue(field, 'without topLogprobs and logprobTokens', options);
    }
  }
  return sequences === 0 ? 0 : draftTokens.length / sequences;
}

/**
 * Chain speculative sampling (arXiv 2211.17192, 2302.01318): draft tokens are kept while they pass the test min(1, p / q),
 * the first that fails is replaced by a draw from max(p - q, 0), and after the last one a token is sampled as by
 * `plan.sample`. The tokens are distributed as the target's, whatever the drafts, and depend on nothing but the sequence.
 *
 * @param plan temperature, edits and filters of the target; per-row options have one value per target row. Greedy
 * (temperature 0): the drafts that are the target's choices are kept. It runs on the plan's `device`, whatever `draftPlan`'s.
 * @throws CrossThinkError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`; bad rows are not errors, see `status`.
 */
export function speculativeSample(
  plan: SamplingPlan,
  inputs: SpeculativeInputs,
  keys: SpeculativeKeys,
): SpeculativeTokens {
  const sequences = int32('positions', keys.positions).length;
  int32('sequences', keys.sequences, sequences);
  const draftTokens = int32('draftTokens', inputs.draftTokens);
  const { draftLogits, draftProbabilities, draftPlan = plan } = inputs;
  const drafts = checkChain({ plan, draftPlan }, sequences, draftTokens, inputs);
  const target = plan.prepare(inputs.targetLogits, {
    ...keysOf(keys, drafts + 1, draftTokens),
    ...{ stride: keys.stride, bitmask: keys.bitmask },
  });
  const rows = rowsOf(target.call);
  const vocab = rows[3];
  // Compared with undefined: null has to be an error here, for it would go on as a draft without arguments.
  const probabilities =
    draftProbabilities === undefined
      ? undefined
      : float32('draftProbabilities', draftProbabilities, draftTokens.length * vocab);
  const draft =
    draftLogits === undefined
      ? undefined
      : rowsOf(draftPlan.prepare(draftLogits, { ...keysOf(keys, drafts, draftTokens), vocab }).call);
  const accepted = new Int32Array(sequences);
  const status = new Uint8Array(sequences);
  const gpu = gpuOf(plan.options.device);
  if (gpu === null) {
    const threads = threadCount('plan.threads', plan.options.threads);
    const chain = [drafts, draftTokens, probabilities, accepted, status, threads, draft !== undefined] as const;
    host.speculate(...rows, ...chain, ...(draft ?? []));
  } else {
    const chain = { drafts, draftTokens, draftProbabilities: probabilities, accepted, status };
    withCall(gpu, undefined, (call) => {
      callSpeculate<ArrayBufferView>(call, { target: rows, ...chain, draft });
    });
  }
  const { tokens, logprobs, rawLogprobs } = target.result();
  return { accepted, tokens, status, ...(logprobs && { logprobs }), ...(rawLogprobs && { rawLogprobs }) };
}
