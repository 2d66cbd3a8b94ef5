import { invalidValue } from '../../errors.js';
import { type CudaStream } from '../../native/stream.js';
import { DeviceTensor } from '../../native/tensor.js';
import { requireInteger } from '../arguments.js';
import { checkScalars, MOST_TOP, STATE_SIZE, type LogprobScalars } from '../logprobOptions.js';
import { onDeviceOf, type DeviceCall, type DeviceInput } from './call.js';
import { addLogits, checkDeviceLogits, type DeviceLogits } from './logits.js';

export interface DeviceLogprobOptions extends LogprobScalars {
  /** Softmax temperature: one for all rows, or one per row; default 1. Values on the device are not checked. */
  readonly temperature?: number | DeviceInput<Float32Array> | undefined;
  /** As in `LogprobOptions`. Columns on the device are not checked: those that do not exist count as masked. */
  readonly keptSet?:
    { readonly tokens: DeviceInput<Int32Array>; readonly offsets: DeviceInput<Int32Array> } | undefined;
  /** Stream to run on; default: that of the logits. */
  readonly stream?: CudaStream | undefined;
}

export interface DeviceTokenLogprobsOptions extends DeviceLogprobOptions {
  /** Also compute the entropy of each row; default true. */
  readonly entropy?: boolean | undefined;
  /** Also compute the sum of squared probabilities; default false. */
  readonly sumSquares?: boolean | undefined;
  /** Also return the tokens of largest log-prob of each row, this many (at most 4096); default none. */
  readonly topK?: number | undefined;
  /** Also return the log-probs of these tokens, `rows * k` of them; default none. */
  readonly candidates?: DeviceInput<Int32Array> | undefined;
  /** Tensors to write into, of one element per row (`state`: five). */
  readonly out?:
    | {
        readonly logprob?: DeviceTensor;
        readonly entropy?: DeviceTensor;
        readonly logsumexp?: DeviceTensor;
        readonly sumSquares?: DeviceTensor;
        readonly state?: DeviceTensor;
        readonly status?: DeviceTensor;
      }
    | undefined;
}

/** Results of {@link deviceTokenLogprobs}, on the device; their caller disposes them. */
export interface DeviceTokenLogprobs {
  readonly logprob: DeviceTensor;
  readonly entropy?: DeviceTensor;
  readonly logsumexp: DeviceTensor;
  readonly sumSquares?: DeviceTensor;
  /** `[rows * topK]`, int32 and float32. */
  readonly topTokens?: DeviceTensor;
  readonly topLogprobs?: DeviceTensor;
  /** float32, like `candidates`. */
  readonly candidateLogprobs?: DeviceTensor;
  /** float64, five a row: for the backward pass. */
  readonly state: DeviceTensor;
  /** uint8: per row a code of `rowStatus`. */
  readonly status: DeviceTensor;
}

/** Checks temperatures on the host. */
export function checkTemperature(temperature: DeviceLogprobOptions['temperature']) {
  const check = (field: string, x: number) => {
    if (!(x > 0 && Number.isFinite(x))) throw invalidValue(field, 'a finite number > 0', x);
  };
  if (typeof temperature === 'number' || temperature === undefined) {
    check('options.temperature', temperature ?? 1);
    return { scalar: temperature ?? 1, values: undefined };
  }
  if (!(temperature instanceof DeviceTensor)) {
    temperature.forEach((x, i) => {
      check(`options.temperature[${i}]`, x);
    });
  }
  return { scalar: 1, values: temperature };
}

/** What both directions begin with. */
export function addInput(
  call: DeviceCall,
  x: DeviceLogits,
  tokens: DeviceInput<Int32Array>,
  options: DeviceLogprobOptions,
): void {
  addLogits(call, x);
  call.input('tokens', tokens, 'int32', x.rows);
  const { scalar, values } = checkTemperature(options.temperature);
  call.input('options.temperature', values, 'float32', x.rows).number(scalar);
  const { softcap, ignoreIndex, vocabOffset } = checkScalars(options);
  call.number(softcap, ignoreIndex, vocabOffset);
  const { keptSet } = options;
  call.input('options.keptSet.tokens', keptSet?.tokens, 'int32', keptSet?.tokens.length ?? 0);
  call.input('options.keptSet.offsets', keptSet?.offsets, 'int32', x.rows + 1);
}

/** The outputs of several elements per row. */
function addMany(call: DeviceCall, rows: number, options: DeviceTokenLogprobsOptions) {
  const { topK, candidates } = options;
  const k = topK === undefined ? 0 : requireInteger('options.topK', topK, 1, MOST_TOP);
  const listed = candidates === undefined || rows === 0 ? 0 : candidates.length / rows;
  if (!Number.isInteger(listed)) {
    throw invalidValue('options.candidates', `of rows * k elements, ${rows} rows`, candidates?.length);
  }
  const topTokens = topK === undefined ? undefined : call.output('topTokens', undefined, 'int32', rows * k);
  const topLogprobs = topK === undefined ? undefined : call.output('topLogprobs', undefined, 'float32', rows * k);
  call.number(k, listed).pointer(topTokens).pointer(topLogprobs);
  call.input('options.candidates', candidates, 'int32', rows * listed);
  const candidateLogprobs = candidates && call.output('candidateLogprobs', undefined, 'float32', rows * listed);
  call.pointer(candidateLogprobs);
  return {
    ...(topTokens && { topTokens }),
    ...(topLogprobs && { topLogprobs }),
    ...(candidateLogprobs && { candidateLogprobs }),
  };
}

/**
 * `tokenLogprobs` on a GPU: the same bits. Results are new tensors unless given in `options.out`; nothing waits for the
 * device as long as every argument lives there.
 *
 * @param logits `[rows, vocab]`, float32, bfloat16 or float16; rows may be strided.
 * @throws CrossThinkError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for arguments that do not fit together,
 * `ERR_NATIVE` where CUDA fails.
 */
export function deviceTokenLogprobs(
  logits: DeviceTensor,
  tokens: DeviceInput<Int32Array>,
  options: DeviceTokenLogprobsOptions = {},
): DeviceTokenLogprobs {
  return onDeviceOf('logits', logits, options.stream, (call) => {
    const rows = tokens.length;
    const x = checkDeviceLogits('logits', logits, rows);
    const { out = {} } = options;
    addInput(call, x, tokens, options);
    const status = call.output('options.out.status', out.status, 'uint8', rows);
    const logprob = call.output('options.out.logprob', out.logprob, 'float32', rows);
    const logsumexp = call.output('options.out.logsumexp', out.logsumexp, 'float32', rows);
    const state = call.output('options.out.state', out.state, 'float64', rows * STATE_SIZE);
    const wanted = options.entropy ?? true;
    const entropy = wanted ? call.output('options.out.entropy', out.entropy, 'float32', rows) : undefined;
    call.pointer(status).pointer(logprob).pointer(logsumexp).pointer(state).pointer(entropy);
    const squares = options.sumSquares ?? false;
    const sumSquares = squares ? call.output('options.out.sumSquares', out.sumSquares, 'float32', rows) : undefined;
    call.pointer(sumSquares);
    const many = addMany(call, rows, options);
    call.run('cudaLogprobForward');
    return {
      ...{ logprob, logsumexp, state, status, ...many },
      ...(entropy && { entropy }),
      ...(sumSquares && { sumSquares }),
    };
  });
}

export interface DeviceLogprobGradients {
  /** dL/dlogprob, one per row. */
  readonly dLogprob: DeviceInput<Float32Array>;
  /** dL/dentropy, one per row; default none. */
  readonly dEntropy?: DeviceInput<Float32Array> | undefined;
  /** `state` of the forward pass with the same logits and temperature, with entropy where `dEntropy` is given. */
  readonly state: DeviceInput<Float64Array>;
}

export interface DeviceLogprobBackwardOptions extends DeviceLogprobOptions {
  /** Where to write: `[rows, vocab]` of float32 or of the type of the logits; may be `logits` itself. Default: new. */
  readonly out?: DeviceTensor | undefined;
}

/** Checks where a gradient to `x` goes. */
export function checkGradient(field: string, x: DeviceLogits, out: DeviceTensor): DeviceLogits {
  const d = checkDeviceLogits(field, out, x.rows);
  if (d.vocab !== x.vocab) throw invalidValue(field, `of shape [${x.rows}, ${x.vocab}]`, out.shape);
  if (d.type !== 0 && d.type !== x.type) {
    throw invalidValue(field, `of float32 or ${x.tensor.dtype}, as the logits`, out.dtype);
  }
  return d;
}

/** `logprobBackward` on a GPU: the same bits. @throws CrossThinkError as {@link deviceTokenLogprobs}. */
export function deviceLogprobBackward(
  logits: DeviceTensor,
  tokens: DeviceInput<Int32Array>,
  gradients: DeviceLogprobGradients,
  options: DeviceLogprobBackwardOptions = {},
): DeviceTensor {
  return onDeviceOf('logits', logits, options.stream, (call) => {
    const rows = tokens.length;
    const x = checkDeviceLogits('logits', logits, rows);
    const out = options.out ?? call.allocate([rows, x.vocab], logits.dtype);
    const d = checkGradient('options.out', x, out);
    addInput(call, x, tokens, options);
    call.input('gradients.state', gradients.state, 'float64', rows * STATE_SIZE);
    call.input('gradients.dLogprob', gradients.dLogprob, 'float32', rows);
    call.input('gradients.dEntropy', gradients.dEntropy, 'float32', rows);
    call.pointer(out).number(d.type, d.stride);
    call.run('cudaLogprobBackward');
    return out;
  });
}
