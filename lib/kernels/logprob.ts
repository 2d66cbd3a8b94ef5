import { invalidValue } from '../errors.js';
import { type Device } from '../native/device.js';
import { allApart, float32, float64, floatParameter, int32, requireInteger, threadCount, uint8 } from './arguments.js';
import { bindCall } from './bound.js';
import { runAsync, type Abortable } from './cancel.js';
import { gpuOf, kernelsOn } from './device/backend.js';
import { withCall } from './device/call.js';
import { callMerge } from './device/merge.js';
import { bound, host, newFloat32, newFloat64, newInt32, newUint8, run } from './host.js';
import {
  checkLogits,
  floatTypeCode,
  type FloatType,
  type Logits,
  type LogitsArray,
  type LogitsShape,
} from './logits.js';
import { checkScalars, MOST_TOP, STATE_SIZE, type LogprobScalars } from './logprobOptions.js';
import { packedLists } from './samplingOptions.js';

/** Bytes of output from which non-temporal stores pay: several times a typical last-level cache share. */
const STREAM_BYTES = 16 * 2 ** 20;

export interface LogprobOptions extends LogitsShape, LogprobScalars {
  /** Softmax temperature: one for all rows, or one per row; default 1. */
  readonly temperature?: number | Float32Array | undefined;
  /**
   * Re-normalise over these columns of each row, as `SamplingPlan` returns them (ascending, packed by `rows + 1` offsets);
   * an empty list is the whole row. A target outside of its set has status `targetOutOfRange`.
   */
  readonly keptSet?: { readonly tokens: Int32Array; readonly offsets: Int32Array } | undefined;
  /** Most threads to use; default: the whole pool. The result never depends on it. */
  readonly threads?: number | undefined;
  /** Where to compute; default `'cpu'`. On a GPU the arrays are copied there and back: the bits are the same. */
  readonly device?: Device | undefined;
}

/** What to return of each row beside its log-prob, and where to. */
export interface RowOutputOptions {
  /** Also compute the entropy of each row; default true. Free from main memory, about 15 % in the cache. */
  readonly entropy?: boolean | undefined;
  /** Also compute the sum of squared probabilities; default false. */
  readonly sumSquares?: boolean | undefined;
  /** Arrays to write into, of one element per row (`state`: five). */
  readonly out?:
    | {
        readonly logprob?: Float32Array;
        readonly entropy?: Float32Array;
        readonly logsumexp?: Float32Array;
        readonly sumSquares?: Float32Array;
        readonly state?: Float64Array;
        readonly status?: Uint8Array;
      }
    | undefined;
}

export interface TokenLogprobsOptions extends LogprobOptions, RowOutputOptions {
  /** Also return the tokens of largest log-prob of each row, this many (at most 4096); default none. */
  readonly topK?: number | undefined;
  /** Also return the log-probs of these tokens, `[rows, k]`, e.g. a teacher's `topTokens`; default none. */
  readonly candidates?: Int32Array | undefined;
}

export interface TokenLogprobs {
  /** ln softmax(logits / temperature)[token]; -inf for a masked target, NaN for a row that is not `ok`. */
  readonly logprob: Float32Array;
  /** Entropy in nats, where asked for. */
  readonly entropy?: Float32Array;
  /** ln sum exp(logits / temperature). */
  readonly logsumexp: Float32Array;
  /** sum p^2, where asked for (the optimal token baseline needs it). */
  readonly sumSquares?: Float32Array;
  /** `[rows, topK]`: token ids in descending order of log-prob, ties to the lowest id; -1 where a row has fewer unmasked. */
  readonly topTokens?: Int32Array;
  /** `[rows, topK]`: their log-probs; NaN where there is none. */
  readonly topLogprobs?: Float32Array;
  /** `[rows, k]`: the log-probs of `candidates`; NaN for ids outside of the row. */
  readonly candidateLogprobs?: Float32Array;
  /**
   * Per row, for the backward pass and {@link mergeLogprobs}: reference M, S = sum 2^(z - M), E = sum 2^(z - M) (z - M),
   * Q = sum 4^(z - M) and the target's z - M, with z = logits log2(e) / temperature.
   */
  readonly state: Float64Array;
  /** Per row a code of `rowStatus`. */
  readonly status: Uint8Array;
}

const isTemperature = (x: number): boolean => x > 0 && Number.isFinite(x);

/** The arguments that both directions begin with; by index, because a spread of them costs 50 to 100 ns. */
export function logprobArguments(x: Logits, tokens: Int32Array, options: LogprobOptions) {
  const { temperature, keptSet } = options;
  const t = floatParameter('options.temperature', temperature, 1, x.rows, 'a finite number > 0', isTemperature);
  const { softcap, ignoreIndex, vocabOffset } = checkScalars(options);
  const kept = packedLists('options.keptSet', keptSet, x.rows);
  if (kept.tokens !== undefined && kept.offsets !== undefined) checkColumns(kept.tokens, kept.offsets, x.vocab);
  // Without spreads, which cost more than the checks.
  // prettier-ignore
  return [
    x.data, floatTypeCode(x.type), x.rows, x.vocab, x.stride, tokens, t.scalar, t.values,
    softcap, ignoreIndex, vocabOffset, kept.tokens, kept.offsets, threadCount('options.threads', options.threads),
  ] as const;
}

function checkColumns(columns: Int32Array, offsets: Int32Array, vocab: number): void {
  for (let row = 0; row + 1 < offsets.length; row++) {
    let previous = -1;
    for (let i = offsets[row] ?? 0; i < (offsets[row + 1] ?? 0); i++) {
      const column = columns[i] ?? -1;
      if (column <= previous || column >= vocab) {
        throw invalidValue(`options.keptSet.tokens[${i}]`, `ascending within its row and in [0, ${vocab})`, column);
      }
      previous = column;
    }
  }
}

/** What {@link TokenLogprobsOptions} asks for of several tokens a row. */
function manyPerRow(rows: number, options: TokenLogprobsOptions) {
  const { topK, candidates } = options;
  const k = topK === undefined ? 0 : requireInteger('options.topK', topK, 1, MOST_TOP);
  const listed = candidates === undefined ? 0 : int32('options.candidates', candidates).length;
  if (rows === 0 ? listed !== 0 : listed % rows !== 0) {
    throw invalidValue('options.candidates', `of rows * k elements, ${rows} rows`, candidates);
  }
  return {
    k,
    topTokens: topK === undefined ? undefined : newInt32(rows * k),
    topLogprobs: topK === undefined ? undefined : newFloat32(rows * k),
    perRow: rows === 0 ? 0 : listed / rows,
    candidateLogprobs: candidates === undefined ? undefined : newFloat32(listed),
  };
}

/** Arrays for the results of a row, given or new. */
export function rowOutputs(rows: number, options: RowOutputOptions) {
  const { out = {} } = options;
  const floats = (field: string, array: Float32Array | undefined): Float32Array =>
    float32(field, array ?? newFloat32(rows), rows);
  return {
    logprob: floats('options.out.logprob', out.logprob),
    logsumexp: floats('options.out.logsumexp', out.logsumexp),
    state: float64('options.out.state', out.state ?? newFloat64(rows * STATE_SIZE), rows * STATE_SIZE),
    status: uint8('options.out.status', out.status ?? newUint8(rows), rows),
    entropy: (options.entropy ?? true) ? floats('options.out.entropy', out.entropy) : undefined,
    sumSquares: (options.sumSquares ?? false) ? floats('options.out.sumSquares', out.sumSquares) : undefined,
  };
}

export type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Without the results that nobody asked for. */
export function rowResults({ logprob, logsumexp, state, status, entropy, sumSquares }: ReturnType<typeof rowOutputs>) {
  const results: Writable<TokenLogprobs> = { logprob, logsumexp, state, status };
  if (entropy) results.entropy = entropy;
  if (sumSquares) results.sumSquares = sumSquares;
  return results;
}

/** The arguments of the native forward pass, checked, and the results it writes. */
function prepareForward(logits: LogitsArray, tokens: Int32Array, options: TokenLogprobsOptions) {
  const rows = int32('tokens', tokens).length;
  const x = checkLogits('logits', logits, rows, options);
  const { out, keptSet } = options;
  if (out !== undefined) allApart('options.out', out, [tokens, keptSet?.tokens, keptSet?.offsets]);
  const row = rowOutputs(rows, options);
  const many = manyPerRow(rows, options);
  const a = logprobArguments(x, tokens, options);
  // prettier-ignore
  const call: Parameters<typeof host.logprobForward> = [
    a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13],
    row.status, row.logprob, row.logsumexp, row.state, row.entropy, row.sumSquares,
    many.k, many.topTokens, many.topLogprobs, many.perRow, options.candidates, many.candidateLogprobs,
  ];
  const results = rowResults(row);
  if (many.topTokens) results.topTokens = many.topTokens;
  if (many.topLogprobs) results.topLogprobs = many.topLogprobs;
  if (many.candidateLogprobs) results.candidateLogprobs = many.candidateLogprobs;
  return { call, result: (): TokenLogprobs => results };
}

/**
 * Log-probability of one token per row, with entropy and log-sum-exp, in one read of the logits.
 *
 * @param logits `[rows, vocab]`, see {@link LogitsShape}.
 * @param tokens `[rows]`, the token of each row.
 * @throws CrossThinkError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for arguments that do not fit together. Bad
 * values inside rows are not errors: see `status`.
 */
export function tokenLogprobs(
  logits: LogitsArray,
  tokens: Int32Array,
  options: TokenLogprobsOptions = {},
): TokenLogprobs {
  const { call, result } = prepareForward(logits, tokens, options);
  run(kernelsOn(options.device).logprobForward, call);
  return result();
}

/**
 * {@link tokenLogprobs} on the worker pool. The arrays must not be changed, transferred or detached until the promise settles.
 *
 * @throws the `signal`'s reason where it was aborted before the last row.
 */
export async function tokenLogprobsAsync(
  logits: LogitsArray,
  tokens: Int32Array,
  options: TokenLogprobsOptions & Abortable = {},
): Promise<TokenLogprobs> {
  const prepare = () => prepareForward(logits, tokens, options);
  return runAsync('tokenLogprobsAsync', options.signal, kernelsOn(options.device).logprobForward, prepare);
}

/**
 * {@link tokenLogprobs} for a loop over the same arrays: arguments are checked once, and what comes back computes from
 * what `logits`, `tokens` and `options.candidates` then hold, overwrites and returns the same results. Other arrays of the
 * options are copied.
 *
 * @returns Throws `ERR_INVALID_ARG_VALUE` where the buffer of an array was transferred or shrunk.
 */
export function bindTokenLogprobs(
  logits: LogitsArray,
  tokens: Int32Array,
  options: TokenLogprobsOptions = {},
): () => TokenLogprobs {
  requireHost(options);
  const { call, result } = prepareForward(logits, tokens, options);
  const results = result();
  const live = { logits, tokens, candidates: options.candidates, ...results };
  const run = bindCall(bound.logprobForward, call, live);
  return () => {
    run();
    return results;
  };
}

function requireHost({ device }: LogprobOptions): void {
  if (kernelsOn(device) !== host) throw invalidValue('options.device', "'cpu' to bind", device);
}

/** Results of {@link mergeLogprobs}. */
export type MergedLogprobs = Required<
  Pick<TokenLogprobs, 'logprob' | 'logsumexp' | 'entropy' | 'sumSquares' | 'state' | 'status'>
>;

/**
 * Joins the states of vocabulary shards (`vocabOffset`), e.g. of tensor-parallel ranks, into the results of the whole
 * rows. The same bits for the same shards in the same order.
 *
 * @param states `state` of each shard's {@link tokenLogprobs}, in the order of the shards. Entropy and sum of squares are
 * NaN where a shard was computed without.
 * @param options `device`: where to compute; default `'cpu'`.
 * @returns With the `state` for {@link logprobBackward} of every shard. A target that no shard has counts as masked.
 * @throws CrossThinkError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for states that do not fit together.
 */
export function mergeLogprobs(
  states: readonly Float64Array[],
  options: Pick<LogprobOptions, 'device'> = {},
): MergedLogprobs {
  const length = states[0]?.length ?? 0;
  states.forEach((state, i) => float64(`states[${i}]`, state, length));
  if (length % STATE_SIZE !== 0) throw invalidValue('states[0]', `of rows * ${STATE_SIZE} elements`, states[0]);
  const rows = length / STATE_SIZE;
  const all = new Float64Array(states.length * length);
  states.forEach((state, i) => {
    all.set(state, i * length);
  });
  const row = (): Float32Array => newFloat32(rows);
  const [logprob, logsumexp, entropy, sumSquares] = [row(), row(), row(), row()];
  const [state, status] = [newFloat64(length), newUint8(rows)];
  const results = { logprob, logsumexp, entropy, sumSquares, state, status };
  const gpu = gpuOf(options.device);
  if (gpu === null) {
    host.logprobMerge(all, states.length, rows, status, logprob, logsumexp, state, entropy, sumSquares);
  } else {
    withCall(gpu, undefined, (call) => {
      callMerge<ArrayBufferView>(call, all, states.length, rows, results);
    });
  }
  return results;
}

export interface LogprobGradients {
  /** dL/dlogprob, one per row. */
  readonly dLogprob: Float32Array;
  /** dL/dentropy, one per row; default none. */
  readonly dEntropy?: Float32Array | undefined;
  /** `state` of the forward pass with the same options; computed again (one more read) where absent. */
  readonly state?: Float64Array | undefined;
}

export interface LogprobBackwardOptions extends LogprobOptions {
  /** Where to write; may be `logits` itself. Default: a new array like `logits`. */
  readonly out?: LogitsArray | undefined;
  /** Element type of `out` where it is not that of the logits: only 'float32'. */
  readonly outDtype?: FloatType | undefined;
}

/** Where a gradient goes: checked, or new. Whether it pays to write it past the caches. */
export function gradientOutput(x: Logits, options: LogprobBackwardOptions): Logits & { readonly streamed: boolean } {
  const type = options.outDtype ?? (options.out instanceof Float32Array ? 'float32' : x.type);
  if (type !== 'float32' && type !== x.type) {
    throw invalidValue('options.outDtype', `'float32' or the type of the logits, '${x.type}'`, type);
  }
  const { rows, vocab, stride } = x;
  const length = rows === 0 ? 0 : (rows - 1) * stride + vocab;
  const given = options.out;
  const data = given ?? (type === 'float32' ? newFloat32(length) : new Uint16Array(length));
  if (given !== undefined) {
    checkLogits('options.out', given, rows, { vocab, stride, dtype: type === 'float32' ? undefined : type });
  }
  const large = type === 'float32' && data.byteLength >= STREAM_BYTES;
  return { data, type, rows, vocab, stride, streamed: large && data.buffer !== x.data.buffer };
}

/** The arguments of the native backward pass, checked, and where the gradient goes. */
function prepareBackward(
  logits: LogitsArray,
  tokens: Int32Array,
  gradients: LogprobGradients,
  options: LogprobBackwardOptions,
) {
  const rows = int32('tokens', tokens).length;
  const x = checkLogits('logits', logits, rows, options);
  const dLogprob = float32('gradients.dLogprob', gradients.dLogprob, rows);
  const dEntropy =
    gradients.dEntropy === undefined ? undefined : float32('gradients.dEntropy', gradients.dEntropy, rows);
  const state =
    gradients.state === undefined
      ? tokenLogprobs(logits, tokens, { ...options, out: undefined, entropy: dEntropy !== undefined }).state
      : float64('gradients.state', gradients.state, rows * STATE_SIZE);
  const d = gradientOutput(x, options);
  const a = logprobArguments(x, tokens, options);
  // prettier-ignore
  const call: Parameters<typeof host.logprobBackward> = [
    a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13],
    state, dLogprob, dEntropy, floatTypeCode(d.type), d.stride, d.data, d.streamed,
  ];
  return { call, result: (): LogitsArray => d.data };
}

/**
 * Gradient of the log-probs (and entropies) to the logits:
 * `(1/T) [ dLogprob (1{j = token} - p_j) - dEntropy p_j (ln p_j + H) ]`.
 *
 * With `softcap` and `keptSet` the derivative goes through them: columns outside of a kept set get 0. Rows whose forward
 * status is not `ok` get zeros: one bad row cannot poison a batch. Masked (-inf) logits get exactly 0.
 *
 * @returns `[rows, vocab]` with the stride of the logits.
 * @throws CrossThinkError as {@link tokenLogprobs}.
 */
export function logprobBackward(
  logits: LogitsArray,
  tokens: Int32Array,
  gradients: LogprobGradients,
  options: LogprobBackwardOptions = {},
): LogitsArray {
  const { call, result } = prepareBackward(logits, tokens, gradients, options);
  run(kernelsOn(options.device).logprobBackward, call);
  return result();
}

/**
 * {@link logprobBackward} on the worker pool, as {@link tokenLogprobsAsync}. Where it was aborted, `out` holds part of the result.
 * Pass `gradients.state`: where it is absent, it is computed before the promise is returned.
 */
export async function logprobBackwardAsync(
  logits: LogitsArray,
  tokens: Int32Array,
  gradients: LogprobGradients,
  options: LogprobBackwardOptions & Abortable = {},
): Promise<LogitsArray> {
  const prepare = () => prepareBackward(logits, tokens, gradients, options);
  return runAsync('logprobBackwardAsync', options.signal, kernelsOn(options.device).logprobBackward, prepare);
}

/**
 * {@link logprobBackward} for a loop over the same arrays, as {@link bindTokenLogprobs}: reads what `logits`, `tokens` and the
 * gradients, `state` among them, then hold.
 *
 * @param gradients With the `state` that the bound forward pass writes.
 */
export function bindLogprobBackward(
  logits: LogitsArray,
  tokens: Int32Array,
  gradients: LogprobGradients & { readonly state: Float64Array },
  options: LogprobBackwardOptions = {},
): () => LogitsArray {
  requireHost(options);
  const state = float64('gradients.state', gradients.state);
  const { call, result } = prepareBackward(logits, tokens, gradients, options);
  const dLogits = result();
  const { dLogprob, dEntropy } = gradients;
  const run = bindCall(bound.logprobBackward, call, { logits, tokens, state, dLogprob, dEntropy, dLogits });
  return () => {
    run();
    return dLogits;
  };
}
