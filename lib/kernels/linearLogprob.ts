import { apart, float32, float64, floatParameter, int32, requireInteger, threadCount } from './arguments.js';
import { runAsync, type Abortable, type Prepared } from './cancel.js';
import { linearKernelsOn, type LinearKernels } from './device/linear.js';
import { newFloat32 } from './host.js';
import { checkLinear, DEFAULT_WORKSPACE, type LinearOptions, type LinearProduct } from './linearProduct.js';
import { type LogitsArray } from './logits.js';
import { rowOutputs, rowResults, type LogprobGradients, type RowOutputOptions, type TokenLogprobs } from './logprob.js';
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

export interface LinearLogprobsOptions extends RowOptions, RowOutputOptions {}

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
): Prepared<Parameters<LinearKernels['linearForward']>, TokenLogprobs> {
  const x = checkLinear(hidden, weight, int32('tokens', tokens).length, options);
  const row = rowOutputs(tokens.length, options);
  const call: Parameters<LinearKernels['linearForward']> = [
    ...operands(x),
    ...rowArguments(tokens, options),
    ...([row.status, row.logprob, row.logsumexp, row.state, row.entropy, row.sumSquares] as const),
    threadCount('options.threads', options.threads),
  ];
  return { call, result: () => rowResults(row) };
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
  return result();
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
  const prepare = () => prepareLogprobs(hidden, weight, tokens, options);
  return runAsync('linearLogprobsAsync', options.signal, linearKernelsOn(options.device).linearForward, prepare);
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
  return float32(field, typeof wanted === 'object' ? wanted : newFloat32(length), length);
}

function prepareBackward(
  hidden: LogitsArray,
  weight: LogitsArray,
  tokens: Int32Array,
  gradients: LogprobGradients,
  options: LinearBackwardOptions,
): Prepared<Parameters<LinearKernels['linearBackward']>, LinearGradients> {
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
  const inputs: unknown[] = [hidden, weight, x.bias, tokens, options.temperature, dLogprob, dEntropy, state];
  for (const [name, gradient] of Object.entries({ dHidden, dWeight, dBias })) {
    if (gradient) apart(`options.out.${name}`, gradient, inputs);
    inputs.push(gradient);
  }
  const call: Parameters<LinearKernels['linearBackward']> = [
    ...operands(x),
    ...rowArguments(tokens, options),
    ...([state, dLogprob, dEntropy, dHidden, dWeight, dBias, accumulate] as const),
    threadCount('options.threads', options.threads),
  ];
  const result = () => ({ ...(dHidden && { dHidden }), ...(dWeight && { dWeight }), ...(dBias && { dBias }) });
  return { call, result };
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
  return result();
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
  const prepare = () => prepareBackward(hidden, weight, tokens, gradients, options);
  const operation = linearKernelsOn(options.device).linearBackward;
  return runAsync('linearLogprobsBackwardAsync', options.signal, operation, prepare);
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
): Prepared<Parameters<LinearKernels['linearLogits']>, Float32Array> {
  const x = checkLinear(hidden, weight, options.rows, options);
  const length = x.rows * x.vocab;
  const logits = float32('options.out', options.out ?? newFloat32(length), length);
  if (options.out !== undefined) apart('options.out', logits, [hidden, weight, x.bias]);
  return { call: [...operands(x), logits, threadCount('options.threads', options.threads)], result: () => logits };
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
  const { call, result } = prepareLogits(hidden, weight, options);
  linearKernelsOn(options.device).linearLogits(...call);
  return result();
}

/** {@link linearLogits} on the worker pool, as {@link linearLogprobsAsync}. */
export async function linearLogitsAsync(
  hidden: LogitsArray,
  weight: LogitsArray,
  options: LinearLogitsOptions & Abortable = {},
): Promise<Float32Array> {
  const prepare = () => prepareLogits(hidden, weight, options);
  return runAsync('linearLogitsAsync', options.signal, linearKernelsOn(options.device).linearLogits, prepare);
}
