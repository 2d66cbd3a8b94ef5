import { invalidType, invalidValue } from '../../errors.js';
import { type DeviceTensor } from '../../native/tensor.js';
import { checkGroupSize, encodeEstimator, type EstimatorSettings } from '../advantages.js';
import { numberIn } from '../arguments.js';
import { encodeWhitening, type WhitenOptions } from '../tokenAdvantages.js';
import { callGae, callGroupAdvantages, callOptimalTokenBaseline, callWhiten } from './advantages.js';
import { onDeviceOf, rowsOf, type DeviceInput, type OnStream } from './call.js';

/**
 * Advantages on device tensors: the same bits as the functions on host arrays. Small arrays may stay on the host; nothing
 * waits for the device as long as every array lives there. Offsets and values on the device are not checked; nothing is
 * read out of bounds because of them. Results are new tensors, which the caller disposes, unless given in `options.out`.
 *
 * Each throws CrossThinkError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for arguments that do not fit together,
 * `ERR_NATIVE` where CUDA fails.
 */
type Floats = DeviceInput<Float32Array>;
type Offsets = DeviceInput<Int32Array>;
type Bytes = DeviceInput<Uint8Array>;

export interface DeviceGroupAdvantageOptions extends EstimatorSettings, OnStream {
  readonly groupSize?: number;
  readonly groupOffsets?: Offsets;
  /** For `'opo'`: length of each response. */
  readonly lengths?: Floats;
  readonly out?: { readonly advantages?: DeviceTensor; readonly zeroVariance?: DeviceTensor };
}

/** `groupAdvantages` on a GPU. */
export function deviceGroupAdvantages(
  rewards: DeviceTensor,
  options: DeviceGroupAdvantageOptions,
): { advantages: DeviceTensor; zeroVariance: DeviceTensor } {
  return onDeviceOf('rewards', rewards, options.stream, (call) => {
    const count = rewards.length;
    const { groupSize = 0, groupOffsets, lengths, out = {} } = options;
    if ((groupSize === 0) === (groupOffsets === undefined)) {
      throw invalidValue('options', 'given exactly one of groupSize and groupOffsets', options);
    }
    const groups = groupOffsets ? rowsOf('options.groupOffsets', groupOffsets) : checkGroupSize(groupSize, count);
    const { needsLengths, ...settings } = encodeEstimator(options);
    if (needsLengths && lengths === undefined) throw invalidType('options.lengths', 'one length per reward', lengths);
    const advantages = call.output('options.out.advantages', out.advantages, 'float32', count);
    const zeroVariance = call.output('options.out.zeroVariance', out.zeroVariance, 'uint8', groups);
    const results = { advantages, zeroVariance };
    callGroupAdvantages(call, { count, groups, groupSize, ...settings, groupOffsets, rewards, lengths, ...results });
    return results;
  });
}

/** `gaeAdvantages` on a GPU. */
export function deviceGaeAdvantages(
  inputs: {
    readonly rewards: DeviceTensor;
    readonly cuSeqlens: Offsets;
    readonly values?: Floats | undefined;
    readonly mask?: Bytes | undefined;
  },
  options: OnStream & {
    readonly gamma?: number;
    readonly lambda?: number | Floats;
    readonly out?: { readonly advantages?: DeviceTensor; readonly returns?: DeviceTensor };
  } = {},
): { advantages: DeviceTensor; returns: DeviceTensor } {
  const { rewards, cuSeqlens, values, mask } = inputs;
  return onDeviceOf('rewards', rewards, options.stream, (call) => {
    const tokens = rewards.length;
    const sequences = rowsOf('cuSeqlens', cuSeqlens);
    const lambdas = typeof options.lambda === 'object' ? options.lambda : undefined;
    const gamma = numberIn('options.gamma', options.gamma, 1, 0, 1);
    const lambda = lambdas ? 1 : numberIn('options.lambda', options.lambda, 1, 0, 1);
    const advantages = call.output('options.out.advantages', options.out?.advantages, 'float32', tokens);
    const returns = call.output('options.out.returns', options.out?.returns, 'float32', tokens);
    const results = { advantages, returns };
    callGae(call, { tokens, sequences, gamma, lambda, cuSeqlens, rewards, values, mask, lambdas, ...results });
    return results;
  });
}

/** `whiten` on a GPU; `options.out` may be `values`. */
export function deviceWhiten(
  values: DeviceTensor,
  options: OnStream &
    Pick<WhitenOptions, 'bessel' | 'keepMean' | 'epsilonAt' | 'epsilon'> & {
      readonly weights?: Floats;
      readonly mask?: Bytes;
      readonly out?: DeviceTensor;
    } = {},
): DeviceTensor {
  return onDeviceOf('values', values, options.stream, (call) => {
    const count = values.length;
    const out = call.output('options.out', options.out, 'float32', count);
    const { weights, mask } = options;
    callWhiten(call, { count, ...encodeWhitening(options), values, weights, mask, out });
    return out;
  });
}

/** `optimalTokenBaseline` on a GPU. */
export function deviceOptimalTokenBaseline(
  inputs: {
    readonly rewards: DeviceTensor;
    readonly cuSeqlens: Offsets;
    readonly groupOffsets: Offsets;
    readonly logprobs: Floats;
    readonly sumSquares: Floats;
    readonly weights?: Floats | undefined;
    readonly mask?: Bytes | undefined;
  },
  options: OnStream & { readonly out?: DeviceTensor } = {},
): DeviceTensor {
  const { rewards, cuSeqlens, groupOffsets, logprobs, sumSquares, weights, mask } = inputs;
  return onDeviceOf('rewards', rewards, options.stream, (call) => {
    const tokens = rewards.length;
    const sequences = rowsOf('cuSeqlens', cuSeqlens);
    const groups = rowsOf('groupOffsets', groupOffsets);
    const advantages = call.output('options.out', options.out, 'float32', tokens);
    const arrays = { cuSeqlens, groupOffsets, rewards, logprobs, sumSquares, weights, mask, advantages };
    callOptimalTokenBaseline(call, { tokens, sequences, groups, ...arrays });
    return advantages;
  });
}
