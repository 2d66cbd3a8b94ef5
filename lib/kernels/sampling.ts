import binding = require('#binding');

import { invalidType, invalidValue } from '../errors.js';
import { int32, threadCount } from './arguments.js';
import { cancellable } from './cancel.js';
import { kernelsOn, type RowKernels } from './device/backend.js';
import { requireCudaSampling } from './device/samplingSupport.js';
import { checkLogits, floatTypeCode, type LogitsArray, type LogitsShape } from './logits.js';
import { samplingCall, type HostArrays, type HostRowArguments } from './samplingCall.js';
import { PackedSampling, type SamplingOptions, type SamplingOutput, type TokenListOption } from './samplingOptions.js';

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

/** Ids as 64-bit numbers. */
export function sequenceArray(sequences: unknown, rows: number): BigUint64Array {
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

const newArrays: { [K in keyof HostArrays]: (length: number) => HostArrays[K] } = {
  int32: (length: number) => new Int32Array(length),
  float32: (length: number) => new Float32Array(length),
  uint8: (length: number) => new Uint8Array(length),
};

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
    const kept = this.outputs.has('keptSet') ? binding.newKeptSets() : undefined;
    const sequences = sequenceArray(keys.sequences, rows);
    const bitmask = keys.bitmask && int32('bitmask', keys.bitmask);
    const { args, outputs } = samplingCall<HostArrays, ArrayBufferView>(
      this.#packed,
      this.outputs,
      { ...x, type: floatTypeCode(x.type) },
      { ...keys, sequences, positions, bitmask },
      (_, dtype, length) => newArrays[dtype](length),
      kept,
    );
    // Host arrays throughout, as they were checked and made.
    const rowsCall = args as HostRowArguments;
    const call: Parameters<typeof binding.sample> = [...rowsCall, this.#threads];
    const result = (): SampledTokens => ({ ...outputs, ...(kept && { keptSet: readKeptSet(kept, rows) }) });
    return { call, rowsCall, result };
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
