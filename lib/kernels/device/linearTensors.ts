import { invalidValue } from '../../errors.js';
import { type DeviceTensor } from '../../native/tensor.js';
import { requireInteger } from '../arguments.js';
import { DEFAULT_WORKSPACE } from '../linearProduct.js';
import { checkScalars, STATE_SIZE, type LogprobScalars } from '../logprobOptions.js';
import { onDeviceOf, type DeviceCall, type DeviceInput, type OnStream } from './call.js';
import {
  callLinearBackward,
  callLinearForward,
  callLinearLogits,
  type LinearOperands,
  type LinearRows,
} from './linear.js';
import { checkDeviceLogits } from './logits.js';
import { checkTemperature, type DeviceLogprobGradients, type DeviceTokenLogprobs } from './logprob.js';

/**
 * Linear heads on device tensors: `hidden` `[rows, hiddenSize]` and `weight` `[vocab, hiddenSize]`, both float32 or both
 * bfloat16; rows may be strided. Products are cuBLAS's, everything else has the bits of the CPU given the same logits
 * (docs/linear.md). Results are new tensors, which the caller disposes, unless given in `options.out`.
 *
 * Each throws CrossThinkError `ERR_CUDA_UNAVAILABLE` where cuBLAS is not found, `ERR_INVALID_ARG_TYPE`,
 * `ERR_INVALID_ARG_VALUE` for arguments that do not fit together, `ERR_NATIVE` where CUDA fails.
 */
export interface DeviceLinearOptions extends OnStream {
  /** `[vocab]`, added to the product. */
  readonly bias?: DeviceInput<Float32Array> | undefined;
}

interface DeviceLinearRowOptions extends DeviceLinearOptions, LogprobScalars {
  /** Softmax temperature: one for all rows, or one per row; default 1. Values on the device are not checked. */
  readonly temperature?: number | DeviceInput<Float32Array> | undefined;
  /** Bytes of a chunk of logits, default 64 MiB, at least one row. Beside them cuBLAS gets 32 MiB. */
  readonly workspaceBytes?: number | undefined;
}

function operandsOf(
  call: DeviceCall,
  hidden: DeviceTensor,
  weight: DeviceTensor,
  bias: DeviceInput<Float32Array> | undefined,
): LinearOperands {
  const x = checkDeviceLogits('hidden', hidden, hidden.shape[0] ?? 0);
  const w = checkDeviceLogits('weight', weight, weight.shape[0] ?? 0);
  if (hidden.dtype === 'float16') throw invalidValue('hidden', 'of float32 or bfloat16', hidden.dtype);
  if (w.type !== x.type) throw invalidValue('weight', `of ${hidden.dtype}, as hidden`, weight.dtype);
  if (w.vocab !== x.vocab) throw invalidValue('weight', `of shape [vocab, ${x.vocab}]`, weight.shape);
  if (w.rows < 1) throw invalidValue('weight', 'of at least one row', weight.shape);
  if (weight.deviceIndex !== call.deviceIndex) throw invalidValue('weight', `on ${hidden.device}`, weight.device);
  const shapes = { typeCode: x.type, rows: x.rows, vocab: w.rows, depth: x.vocab };
  const strides = { hiddenStride: x.stride, weightStride: w.stride };
  return { ...shapes, ...strides, hidden, weight, bias: call.operand('options.bias', bias, 'float32', w.rows) };
}

function rowsOf(
  call: DeviceCall,
  tokens: DeviceInput<Int32Array>,
  rows: number,
  options: DeviceLinearRowOptions,
): LinearRows {
  const { scalar, values } = checkTemperature(options.temperature);
  return {
    ...checkScalars(options),
    tokens: call.operand('tokens', tokens, 'int32', rows),
    temperature: scalar,
    temperatures: call.operand('options.temperature', values, 'float32', rows),
    workspace: requireInteger('options.workspaceBytes', options.workspaceBytes ?? DEFAULT_WORKSPACE, 0),
  };
}

/** `linearLogits` on a GPU: `[rows, vocab]`, float32. */
export function deviceLinearLogits(
  hidden: DeviceTensor,
  weight: DeviceTensor,
  options: DeviceLinearOptions & { readonly out?: DeviceTensor } = {},
): DeviceTensor {
  return onDeviceOf('hidden', hidden, options.stream, (call) => {
    const x = operandsOf(call, hidden, weight, options.bias);
    const shape = [x.rows, x.vocab];
    const out = options.out
      ? call.checked('options.out', options.out, 'float32', x.rows * x.vocab)
      : call.allocate(shape, 'float32');
    callLinearLogits(call, x, out);
    return out;
  });
}

export interface DeviceLinearLogprobsOptions extends DeviceLinearRowOptions {
  /** Also compute the entropy of each row; default true. */
  readonly entropy?: boolean | undefined;
  /** Also compute the sum of squared probabilities; default false. */
  readonly sumSquares?: boolean | undefined;
  /** Tensors to write into, of one element per row (`state`: five). */
  readonly out?: {
    readonly logprob?: DeviceTensor;
    readonly entropy?: DeviceTensor;
    readonly logsumexp?: DeviceTensor;
    readonly sumSquares?: DeviceTensor;
    readonly state?: DeviceTensor;
    readonly status?: DeviceTensor;
  };
}

/** `linearLogprobs` on a GPU. */
export function deviceLinearLogprobs(
  hidden: DeviceTensor,
  weight: DeviceTensor,
  tokens: DeviceInput<Int32Array>,
  options: DeviceLinearLogprobsOptions = {},
): DeviceTokenLogprobs {
  return onDeviceOf('hidden', hidden, options.stream, (call) => {
    const x = operandsOf(call, hidden, weight, options.bias);
    const rows = rowsOf(call, tokens, x.rows, options);
    const { out = {}, entropy: wanted = true, sumSquares: squares = false } = options;
    const row = (name: 'logprob' | 'entropy' | 'logsumexp' | 'sumSquares'): DeviceTensor =>
      call.output(`options.out.${name}`, out[name], 'float32', x.rows);
    const status = call.output('options.out.status', out.status, 'uint8', x.rows);
    const state = call.output('options.out.state', out.state, 'float64', x.rows * STATE_SIZE);
    const [logprob, logsumexp] = [row('logprob'), row('logsumexp')];
    const entropy = wanted ? row('entropy') : undefined;
    const sumSquares = squares ? row('sumSquares') : undefined;
    callLinearForward(call, x, rows, { status, logprob, logsumexp, state, entropy, sumSquares });
    return { logprob, logsumexp, state, status, ...(entropy && { entropy }), ...(sumSquares && { sumSquares }) };
  });
}

export interface DeviceLinearBackwardOptions extends DeviceLinearRowOptions {
  /** Which gradients to compute, and where to; default: all (`dBias` where there is a bias), into new tensors. float32. */
  readonly out?: {
    readonly dHidden?: DeviceTensor | boolean;
    readonly dWeight?: DeviceTensor | boolean;
    readonly dBias?: DeviceTensor | boolean;
  };
  /** Add to what the tensors of `out` hold, default false. Only for gradients that are given as tensors. */
  readonly accumulate?: boolean | undefined;
}

/** Gradients on the device; their caller disposes them. */
export interface DeviceLinearGradients {
  readonly dHidden?: DeviceTensor;
  readonly dWeight?: DeviceTensor;
  readonly dBias?: DeviceTensor;
}

/** `linearLogprobsBackward` on a GPU. */
export function deviceLinearLogprobsBackward(
  hidden: DeviceTensor,
  weight: DeviceTensor,
  tokens: DeviceInput<Int32Array>,
  gradients: DeviceLogprobGradients,
  options: DeviceLinearBackwardOptions = {},
): DeviceLinearGradients {
  return onDeviceOf('hidden', hidden, options.stream, (call) => {
    const x = operandsOf(call, hidden, weight, options.bias);
    const rows = rowsOf(call, tokens, x.rows, options);
    const { out = {}, accumulate = false } = options;
    const gradient = (name: 'dHidden' | 'dWeight' | 'dBias', fallback: boolean, shape: readonly number[]) => {
      const given = out[name] ?? fallback;
      if (given === false) return undefined;
      const field = `options.out.${name}`;
      if (given !== true)
        return call.checked(
          field,
          given,
          'float32',
          shape.reduce((a, b) => a * b, 1),
        );
      if (accumulate) throw invalidValue(field, 'a tensor to add to, or false', given);
      return call.allocate(shape, 'float32');
    };
    const dHidden = gradient('dHidden', true, [x.rows, x.depth]);
    const dWeight = gradient('dWeight', true, [x.vocab, x.depth]);
    const dBias = gradient('dBias', options.bias !== undefined, [x.vocab]);
    const upstream = {
      state: call.operand('gradients.state', gradients.state, 'float64', x.rows * STATE_SIZE),
      dLogprob: call.operand('gradients.dLogprob', gradients.dLogprob, 'float32', x.rows),
      dEntropy: call.operand('gradients.dEntropy', gradients.dEntropy, 'float32', x.rows),
    };
    callLinearBackward(call, x, rows, upstream, { dHidden, dWeight, dBias, accumulate });
    return { ...(dHidden && { dHidden }), ...(dWeight && { dWeight }), ...(dBias && { dBias }) };
  });
}
