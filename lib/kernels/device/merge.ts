import binding = require('#binding');

import { invalidValue } from '../../errors.js';
import { cudaCall } from '../../native/device.js';
import { DeviceTensor } from '../../native/tensor.js';
import { STATE_SIZE } from '../logprobOptions.js';
import { onDeviceOf, type DeviceCall, type OnStream } from './call.js';

const FLOAT64_BYTES = 8;

/** The arguments of the native merge, on the host or on the device: native/addon/cuda_operations.cpp. */
export function callMerge<A extends DeviceTensor | ArrayBufferView>(
  call: DeviceCall,
  states: A,
  shards: number,
  rows: number,
  out: Record<'status' | 'logprob' | 'logsumexp' | 'state' | 'entropy' | 'sumSquares', A>,
): void {
  call.read(states).number(shards, rows).write(out.status).write(out.logprob).write(out.logsumexp);
  call.write(out.state).write(out.entropy).write(out.sumSquares).run('cudaLogprobMerge');
}

/** Results of {@link deviceMergeLogprobs}, on the device; their caller disposes them. */
export type DeviceMergedLogprobs = Readonly<
  Record<'logprob' | 'logsumexp' | 'entropy' | 'sumSquares' | 'state' | 'status', DeviceTensor>
>;

/**
 * `mergeLogprobs` on a GPU: the same bits. Results are new tensors unless given in `options.out`.
 *
 * @param states `state` of each shard, in the order of the shards: a list of tensors, which are first copied together, or
 * `[shards, ...]` in one tensor, as an all-gather leaves them; then nothing waits.
 * @throws CrossThinkError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for states that do not fit together,
 * `ERR_NATIVE` where CUDA fails.
 */
export function deviceMergeLogprobs(
  states: DeviceTensor | readonly DeviceTensor[],
  options: OnStream & { readonly out?: Partial<DeviceMergedLogprobs> | undefined } = {},
): DeviceMergedLogprobs {
  const list = states instanceof DeviceTensor ? undefined : states;
  return onDeviceOf('states', list === undefined ? states : list[0], options.stream, (call) => {
    const shards = list?.length ?? (states as DeviceTensor).shape[0] ?? 0;
    const length = list?.[0]?.length ?? (states as DeviceTensor).length / Math.max(shards, 1);
    if (length % STATE_SIZE !== 0) throw invalidValue('states', `of rows * ${STATE_SIZE} elements a shard`, length);
    const all = list
      ? gathered(call, list, length)
      : call.checked('states', states as DeviceTensor, 'float64', shards * length);
    const rows = length / STATE_SIZE;
    const { out = {} } = options;
    const floats = (name: 'logprob' | 'logsumexp' | 'entropy' | 'sumSquares'): DeviceTensor =>
      call.output(`options.out.${name}`, out[name], 'float32', rows);
    const results = {
      ...{ logprob: floats('logprob'), logsumexp: floats('logsumexp'), entropy: floats('entropy') },
      sumSquares: floats('sumSquares'),
      state: call.output('options.out.state', out.state, 'float64', length),
      status: call.output('options.out.status', out.status, 'uint8', rows),
    };
    callMerge(call, all, shards, rows, results);
    return results;
  });
}

/** The states one after another, in memory of the call. */
function gathered(call: DeviceCall, states: readonly DeviceTensor[], length: number): DeviceTensor {
  const all = call.temporary('float64', states.length * length);
  const bytes = length * FLOAT64_BYTES;
  states.forEach((state, i) => {
    call.checked(`states[${i}]`, state, 'float64', length);
    const to = all.address + BigInt(i * bytes);
    cudaCall(() => {
      binding.cudaCopyOnDevice(call.deviceIndex, to, state.address, bytes, call.stream?.address ?? 0n);
    });
  });
  return all;
}
