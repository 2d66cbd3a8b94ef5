import binding = require('#binding');

import { float32, float64, floatParameter, int32, requireInteger, threadCount, uint8 } from './arguments.js';
import { cancellable } from './cancel.js';
import { checkLinear, type LinearOptions, type LinearProduct } from './linearProduct.js';
import { type LogitsArray } from './logits.js';
import { type TokenLogprobs } from './logprob.js';

const STATE_SIZE = 3;
const DEFAULT_WORKSPACE = 64 * 2 ** 20;

const isTemperature = (x: number): boolean => x > 0 && Number.isFinite(x);

export interface LinearLogprobsOptions extends LinearOptions {
  /** Softmax temperature: one for all rows, or one per row; default 1. */
  readonly temperature?: number | Float32Array | undefined;
  /** Also compute the entropy of each row; default true. */
  readonly entropy?: boolean | undefined;
  /**
   * Bytes of intermediate results, default 64 MiB, at least what one block of 32 rows takes (docs/linear.md). The result
   * never depends on it.
   */
  readonly workspaceBytes?: number | undefined;
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

interface Abortable {
  /** Stops the work between two tiles. */
  readonly signal?: AbortSignal | undefined;
}

/** The operands in the order of native/addon/linear.cpp. */
function operands(x: LinearProduct) {
  const { typeCode, rows, vocab, depth, hiddenStride, hidden, weightStride, weight, bias } = x;
  return [typeCode, rows, vocab, depth, hiddenStride, hidden, weightStride, weight, bias] as const;
}

function prepareLogprobs(
  hidden: LogitsArray,
  weight: LogitsArray,
  tokens: Int32Array,
  options: LinearLogprobsOptions,
): { call: Parameters<typeof binding.linearForward>; result: TokenLogprobs } {
  const rows = int32('tokens', tokens).length;
  const x = checkLinear(hidden, weight, rows, options);
  const { out = {} } = options;
  const logprob = float32('options.out.logprob', out.logprob ?? new Float32Array(rows), rows);
  const logsumexp = float32('options.out.logsumexp', out.logsumexp ?? new Float32Array(rows), rows);
  const state = float64('options.out.state', out.state ?? new Float64Array(rows * STATE_SIZE), rows * STATE_SIZE);
  const status = uint8('options.out.status', out.status ?? new Uint8Array(rows), rows);
  const wanted = options.entropy ?? true;
  const entropy = wanted ? float32('options.out.entropy', out.entropy ?? new Float32Array(rows), rows) : undefined;
  const temperature = floatParameter(
    'options.temperature',
    options.temperature,
    1,
    rows,
    'a finite number > 0',
    isTemperature,
  );
  const workspace = requireInteger('options.workspaceBytes', options.workspaceBytes ?? DEFAULT_WORKSPACE, 0);
  const call: Parameters<typeof binding.linearForward> = [
    ...operands(x),
    ...([tokens, temperature.scalar, temperature.values, workspace] as const),
    ...([status, logprob, logsumexp, state, entropy] as const),
    threadCount('options.threads', options.threads),
  ];
  return { call, result: { logprob, logsumexp, state, status, ...(entropy === undefined ? {} : { entropy }) } };
}

/**
 * Log-probability of one token per row of `logits = hidden weightᵀ + bias`, with entropy and log-sum-exp, without ever
 * storing the logits: the same bits as `tokenLogprobs(linearLogits(hidden, weight), tokens)`.
 *
 * @param hidden `[rows, hiddenSize]`, float32 or bfloat16.
 * @param weight `[vocab, hiddenSize]` of the same type: the rows of a language model's head (or its tied embedding).
 * @param tokens `[rows]`, the token of each row.
 * @throws CrossThinkError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for arguments that do not fit together. Bad
 * values inside rows are not errors: see `status`.
 */
export function linearLogprobs(
  hidden: LogitsArray,
  weight: LogitsArray,
  tokens: Int32Array,
  options: LinearLogprobsOptions = {},
): TokenLogprobs {
  const { call, result } = prepareLogprobs(hidden, weight, tokens, options);
  binding.linearForward(...call);
  return result;
}

/**
 * {@link linearLogprobs} on the worker pool. The arrays must not be changed, transferred or detached until the promise
 * settles.
 *
 * @throws the `signal`'s reason where it was aborted before the end.
 */
export async function linearLogprobsAsync(
  hidden: LogitsArray,
  weight: LogitsArray,
  tokens: Int32Array,
  options: LinearLogprobsOptions & Abortable = {},
): Promise<TokenLogprobs> {
  const { call, result } = prepareLogprobs(hidden, weight, tokens, options);
  await cancellable('linearLogprobsAsync', options.signal, (flag) => binding.linearForwardAsync(...call, flag));
  return result;
}

export interface LinearLogitsOptions extends LinearOptions {
  /** Number of rows of `hidden`; default `hidden.length / hiddenStride`. */
  readonly rows?: number | undefined;
  /** `[rows, vocab]` to write into. */
  readonly out?: Float32Array | undefined;
}

function prepareLogits(
  hidden: LogitsArray,
  weight: LogitsArray,
  options: LinearLogitsOptions,
): { call: Parameters<typeof binding.linearLogits>; logits: Float32Array } {
  const x = checkLinear(hidden, weight, options.rows, options);
  const length = x.rows * x.vocab;
  const logits = float32('options.out', options.out ?? new Float32Array(length), length);
  return { call: [...operands(x), logits, threadCount('options.threads', options.threads)], logits };
}

/**
 * `hidden weightᵀ + bias`, `[rows, vocab]` in float32: the logits of a decoding step, for a SamplingPlan. Up to 8 rows the
 * weights are read once, at the speed of memory.
 *
 * @throws CrossThinkError as {@link linearLogprobs}.
 */
export function linearLogits(
  hidden: LogitsArray,
  weight: LogitsArray,
  options: LinearLogitsOptions = {},
): Float32Array {
  const { call, logits } = prepareLogits(hidden, weight, options);
  binding.linearLogits(...call);
  return logits;
}

/** {@link linearLogits} on the worker pool, as {@link linearLogprobsAsync}. */
export async function linearLogitsAsync(
  hidden: LogitsArray,
  weight: LogitsArray,
  options: LinearLogitsOptions & Abortable = {},
): Promise<Float32Array> {
  const { call, logits } = prepareLogits(hidden, weight, options);
  await cancellable('linearLogitsAsync', options.signal, (flag) => binding.linearLogitsAsync(...call, flag));
  return logits;
}
