import { type DeviceTensor } from '../../native/tensor.js';
import { numberIn } from '../arguments.js';
import { encodeCorrection, type RolloutCorrectionOptions, type RolloutCorrectionPreset } from '../rolloutCorrection.js';
import { encodeCovariance, type CovarianceSelectionOptions } from '../selection.js';
import { onDeviceOf, rowsOf, type DeviceInput, type OnStream } from './call.js';
import {
  callRolloutCorrection,
  callSecondMomentMask,
  callSelectByCovariance,
  callSelectByEntropy,
  correctionCount,
} from './corrections.js';

/**
 * Rollout correction and selections on device tensors: the same bits as the functions on host arrays. Small arrays may stay
 * on the host; nothing waits for the device as long as every array lives there. Results are new tensors, which the caller
 * disposes, unless given in `options.out`. Errors are those of advantageTensors.ts.
 */
type Floats = DeviceInput<Float32Array>;
type Offsets = DeviceInput<Int32Array>;
type Bytes = DeviceInput<Uint8Array>;

export interface DeviceRolloutCorrection {
  readonly weights: DeviceTensor;
  readonly mask: DeviceTensor;
  /** float64, ten: `readCorrection` names them. */
  readonly results: DeviceTensor;
}

/** `rolloutCorrection` on a GPU. */
export function deviceRolloutCorrection(
  inputs: {
    readonly logprobs: DeviceTensor;
    readonly rolloutLogprobs: Floats;
    readonly cuSeqlens: Offsets;
    readonly mask?: Bytes | undefined;
  },
  options: OnStream &
    Omit<RolloutCorrectionOptions, 'threads' | 'device'> & {
      readonly preset?: RolloutCorrectionPreset;
      readonly out?: { readonly weights?: DeviceTensor; readonly mask?: DeviceTensor; readonly results?: DeviceTensor };
    } = { preset: 'tis' },
): DeviceRolloutCorrection {
  const { logprobs, rolloutLogprobs, cuSeqlens, mask } = inputs;
  return onDeviceOf('logprobs', logprobs, options.stream, (call) => {
    const tokens = logprobs.length;
    const sequences = rowsOf('cuSeqlens', cuSeqlens);
    const { out = {} } = options;
    const settings = encodeCorrection(options);
    const weights = call.output('options.out.weights', out.weights, 'float32', tokens);
    const maskOut = call.output('options.out.mask', out.mask, 'uint8', tokens);
    const results = call.output('options.out.results', out.results, 'float64', correctionCount);
    const arrays = { cuSeqlens, logprobs, rolloutLogprobs, mask, weights, maskOut, results };
    callRolloutCorrection(call, { tokens, sequences, ...settings, ...arrays });
    return { weights, mask: maskOut, results };
  });
}

/** `selectByCovariance` on a GPU. */
export function deviceSelectByCovariance(
  inputs: {
    readonly logprobs: DeviceTensor;
    readonly oldLogprobs: Floats;
    readonly advantages: Floats;
    readonly cuSeqlens: Offsets;
    readonly mask?: Bytes | undefined;
  },
  options: OnStream & Omit<CovarianceSelectionOptions, 'device'> & { readonly out?: DeviceTensor },
): DeviceTensor {
  const { logprobs, oldLogprobs, advantages, cuSeqlens, mask } = inputs;
  return onDeviceOf('logprobs', logprobs, options.stream, (call) => {
    const tokens = logprobs.length;
    const sequences = rowsOf('cuSeqlens', cuSeqlens);
    const tokenAdvantages = advantages.length !== sequences;
    const settings = encodeCovariance(options);
    const selected = call.output('options.out', options.out, 'uint8', tokens);
    const arrays = { cuSeqlens, logprobs, oldLogprobs, advantages, mask, selected };
    callSelectByCovariance(call, { tokens, sequences, tokenAdvantages, ...settings, ...arrays });
    return selected;
  });
}

/** `selectByEntropy` on a GPU. */
export function deviceSelectByEntropy(
  inputs: { readonly entropies: DeviceTensor; readonly mask?: Bytes | undefined },
  options: OnStream & { readonly ratio?: number; readonly out?: DeviceTensor } = {},
): DeviceTensor {
  const { entropies, mask } = inputs;
  return onDeviceOf('entropies', entropies, options.stream, (call) => {
    const tokens = entropies.length;
    const ratio = numberIn('options.ratio', options.ratio, 0.2, 0, 1);
    const selected = call.output('options.out', options.out, 'uint8', tokens);
    callSelectByEntropy(call, { tokens, ratio, entropies, mask, selected });
    return selected;
  });
}

/** `secondMomentMask` on a GPU. */
export function deviceSecondMomentMask(
  inputs: { readonly logprobs: DeviceTensor; readonly rolloutLogprobs: Floats; readonly mask?: Bytes | undefined },
  options: OnStream & { readonly threshold?: number; readonly out?: DeviceTensor } = {},
): DeviceTensor {
  const { logprobs, rolloutLogprobs, mask } = inputs;
  return onDeviceOf('logprobs', logprobs, options.stream, (call) => {
    const tokens = logprobs.length;
    const threshold = numberIn('options.threshold', options.threshold, 0.04, 0);
    const maskOut = call.output('options.out', options.out, 'uint8', tokens);
    callSecondMomentMask(call, { tokens, threshold, logprobs, rolloutLogprobs, mask, maskOut });
    return maskOut;
  });
}
