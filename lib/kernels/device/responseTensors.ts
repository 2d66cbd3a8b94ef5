import { type DeviceTensor } from '../../native/tensor.js';
import { checkOverlong, type OverlongOptions } from '../rewardShaping.js';
import { onDeviceOf, rowsOf, type DeviceInput, type OnStream } from './call.js';

/**
 * What is done to rewards and masks of responses before anything else, on device tensors: the same bits as the functions on
 * host arrays. Small arrays may stay on the host. Results are new tensors, which the caller disposes, unless given in
 * `options.out`. Errors are those of advantageTensors.ts.
 */
interface ResponseOptions extends OnStream {
  readonly out?: DeviceTensor;
}

/** `overlongPenalty` on a GPU; `lengths` of int32. */
export function deviceOverlongPenalty(lengths: DeviceTensor, options: OverlongOptions & ResponseOptions): DeviceTensor {
  return onDeviceOf('lengths', lengths, options.stream, (call) => {
    const { maxLength, buffer, factor, most } = checkOverlong(options);
    const count = lengths.length;
    const out = call.output('options.out', options.out, 'float32', count);
    call.number(count, maxLength, buffer, factor, most).input('lengths', lengths, 'int32', count);
    call.pointer(out).run('cudaOverlongPenalty');
    return out;
  });
}

/** `maskTruncated` on a GPU; `options.out` may be `mask`. */
export function deviceMaskTruncated(
  mask: DeviceTensor,
  cuSeqlens: DeviceInput<Int32Array>,
  truncated: DeviceInput<Uint8Array>,
  options: ResponseOptions = {},
): DeviceTensor {
  return onDeviceOf('mask', mask, options.stream, (call) => {
    const [tokens, sequences] = [mask.length, rowsOf('cuSeqlens', cuSeqlens)];
    const out = call.output('options.out', options.out, 'uint8', tokens);
    call.number(tokens, sequences, 1).input('cuSeqlens', cuSeqlens, 'int32', sequences + 1);
    call.input('truncated', truncated, 'uint8', sequences).input('mask', mask, 'uint8', tokens);
    call.pointer(out).run('cudaSequenceMask');
    return out;
  });
}

/** `rewardsAtEnd` on a GPU. @param tokens how many there are: the last of `cuSeqlens`, which may live on the device. */
export function deviceRewardsAtEnd(
  rewards: DeviceTensor,
  cuSeqlens: DeviceInput<Int32Array>,
  tokens: number,
  options: ResponseOptions & { readonly mask?: DeviceInput<Uint8Array> | undefined } = {},
): DeviceTensor {
  return onDeviceOf('rewards', rewards, options.stream, (call) => {
    const sequences = rowsOf('cuSeqlens', cuSeqlens);
    const out = call.output('options.out', options.out, 'float32', tokens);
    call.number(tokens, sequences).input('cuSeqlens', cuSeqlens, 'int32', sequences + 1);
    call.input('rewards', rewards, 'float32', sequences).input('options.mask', options.mask, 'uint8', tokens);
    call.pointer(out).run('cudaRewardsAtEnd');
    return out;
  });
}
