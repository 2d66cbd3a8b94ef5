import binding = require('#binding');

import { invalidType, invalidValue } from '../errors.js';
import { allApart, float32, int32, requireInteger, threadCount, uint8 } from './arguments.js';
import { bindCall } from './bound.js';
import { runAsync } from './cancel.js';
import { kernelsOn, type RowKernels } from './device/backend.js';
import { bound, host, newFloat32, newInt32, newUint8, run } from './host.js';
import { checkLogits, floatTypeCode, type LogitsArray, type LogitsShape } from './logits.js';
import {
  packedLists,
  PackedSampling,
  type SamplingOptions,
  type SamplingOutput,
  type TokenListOption,
} from './samplingOptions.js';

const OUTPUTS: readonly SamplingOutput[] = [
  ...(['token', 'logprob', 'rawLogprob', 'rank', 'entropy', 'supportMass', 'keptSet'] as const),
];

/** What identifies a draw: equal keys and equal logits give equal tokens, wherever the row stands in a batch. */
export interface SamplingKeys extends LogitsShape {
  /** Any integer in [0, 2^64). */
  readonly seed: number | bigint;
  /** One id per row: which sequence it continues. */
  readonly sequences: Int32Array | Uint32Array | BigInt64Array | BigUint64Array;
  /** One per row: the position of the token in its sequence. */
  readonly positions: Int32Array;
  /** Number of the first sample, below 2^24; default 0. */
  readonly sample?: number | undefined;
  /** How many samples of each row; default 1. Outputs of samples are `[rows, samples]`. */
  readonly samples?: number | undefined;
  /** Tokens before this one, for penalties and n-grams. */
  readonly history?: { readonly prompt?: TokenListOption; readonly output?: TokenListOption } | undefined;
  /** Packed int32 words, bit j of word w = token 32 w + j, 1 = allowed: `[rows, words]`. Tokens past its end are banned. */
  readonly bitmask?: Int32Array | undefined;
  /** Arrays to write into, of the lengths of the results. */
  readonly out?: Partial<Pick<SampledTokens, OutputArray>> | undefined;
}

type OutputArray = 'tokens' | 'logprobs' | 'rawLogprobs' | 'ranks' | 'entropy' | 'supportMass' | 'status';

export interface SampledTokens {
  /** -1 where the row has no distribution to sample from; `status` says why. */
  readonly tokens: Int32Array;
  /** Log-prob under the distribution that was sampled: after edits, temperature and filters, re-normalised. Greedy: 0. */
  readonly logprobs?: Float32Array;
  /** Log-prob under softmax(logits): no edits but softcap, no temperature, no filters. */
  readonly rawLogprobs?: Float32Array;
  /** 1 for the most probable token of the row; 0 where there is none. */
  readonly ranks?: Int32Array;
  /** Entropy of softmax(logits) in nats, per row. */
  readonly entropy?: Float32Array;
  /** Share of the row's mass that the filters kept, per row. */
  readonly supportMass?: Float32Array;
  /** The kept tokens of each row in ascending order; a row that no filter touched has none listed and kept all. */
  readonly keptSet?: { readonly tokens: Int32Array; readonly offsets: Int32Array };
  /** `[rows, topLogprobs]`; -1 and NaN where a row has fewer tokens. */
  readonly topLogprobs?: { readonly tokens: Int32Array; readonly logprobs: Float32Array };
  /** Raw log-probs of `logprobTokens`, in their layout (`[rows, length]` for a single list). */
  readonly chosenLogprobs?: Float32Array;
  /** Per row a code of `rowStatus`. */
  readonly status: Uint8Array;
}

/** Any integer in [0, 2^64). */
export function seedOf(seed: unknown): bigint {
  if (typeof seed !== 'bigint') return BigInt(requireInteger('seed', seed, 0));
  if (seed < 0n || seed >= 1n << 64n) throw invalidValue('seed', 'in [0, 2^64)', seed);
  return seed;
}

/** Ids as 64-bit numbers. */
export function sequenceArray(sequences: unknown, rows: number): BigUint64Array {
  if (sequences instanceof BigUint64Array && sequences.length === rows) return sequences;
  const tag = Object.prototype.toString.call(sequences).slice(8, -1);
  if (!['Int32Array', 'Uint32Array', 'BigInt64Array', 'BigUint64Array'].includes(tag)) {
    throw invalidType('sequences', 'an Int32Array, Uint32Array, BigInt64Array or BigUint64Array', sequences);
  }
  const ids = sequences as SamplingKeys['sequences'];
  if (ids.length !== rows) throw invalidValue('sequences', `of ${rows} elements, as positions`, ids);
  if (ids instanceof BigUint64Array) return ids;
  // Negative ids wrap, so that every 64-bit id stays distinct.
  return BigUint64Array.from(ids as Iterable<number | bigint>, (id) => BigInt.asUintN(64, BigInt(id)));
}

function bitmaskOf(keys: SamplingKeys, allowed: Int32Array | undefined, rows: number): Int32Array | undefined {
  if (keys.bitmask === undefined) return allowed;
  const mask = int32('bitmask', keys.bitmask);
  if (rows > 0 && mask.length % rows !== 0)
    throw invalidValue('bitmask', `of rows * words elements, ${rows} rows`, mask);
  if (allowed === undefined) return mask;
  // Both: the caller's rows, each narrowed by the allowed tokens.
  const words = mask.length / rows;
  return mask.map((word, i) => word & (allowed[i % words] ?? 0));
}

function floats(wanted: boolean, field: string, array: Float32Array | undefined, n: number): Float32Array | undefined {
  return wanted ? float32(field, array ?? newFloat32(n), n) : undefined;
}

/** Sampling with fixed settings, checked once: logits are edited, filtered in a chosen order, and drawn from. */
export class SamplingPlan {
  readonly #packed: PackedSampling;
  /** @internal */
  readonly outputs: ReadonlySet<SamplingOutput>;
  /** Which of the outputs are wanted: a set is too slow to ask at each call. */
  readonly #wants: Readonly<Record<Exclude<SamplingOutput, 'token'>, boolean>>;
  readonly #threads: number;

  /** @throws CrossThinkError `ERR_INVALID_ARG_VALUE` naming the option. */
  constructor(options: SamplingOptions = {}) {
    this.#packed = new PackedSampling(options);
    for (const output of options.outputs ?? []) {
      if (!OUTPUTS.includes(output)) throw invalidValue('options.outputs', `from ${OUTPUTS.join(', ')}`, output);
    }
    this.outputs = new Set(options.outputs ?? ['token', 'logprob', 'rawLogprob']);
    const wants = (output: SamplingOutput) => this.outputs.has(output);
    this.#wants = {
      logprob: wants('logprob'),
      rawLogprob: wants('rawLogprob'),
      rank: wants('rank'),
      entropy: wants('entropy'),
      supportMass: wants('supportMass'),
      keptSet: wants('keptSet'),
    };
    this.#threads = threadCount('options.threads', options.threads);
  }

  /**
   * The arguments of a call, checked, and its result once it has run.
   *
   * @internal
   */
  prepare(logits: LogitsArray, keys: SamplingKeys) {
    const positions = int32('positions', keys.positions);
    const rows = positions.length;
    const x = checkLogits('logits', logits, rows, keys);
    const packed = this.#packed;
    const { options } = packed;
    const p = packed.rows(rows);
    const samples = requireInteger('samples', keys.samples ?? 1, 1, 2 ** 24);
    const sample = requireInteger('sample', keys.sample ?? 0, 0, 2 ** 24 - samples);
    const wants = this.#wants;
    const { out = {} } = keys;
    const drawn = rows * samples;
    const status = uint8('out.status', out.status ?? newUint8(rows), rows);
    const tokens = int32('out.tokens', out.tokens ?? newInt32(drawn), drawn);
    const logprobs = floats(wants.logprob, 'out.logprobs', out.logprobs, drawn);
    const rawLogprobs = floats(wants.rawLogprob, 'out.rawLogprobs', out.rawLogprobs, drawn);
    const ranks = wants.rank ? int32('out.ranks', out.ranks ?? newInt32(drawn), drawn) : undefined;
    const entropy = floats(wants.entropy, 'out.entropy', out.entropy, rows);
    const supportMass = floats(wants.supportMass, 'out.supportMass', out.supportMass, rows);
    const n = packed.topLogprobs;
    const topLogprobs = n === 0 ? undefined : { tokens: newInt32(rows * n), logprobs: newFloat32(rows * n) };
    const chosen = packedLists('options.logprobTokens', options.logprobTokens, rows);
    const chosenLogprobs =
      chosen.tokens && newFloat32((chosen.offsets === undefined ? rows : 1) * chosen.tokens.length);
    const kept = wants.keptSet ? binding.newKeptSets() : undefined;
    const mask = bitmaskOf(keys, packed.allowed, rows);
    const banned = packedLists('options.bannedTokens', options.bannedTokens, rows);
    const stop = packedLists('options.stopTokens', options.stopTokens, rows);
    const prompt = packedLists('history.prompt', keys.history?.prompt, rows);
    const output = packedLists('history.output', keys.history?.output, rows);
    const breakers = packedLists('options.dry.breakers', options.dry?.breakers, rows);
    // One element a line would be fifty lines; spreads would cost more than everything else here.
    // prettier-ignore
    const call: Parameters<RowKernels['sample']> = [
      this.#threads, x.data, floatTypeCode(x.type), x.rows, x.vocab, x.stride,
      p.settings, p.temperature.values, p.topK.values, p.topP.values, p.minP.values, p.typicalP.values,
      p.topNSigma.values, p.xtc.values, packed.steps,
      mask, keys.bitmask !== undefined, banned.tokens, banned.offsets, stop.tokens, stop.offsets, p.minTokens.values,
      packed.biasTokens, undefined, packed.bias, prompt.tokens, prompt.offsets, output.tokens, output.offsets,
      p.repetition.values, p.presence.values, p.frequency.values, p.noRepeatNgram.values,
      packed.dry, breakers.tokens, breakers.offsets,
      seedOf(keys.seed), sequenceArray(keys.sequences, rows), positions, sample, samples,
      status, tokens, logprobs, rawLogprobs, ranks, entropy, supportMass,
      n, topLogprobs?.tokens, topLogprobs?.logprobs, chosen.tokens, chosen.offsets, chosenLogprobs, kept,
    ];
    if (keys.out !== undefined) allApart('out', keys.out, call, call.indexOf(status));
    const result = (): SampledTokens => {
      const sampled: { -readonly [K in keyof SampledTokens]: SampledTokens[K] } = { tokens, status };
      if (logprobs) sampled.logprobs = logprobs;
      if (rawLogprobs) sampled.rawLogprobs = rawLogprobs;
      if (ranks) sampled.ranks = ranks;
      if (entropy) sampled.entropy = entropy;
      if (supportMass) sampled.supportMass = supportMass;
      if (topLogprobs) sampled.topLogprobs = topLogprobs;
      if (chosenLogprobs) sampled.chosenLogprobs = chosenLogprobs;
      if (kept) sampled.keptSet = readKeptSet(kept, rows);
      return sampled;
    };
    return { call, result };
  }

  /** @internal */
  get options(): SamplingOptions {
    return this.#packed.options;
  }

  /** @internal */
  get packed(): PackedSampling {
    return this.#packed;
  }

  #kernels(): RowKernels {
    return kernelsOn(this.options.device);
  }

  /**
   * Draws from each row.
   *
   * @param logits `[rows, vocab]`, rows = `keys.positions.length`.
   * @throws CrossThinkError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`; bad rows are not errors, see `status`.
   */
  sample(logits: LogitsArray, keys: SamplingKeys): SampledTokens {
    const { call, result } = this.prepare(logits, keys);
    run(this.#kernels().sample, call);
    return result();
  }

  /**
   * The same call for a loop that samples again and again from the same arrays: arguments are checked once, and what
   * comes back draws from what `logits`, `keys.positions`, `keys.sequences` and `keys.bitmask` then hold. Each call
   * overwrites and returns the same results. The plan's own per-row options are copied.
   *
   * @param keys `sequences` must be a BigUint64Array; no `history`, which grows, and no `'keptSet'` output.
   * @returns Throws `ERR_INVALID_ARG_VALUE` where the buffer of an array was transferred or shrunk.
   * @throws CrossThinkError as {@link SamplingPlan.sample}.
   */
  bind(logits: LogitsArray, keys: SamplingKeys & { readonly sequences: BigUint64Array }): () => SampledTokens {
    const { bitmask, history, positions, sequences } = keys;
    if (!(sequences instanceof BigUint64Array)) throw invalidType('sequences', 'a BigUint64Array to bind', sequences);
    if (history !== undefined) throw invalidValue('history', 'absent from a bound call', history, 'Use sample()');
    if (this.outputs.has('keptSet')) throw invalidValue('options.outputs', 'without keptSet to bind', 'keptSet');
    if (bitmask !== undefined && this.#packed.allowed !== undefined) {
      throw invalidValue('bitmask', 'absent where the plan has allowedTokens, to bind', bitmask);
    }
    if (this.#kernels() !== host) throw invalidValue('options.device', "'cpu' to bind", this.options.device);
    const { call, result } = this.prepare(logits, keys);
    const sampled = result();
    const { topLogprobs, chosenLogprobs, ...arrays } = sampled as Omit<SampledTokens, 'keptSet'>;
    const sample = bindCall(bound.sample, call, {
      ...{ logits, sequences, positions, bitmask, chosenLogprobs, ...arrays },
      ...{ 'topLogprobs.tokens': topLogprobs?.tokens, 'topLogprobs.logprobs': topLogprobs?.logprobs },
    });
    return () => {
      sample();
      return sampled;
    };
  }

  /**
   * The same on the worker pool. The logits must not be changed, transferred or detached until the promise settles.
   *
   * @throws the `signal`'s reason where it was aborted before the last row.
   */
  async sampleAsync(
    logits: LogitsArray,
    keys: SamplingKeys & { readonly signal?: AbortSignal | undefined },
  ): Promise<SampledTokens> {
    return runAsync('sampleAsync', keys.signal, this.#kernels().sample, () => this.prepare(logits, keys));
  }
}

function readKeptSet(kept: object, rows: number): { tokens: Int32Array; offsets: Int32Array } {
  const offsets = new Int32Array(rows + 1);
  const tokens = new Int32Array(rows === 0 ? 0 : binding.keptOffsets(kept, offsets));
  binding.keptTokens(kept, tokens);
  return { tokens, offsets };
}
