import { invalidValue } from '../errors.js';
import { type Device } from '../native/device.js';
import { float32, float64, floatParameter, int32, threadCount, uint8 } from './arguments.js';
import { kernelsOn } from './device/backend.js';
import {
  checkLogits,
  floatTypeCode,
  type FloatType,
  type Logits,
  type LogitsArray,
  type LogitsShape,
} from './logits.js';

/** Bytes of output from which non-temporal stores pay: several times a typical last-level cache share. */
const STREAM_BYTES = 16 * 2 ** 20;

const STATE_SIZE = 3;

export interface LogprobOptions extends LogitsShape {
  /** Softmax temperature: one for all rows, or one per row; default 1. */
  readonly temperature?: number | Float32Array | undefined;
  /** Most threads to use; default: the whole pool. The result never depends on it. */
  readonly threads?: number | undefined;
  /** Where to compute; default `'cpu'`. On a GPU the arrays are copied there and back: the bits are the same. */
  readonly device?: Device | undefined;
}

export interface TokenLogprobsOptions extends LogprobOptions {
  /** Also compute the entropy of each row; default true. Free from main memory, about 15 % in the cache. */
  readonly entropy?: boolean | undefined;
  /** Arrays to write into, of one element per row (`state`: three). */
  readonly out?:
    | {
        readonly logprob?: Float32Array;
        readonly entropy?: Float32Array;
        readonly logsumexp?: Float32Array;
        readonly state?: Float64Array;
        readonly status?: Uint8Array;
      }
    | undefined;
}

export interface TokenLogprobs {
  /** ln softmax(logits / temperature)[token]; -inf for a masked target, NaN for a row that is not `ok`. */
  readonly logprob: Float32Array;
  /** Entropy in nats, where asked for. */
  readonly entropy?: Float32Array;
  /** ln sum exp(logits / temperature). */
  readonly logsumexp: Float32Array;
  /** Per row: reference M, S = sum 2^(z - M), E = sum 2^(z - M) (z - M), z = logits log2(e) / temperature. For the backward pass. */
  readonly state: Float64Array;
  /** Per row a code of `rowStatus`. */
  readonly status: Uint8Array;
}

const isTemperature = (x: number): boolean => x > 0 && Number.isFinite(x);

function temperatureOf(options: LogprobOptions, rows: number) {
  return floatParameter('options.temperature', options.temperature, 1, rows, 'a finite number > 0', isTemperature);
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
  const rows = int32('tokens', tokens).length;
  const x = checkLogits('logits', logits, rows, options);
  const { out = {} } = options;
  const logprob = float32('options.out.logprob', out.logprob ?? new Float32Array(rows), rows);
  const logsumexp = float32('options.out.logsumexp', out.logsumexp ?? new Float32Array(rows), rows);
  const state = float64('options.out.state', out.state ?? new Float64Array(rows * STATE_SIZE), rows * STATE_SIZE);
  const status = uint8('options.out.status', out.status ?? new Uint8Array(rows), rows);
  const wanted = options.entropy ?? true;
  const entropy = wanted ? float32('options.out.entropy', out.entropy ?? new Float32Array(rows), rows) : undefined;
  const temperature = temperatureOf(options, rows);
  kernelsOn(options.device).logprobForward(
    ...([x.data, floatTypeCode(x.type), x.rows, x.vocab, x.stride] as const),
    ...([tokens, temperature.scalar, temperature.values, threadCount('options.threads', options.threads)] as const),
    ...([status, logprob, logsumexp, state, entropy] as const),
  );
  return { logprob, logsumexp, state, status, ...(entropy === undefined ? {} : { entropy }) };
}

export interface LogprobGradients {
  /** dL/dlogprob, one per row. */
  readonly dLogprob: Float32Array;
  /** dL/dentropy, one per row; default none. */
  readonly dEntropy?: Float32Array | undefined;
  /** `state` of the forward pass with the same logits and temperature; computed again (one more read) where absent. */
  readonly state?: Float64Array | undefined;
}

export interface LogprobBackwardOptions extends LogprobOptions {
  /** Where to write; may be `logits` itself. Default: a new array like `logits`. */
  readonly out?: LogitsArray | undefined;
  /** Element type of `out` where it is not that of the logits: only 'float32'. */
  readonly outDtype?: FloatType | undefined;
}

function outputLike(x: Logits, options: LogprobBackwardOptions): Logits {
  const type = options.outDtype ?? (options.out instanceof Float32Array ? 'float32' : x.type);
  if (type !== 'float32' && type !== x.type) {
    throw invalidValue('options.outDtype', `'float32' or the type of the logits, '${x.type}'`, type);
  }
  const length = x.rows === 0 ? 0 : (x.rows - 1) * x.stride + x.vocab;
  const data = options.out ?? (type === 'float32' ? new Float32Array(length) : new Uint16Array(length));
  const dtype = type === 'float32' ? undefined : type;
  return checkLogits('options.out', data, x.rows, { vocab: x.vocab, stride: x.stride, dtype });
}

/**
 * Gradient of the log-probs (and entropies) to the logits:
 * `(1/T) [ dLogprob (1{j = token} - p_j) - dEntropy p_j (ln p_j + H) ]`.
 *
 * Rows whose forward status is not `ok` get zeros: one bad row cannot poison a batch. Masked (-inf) logits get exactly 0.
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
  const rows = int32('tokens', tokens).length;
  const x = checkLogits('logits', logits, rows, options);
  const dLogprob = float32('gradients.dLogprob', gradients.dLogprob, rows);
  const dEntropy =
    gradients.dEntropy === undefined ? undefined : float32('gradients.dEntropy', gradients.dEntropy, rows);
  const { temperature, threads, device, vocab, stride, dtype } = options;
  const forward = { temperature, threads, device, vocab, stride, dtype, entropy: dEntropy !== undefined };
  const state =
    gradients.state === undefined
      ? tokenLogprobs(logits, tokens, forward).state
      : float64('gradients.state', gradients.state, rows * STATE_SIZE);
  const d = outputLike(x, options);
  const inPlace = d.data.buffer === x.data.buffer;
  const stream = d.type === 'float32' && !inPlace && d.data.byteLength >= STREAM_BYTES;
  const t = temperatureOf(options, rows);
  kernelsOn(options.device).logprobBackward(
    ...([x.data, floatTypeCode(x.type), x.rows, x.vocab, x.stride] as const),
    ...([tokens, t.scalar, t.values, threadCount('options.threads', threads), state, dLogprob, dEntropy] as const),
    ...([d.data, floatTypeCode(d.type), d.stride, stream] as const),
  );
  return d.data;
}
