import binding = require('#binding');

import { apart, float32, float64, floatParameter, int32, requireInteger, threadCount, uint8 } from './arguments.js';
import { cancellable, type Abortable } from './cancel.js';
import { linearKernelsOn } from './device/linear.js';
import { checkLinear, DEFAULT_WORKSPACE, type LinearOptions, type LinearProduct } from './linearProduct.js';
import { type LogitsArray } from './logits.js';
import { type LogprobGradients, type TokenLogprobs } from './logprob.js';
import { checkScalars, STATE_SIZE, type LogprobScalars } from './logprobOptions.js';

const isTemperature = (x: number): boolean => x > 0 && Number.isFinite(x);

interface RowOptions extends LinearOptions, LogprobScalars {
  /** Softmax temperature: one for all rows, or one per row; default 1. */
  readonly temperature?: number | Float32Array | undefined;
  /**
   * Bytes of intermediate results, default 64 MiB, at least what one block of rows takes (docs/linear.md). The result
   * never depends on it.
   */
  readonly workspaceBytes?: number | undefined;
}

export interface LinearLogprobsOptions extends RowOptions {
  /** Also compute the entropy of each row; default true. */
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

/** The operands in the order of native/addon/linear.cpp. */
function operands(x: LinearProduct) {
  const { typeCode, rows, vocab, depth, hiddenStride, hidden, weightStride, weight, bias } = x;
  return [typeCode, rows, vocab, depth, hiddenStride, hidden, weightStride, weight, bias] as const;
}

/** What both directions take of the rows, in the order of native/addon/linear.cpp. */
function rowArguments(tokens: Int32Array, options: RowOptions) {
  const { temperature: t, workspaceBytes = DEFAULT_WORKSPACE } = options;
  const rows = tokens.length;
  const temperature = floatParameter('options.temperature', t, 1, rows, 'a finite number > 0', isTemperature);
  const { softcap, ignoreIndex, vocabOffset } = checkScalars(options);
  const workspace = requireInteger('options.workspaceBytes', workspaceBytes, 0);
  return [tokens, temperature.scalar, temperature.values, softcap, ignoreIndex, vocabOffset, workspace] as const;
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
  const squares = options.sumSquares ?? false;
  const sumSquares = squares
    ? float32('options.out.sumSquares', out.sumSquares ?? new Float32Array(rows), rows)
    : undefined;
  const call: Parameters<typeof binding.linearForward> = [
    ...operands(x),
    ...rowArguments(tokens, options),
    ...([status, logprob, logsumexp, state, entropy, sumSquares] as const),
    threadCount('options.threads', options.threads),
  ];
  const result = { logprob, logsumexp, state, status, ...(entropy && { entropy }), ...(sumSquares && { sumSquares }) };
  return { call, result };
}

/**
 * Log-probability of one token per row of `logits = hidden weightᵀ + bias`, with entropy and log-sum-exp, without ever
 * storing the logits: the same bits as `tokenLogprobs(linearLogits(hidden, weight), tokens)` with the same options.
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
  linearKernelsOn(options.device).linearForward(...call);
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
  const kernels = linearKernelsOn(options.device);
  if (kernels !== binding) {
    options.signal?.throwIfAborted();
    kernels.linearForward(...call);
    return result;
  }
  await cancellable('linearLogprobsAsync', options.signal, (flag) => binding.linearForwardAsync(...call, flag));
  return result;
}

export interface LinearBackwardOptions extends RowOptions {
  /** Which gradients to compute, and where to; default: all (`dBias` where there is a bias), into new arrays. */
  readonly out?:
    | {
        /** `[rows, hiddenSize]`, float32, without gaps. */
        readonly dHidden?: Float32Array | boolean | undefined;
        /** `[vocab, hiddenSize]`, float32, without gaps. */
        readonly dWeight?: Float32Array | boolean | undefined;
        /** `[vocab]` */
        readonly dBias?: Float32Array | boolean | undefined;
      }
    | undefined;
  /** Add to what the arrays of `out` hold, default false: gradients of micro-batches. */
  readonly accumulate?: boolean | undefined;
}

export interface LinearGradients {
  readonly dHidden?: Float32Array;
  readonly dWeight?: Float32Array;
  readonly dBias?: Float32Array;
}

function gradientArray(field: string, wanted: Float32Array | boolean | undefined, fallback: boolean, length: number) {
  if (wanted === false || (wanted === undefined && !fallback)) return undefined;
  return float32(field, typeof wanted === 'object' ? wanted : new Float32Array(length), length);
}

function prepareBackward(
  hidden: LogitsArray,
  weight: LogitsArray,
  tokens: Int32Array,
  gradients: LogprobGradients,
  options: LinearBackwardOptions,
): { call: Parameters<typeof binding.linearBackward>; result: LinearGradients } {
  const rows = int32('tokens', tokens).length;
  const x = checkLinear(hidden, weight, rows, options);
  const dLogprob = float32('gradients.dLogprob', gradients.dLogprob, rows);
  const dEntropy =
    gradients.dEntropy === undefined ? undefined : float32('gradients.dEntropy', gradients.dEntropy, rows);
  const { out = {}, accumulate = false, ...forward } = options;
  const state =
    gradients.state === undefined
      ? linearLogprobs(hidden, weight, tokens, { ...forward, entropy: dEntropy !== undefined }).state
      : float64('gradients.state', gradients.state, rows * STATE_SIZE);
  const dHidden = gradientArray('options.out.dHidden', out.dHidden, true, rows * x.depth);
  const dWeight = gradientArray('options.out.dWeight', out.dWeight, true, x.vocab * x.depth);
  const dBias = gradientArray('options.out.dBias', out.dBias, x.bias !== undefined, x.vocab);
  [dHidden, dWeight, dBias].forEach((d, i) => {
    if (d) apart(`options.out.${['dHidden', 'dWeight', 'dBias'][i] ?? ''}`, d, [hidden, weight, x.bias]);
  });
  const call: Parameters<typeof binding.linearBackward> = [
    ...operands(x),
    ...rowArguments(tokens, options),
    ...([state, dLogprob, dEntropy, dHidden, dWeight, dBias, accumulate] as const),
    threadCount('options.threads', options.threads),
  ];
  return { call, result: { ...(dHidden && { dHidden }), ...(dWeight && { dWeight }), ...(dBias && { dBias }) } };
}

/**
 * Gradients of the log-probs (and entropies) of {@link linearLogprobs} to `hidden`, `weight` and `bias`, in float32. The
 * logits are computed again, piece by piece, in a bounded workspace.
 *
 * Rows whose forward status is not `ok`, and rows whose upstream gradients are 0, take no part: they get zeros in
 * `dHidden`, and what they hold cannot reach `dWeight`.
 *
 * @param gradients upstream gradients, and the `state` of the forward pass (computed again where absent).
 * @throws CrossThinkError as {@link linearLogprobs}.
 */
export function linearLogprobsBackward(
  hidden: LogitsArray,
  weight: LogitsArray,
  tokens: Int32Array,
  gradients: LogprobGradients,
  options: LinearBackwardOptions = {},
): LinearGradients {
  const { call, result } = prepareBackward(hidden, weight, tokens, gradients, options);
  linearKernelsOn(options.device).linearBackward(...call);
  return result;
}

/**
 * {@link linearLogprobsBackward} on the worker pool, as {@link linearLogprobsAsync}. Where it was aborted, the arrays of `out`
 * hold part of the result. Pass `gradients.state`: where it is absent, it is computed before the promise is returned.
 */
export async function linearLogprobsBackwardAsync(
  hidden: LogitsArray,
  weight: LogitsArray,
  tokens: Int32Array,
  gradients: LogprobGradients,
  options: LinearBackwardOptions & Abortable = {},
): Promise<LinearGradients> {
  const { call, result } = prepareBackward(hidden, weight, tokens, gradients, options);
  const kernels = linearKernelsOn(options.device);
  if (kernels !== binding) {
    options.signal?.throwIfAborted();
    kernels.linearBackward(...call);
    return result;
  }
  const start = (flag: Int32Array): Promise<boolean> => binding.linearBackwardAsync(...call, flag);
  await cancellable('linearLogprobsBackwardAsync', options.signal, start);
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
  linearKernelsOn(options.device).linearLogits(...call);
  return logits;
}

/** {@link linearLogits} on the worker pool, as {@link linearLogprobsAsync}. */
export async function linearLogitsAsync(
  hidden: LogitsArray,
  weight: LogitsArray,
  options: LinearLogitsOptions & Abortable = {},
): Promise<Float32Array> {
  const { call, logits } = prepareLogits(hidden, weight, options);
  const kernels = linearKernelsOn(options.device);
  if (kernels !== binding) {
    options.signal?.throwIfAborted();
    kernels.linearLogits(...call);
    return logits;
  }
  await cancellable('linearLogitsAsync', options.signal, (flag) => binding.linearLogitsAsync(...call, flag));
  return logits;
}
