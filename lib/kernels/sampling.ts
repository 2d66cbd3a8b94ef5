import binding = require('#binding');

import { invalidType, invalidValue } from '../errors.js';
import { int32, requireInteger, threadCount } from './arguments.js';
import { cancellable } from './cancel.js';
import { kernelsOn, type RowKernels } from './device/backend.js';
import { requireCudaSampling } from './device/samplingSupport.js';
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
}

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

function seedArray(seed: unknown): BigUint64Array {
  if (typeof seed === 'bigint') {
    if (seed < 0n || seed >= 1n << 64n) throw invalidValue('seed', 'in [0, 2^64)', seed);
    return BigUint64Array.of(seed);
  }
  return BigUint64Array.of(BigInt(requireInteger('seed', seed, 0)));
}

function sequenceArray(sequences: unknown, rows: number): BigUint64Array {
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

function bitmaskOf(
  keys: SamplingKeys,
  allowed: Int32Array | undefined,
  rows: number,
): [Int32Array | undefined, boolean] {
  if (keys.bitmask === undefined) return [allowed, false];
  const mask = int32('bitmask', keys.bitmask);
  if (rows > 0 && mask.length % rows !== 0)
    throw invalidValue('bitmask', `of rows * words elements, ${rows} rows`, mask);
  if (allowed === undefined) return [mask, true];
  // Both: the caller's rows, each narrowed by the allowed tokens.
  const words = mask.length / rows;
  return [mask.map((word, i) => word & (allowed[i % words] ?? 0)), true];
}

/** What the addon takes for a batch of rows. */
type RowArguments = Parameters<typeof binding.sample> extends [...infer Rows, number] ? Rows : never;

/** Sampling with fixed settings, checked once: logits are edited, filtered in a chosen order, and drawn from. */
export class SamplingPlan {
  readonly #packed: PackedSampling;
  /** @internal */
  readonly outputs: ReadonlySet<SamplingOutput>;
  readonly #threads: number;

  /** @throws CrossThinkError `ERR_INVALID_ARG_VALUE` naming the option. */
  constructor(options: SamplingOptions = {}) {
    this.#packed = new PackedSampling(options);
    for (const output of options.outputs ?? []) {
      if (!OUTPUTS.includes(output)) throw invalidValue('options.outputs', `from ${OUTPUTS.join(', ')}`, output);
    }
    this.outputs = new Set(options.outputs ?? ['token', 'logprob', 'rawLogprob']);
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
    const lists = (field: string, option: TokenListOption | undefined) => {
      const { tokens, offsets } = packedLists(field, option, rows);
      return [tokens, offsets] as const;
    };
    const settings = Float64Array.of(
      ...[p.temperature.scalar, p.topK.scalar, p.topP.scalar, p.minP.scalar, p.typicalP.scalar, p.topNSigma.scalar],
      ...[
        p.xtc.scalar,
        options.xtc?.threshold ?? 0,
        options.topPRule === 'upTo' ? 1 : 0,
        options.method === 'gumbel' ? 1 : 0,
      ],
      ...[options.softcap ?? 0, p.minTokens.scalar, p.repetition.scalar, p.presence.scalar, p.frequency.scalar],
      ...[p.noRepeatNgram.scalar, sample],
    );
    const has = (output: SamplingOutput): boolean => this.outputs.has(output);
    const status = new Uint8Array(rows);
    const tokens = new Int32Array(rows * samples);
    const logprobs = has('logprob') ? new Float32Array(rows * samples) : undefined;
    const rawLogprobs = has('rawLogprob') ? new Float32Array(rows * samples) : undefined;
    const ranks = has('rank') ? new Int32Array(rows * samples) : undefined;
    const entropy = has('entropy') ? new Float32Array(rows) : undefined;
    const supportMass = has('supportMass') ? new Float32Array(rows) : undefined;
    const top = packed.topLogprobs;
    const topLogprobs = { tokens: new Int32Array(rows * top), logprobs: new Float32Array(rows * top) };
    const [chosen, chosenOffsets] = lists('options.logprobTokens', options.logprobTokens);
    const chosenLogprobs =
      chosen && new Float32Array(chosenOffsets === undefined ? rows * chosen.length : chosen.length);
    const kept = has('keptSet') ? binding.newKeptSets() : undefined;
    const rowsCall: RowArguments = [
      ...([x.data, floatTypeCode(x.type), x.rows, x.vocab, x.stride, settings] as const),
      ...([p.temperature.values, p.topK.values, p.topP.values, p.minP.values, p.typicalP.values] as const),
      ...([p.topNSigma.values, p.xtc.values, packed.steps] as const),
      ...bitmaskOf(keys, packed.allowed, rows),
      ...lists('options.bannedTokens', options.bannedTokens),
      ...lists('options.stopTokens', options.stopTokens),
      p.minTokens.values,
      ...([packed.biasTokens, undefined, packed.bias] as const),
      ...lists('history.prompt', keys.history?.prompt),
      ...lists('history.output', keys.history?.output),
      ...([p.repetition.values, p.presence.values, p.frequency.values, p.noRepeatNgram.values, packed.dry] as const),
      ...lists('options.dry.breakers', options.dry?.breakers),
      ...([seedArray(keys.seed), sequenceArray(keys.sequences, rows), positions, samples] as const),
      ...([status, tokens, logprobs, rawLogprobs, ranks, entropy, supportMass] as const),
      ...([top, topLogprobs.tokens, topLogprobs.logprobs, chosen, chosenOffsets, chosenLogprobs, kept] as const),
    ];
    const call: Parameters<typeof binding.sample> = [...rowsCall, this.#threads];
    const result = (): SampledTokens => ({
      tokens,
      status,
      ...(logprobs && { logprobs }),
      ...(rawLogprobs && { rawLogprobs }),
      ...(ranks && { ranks }),
      ...(entropy && { entropy }),
      ...(supportMass && { supportMass }),
      ...(top > 0 && { topLogprobs }),
      ...(chosenLogprobs && { chosenLogprobs }),
      ...(kept && { keptSet: readKeptSet(kept, rows) }),
    });
    return { call, rowsCall, result };
  }

  /** @internal */
  get options(): SamplingOptions {
    return this.#packed.options;
  }

  #kernels(): RowKernels {
    const { options } = this.#packed;
    const kernels = kernelsOn(options.device);
    if (kernels !== binding) requireCudaSampling(options);
    return kernels;
  }

  /**
   * Draws from each row.
   *
   * @param logits `[rows, vocab]`, rows = `keys.positions.length`.
   * @throws CrossThinkError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`; bad rows are not errors, see `status`.
   */
  sample(logits: LogitsArray, keys: SamplingKeys): SampledTokens {
    const { call, result } = this.prepare(logits, keys);
    this.#kernels().sample(...call);
    return result();
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
    const { signal } = keys;
    signal?.throwIfAborted();
    const { call, result } = this.prepare(logits, keys);
    const kernels = this.#kernels();
    if (kernels !== binding) {
      kernels.sample(...call); // A GPU's work is over in microseconds: not worth a thread.
      return result();
    }
    await cancellable('sampleAsync', signal, (flag) => binding.sampleAsync(...call, flag));
    return result();
  }
}

function readKeptSet(kept: object, rows: number): { tokens: Int32Array; offsets: Int32Array } {
  const offsets = new Int32Array(rows + 1);
  const tokens = new Int32Array(rows === 0 ? 0 : binding.keptOffsets(kept, offsets));
  binding.keptTokens(kept, tokens);
  return { tokens, offsets };
}
