import { invalidType } from '../../errors.js';
import { type DType } from '../../native/dtype.js';
import { DeviceTensor } from '../../native/tensor.js';
import { sequenceArray, type SamplingKeys, type SamplingPlan } from '../sampling.js';
import { samplingCall, type ArrayKinds, type SampledArrays } from '../samplingCall.js';
import { onDeviceOf, type DeviceInput, type OnStream } from './call.js';
import { checkDeviceLogits } from './logits.js';
import { encodeSampling } from './sampling.js';
import { requireCudaSampling } from './samplingSupport.js';

export interface DeviceArrays extends ArrayKinds {
  int32: DeviceTensor;
  float32: DeviceTensor;
  uint8: DeviceTensor;
}

/** `SamplingKeys` for logits on a device; small arrays may stay on the host. */
export interface DeviceSamplingKeys extends OnStream, Pick<SamplingKeys, 'seed' | 'sample' | 'samples' | 'history'> {
  /** One id per row; on the device int64 or uint64. */
  readonly sequences: SamplingKeys['sequences'] | DeviceTensor;
  /** One per row; on the device int32. */
  readonly positions: DeviceInput<Int32Array>;
  /** As in {@link SamplingKeys}; on the host where the plan has `allowedTokens`. */
  readonly bitmask?: DeviceInput<Int32Array> | undefined;
  /** Tensors to write into, by the names of the results. */
  readonly out?: Partial<
    Record<'tokens' | 'logprobs' | 'rawLogprobs' | 'ranks' | 'entropy' | 'supportMass' | 'status', DeviceTensor>
  >;
}

/** Results of {@link deviceSample}, on the device; their caller disposes them. */
export interface DeviceSampledTokens extends SampledArrays<DeviceArrays> {
  /** `tokens`: `[rows, vocab]`, of which the first `sizes[row]` of a row are its kept tokens in ascending order; a row that no
   * filter touched has size 0. */
  readonly keptSet?: { readonly tokens: DeviceTensor; readonly sizes: DeviceTensor };
}

/**
 * `plan.sample` of logits on a GPU: the same bits. Results are new tensors unless given in `keys.out`; nothing waits for the
 * device as long as the keys live there and the plan has neither per-row options nor lists of tokens, which are copied.
 *
 * @param plan its `device` option is ignored: this runs where the logits are.
 * @param logits `[rows, vocab]`, float32, bfloat16 or float16; rows may be strided.
 * @throws CrossThinkError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`; `ERR_CUDA_UNAVAILABLE` for more `topLogprobs` than
 * 4096; `ERR_NATIVE` where CUDA fails. Bad rows are not errors, see `status`.
 */
export function deviceSample(plan: SamplingPlan, logits: DeviceTensor, keys: DeviceSamplingKeys): DeviceSampledTokens {
  return onDeviceOf('logits', logits, keys.stream, (call) => {
    requireCudaSampling(plan.options);
    const { positions, bitmask, out = {} } = keys;
    if (!(positions instanceof DeviceTensor || positions instanceof Int32Array)) {
      throw invalidType('positions', 'an Int32Array or a DeviceTensor', positions);
    }
    const rows = positions.length;
    const x = { ...checkDeviceLogits('logits', logits, rows), data: logits };
    const { sequences } = keys;
    const fits = <A>(field: string, value: DeviceTensor | A, dtype: DType, length: number): DeviceTensor | A =>
      value instanceof DeviceTensor ? call.checked(field, value, dtype, length) : value;
    const ids = sequences instanceof DeviceTensor ? sequences : sequenceArray(sequences, rows);
    const checked = {
      ...keys,
      positions: fits('positions', positions, 'int32', rows),
      sequences: fits(
        'sequences',
        ids,
        sequences instanceof DeviceTensor && sequences.dtype === 'int64' ? 'int64' : 'uint64',
        rows,
      ),
      bitmask: bitmask && fits('bitmask', bitmask, 'int32', bitmask.length),
    };
    const { args, outputs } = samplingCall<DeviceArrays, DeviceTensor | ArrayBufferView>(
      plan.packed,
      plan.outputs,
      x,
      checked,
      (name, dtype, length) => call.output(`out.${name}`, (out as Record<string, DeviceTensor>)[name], dtype, length),
    );
    const keptSet = plan.outputs.has('keptSet') && {
      tokens: call.output('keptSet.tokens', undefined, 'int32', rows * x.vocab),
      sizes: call.output('keptSet.sizes', undefined, 'int32', rows),
    };
    encodeSampling<DeviceTensor | ArrayBufferView>(
      call,
      args,
      keptSet ? keptSet.tokens : undefined,
      keptSet ? keptSet.sizes : undefined,
    );
    call.run('cudaSample');
    return { ...outputs, ...(keptSet && { keptSet }) };
  });
}
