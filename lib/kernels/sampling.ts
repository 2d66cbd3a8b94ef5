import binding = require('#binding');

import { CrossThinkError, invalidType, invalidValue } from '../errors.js';
import { floatParameter, int32, integerParameter, requireInteger, threadCount } from './arguments.js';
import { checkLogits, floatTypeCode, type LogitsArray, type LogitsShape } from './logits.js';

/** What a call returns beside the tokens and their status. */
export type SamplingOutput = 'token' | 'logprob' | 'rawLogprob';

const OUTPUTS: readonly SamplingOutput[] = ['token', 'logprob', 'rawLogprob'];

export interface SamplingOptions {
  /** Softmax temperature, one for all rows or one per row; 0 is greedy (the largest logit, ties to the lowest id). Default 1. */
  readonly temperature?: number | Float32Array | undefined;
  /** Keep the k largest logits; 0 (the default) is off. */
  readonly topK?: number | Int32Array | undefined;
  /**
   * Keep the smallest set of most probable tokens that holds at least this much of the mass: a token stays while the mass
   * in front of it is below `topP`. In (0, 1]; 1 (the default) is off.
   */
  readonly topP?: number | Float32Array | undefined;
  /** What to return; default all. */
  readonly outputs?: readonly SamplingOutput[] | undefined;
  /** Most threads to use; default: the whole pool. The result never depends on it. */
  readonly threads?: number | undefined;
}

/** What identifies a draw: equal keys and equal logits give equal tokens, wherever the row stands in a batch. */
export interface SamplingKeys extends LogitsShape {
  /** Any integer in [0, 2^64). */
  readonly seed: number | bigint;
  /** One id per row: which sequence it continues. */
  readonly sequences: Int32Array | Uint32Array | BigInt64Array | BigUint64Array;
  /** One per row: the position of the token in its sequence. */
  readonly positions: Int32Array;
  /** Which of several samples from the same position; default 0, below 2^24. */
  readonly sample?: number | undefined;
}

export interface SampledTokens {
  /** -1 where the row has no distribution to sample from; `status` says why. */
  readonly tokens: Int32Array;
  /** Log-prob under the distribution that was sampled: after temperature and filters, re-normalised. Greedy: 0. */
  readonly logprobs?: Float32Array;
  /** Log-prob under softmax(logits): no temperature, no filters. */
  readonly rawLogprobs?: Float32Array;
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

/** Sampling with fixed settings, checked once: temperature, then top-k, then top-p. */
export class SamplingPlan {
  readonly #options: SamplingOptions;
  readonly #outputs: ReadonlySet<SamplingOutput>;

  /** @throws CrossThinkError `ERR_INVALID_ARG_VALUE` naming the option. */
  constructor(options: SamplingOptions = {}) {
    this.#options = options;
    for (const output of options.outputs ?? []) {
      if (!OUTPUTS.includes(output)) throw invalidValue('options.outputs', `from ${OUTPUTS.join(', ')}`, output);
    }
    this.#outputs = new Set(options.outputs ?? OUTPUTS);
    this.#settings(null);
    threadCount('options.threads', options.threads);
  }

  /** Scalars are checked by the constructor (`rows` null), arrays with each call, when the number of rows is known. */
  #settings(rows: number | null) {
    const { temperature, topK, topP } = this.#options;
    const known = <T>(value: number | T | undefined) =>
      rows === null && typeof value === 'object' ? undefined : value;
    const t = floatParameter(
      'options.temperature',
      known(temperature),
      1,
      rows ?? 0,
      'a finite number >= 0',
      (x) => x >= 0 && Number.isFinite(x),
    );
    const k = integerParameter('options.topK', known(topK), 0, rows ?? 0, 0);
    const p = floatParameter('options.topP', known(topP), 1, rows ?? 0, 'in (0, 1]', (x) => x > 0 && x <= 1);
    return { t, k, p };
  }

  #prepare(logits: LogitsArray, keys: SamplingKeys) {
    const positions = int32('positions', keys.positions);
    const rows = positions.length;
    const x = checkLogits('logits', logits, rows, keys);
    const { t, k, p } = this.#settings(rows);
    const tokens = new Int32Array(rows);
    const status = new Uint8Array(rows);
    const logprobs = this.#outputs.has('logprob') ? new Float32Array(rows) : undefined;
    const rawLogprobs = this.#outputs.has('rawLogprob') ? new Float32Array(rows) : undefined;
    const sample = requireInteger('sample', keys.sample ?? 0, 0, 2 ** 24 - 1);
    const call: Parameters<typeof binding.sample> = [
      ...([x.data, floatTypeCode(x.type), x.rows, x.vocab, x.stride] as const),
      ...([Float64Array.of(t.scalar, k.scalar, p.scalar), t.values, k.values, p.values] as const),
      ...([seedArray(keys.seed), sequenceArray(keys.sequences, rows), positions, sample] as const),
      ...([threadCount('options.threads', this.#options.threads), status, tokens, logprobs, rawLogprobs] as const),
    ];
    const result: SampledTokens = {
      tokens,
      status,
      ...(logprobs === undefined ? {} : { logprobs }),
      ...(rawLogprobs === undefined ? {} : { rawLogprobs }),
    };
    return { call, result };
  }

  /**
   * One token per row.
   *
   * @param logits `[rows, vocab]`, rows = `keys.positions.length`.
   * @throws CrossThinkError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`; bad rows are not errors, see `status`.
   */
  sample(logits: LogitsArray, keys: SamplingKeys): SampledTokens {
    const { call, result } = this.#prepare(logits, keys);
    binding.sample(...call);
    return result;
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
    const { call, result } = this.#prepare(logits, keys);
    const cancel = new Int32Array(new SharedArrayBuffer(4));
    const abort = (): void => {
      Atomics.store(cancel, 0, 1);
    };
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const finished = await binding.sampleAsync(...call, cancel);
      if (!finished) {
        signal?.throwIfAborted();
        throw new CrossThinkError('ERR_NATIVE', 'sampleAsync was stopped: its environment is shutting down');
      }
      return result;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }
}
