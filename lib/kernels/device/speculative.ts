import { type DeviceTensor } from '../../native/tensor.js';
import { type DeviceCall } from './call.js';
import { encodeSampling, type SamplingArguments } from './sampling.js';

/** A chain of drafts, with arrays of kind A: on the host, or tensors of a device. */
export interface ChainArguments<A> {
  readonly target: SamplingArguments<A>;
  readonly drafts: number;
  readonly draftTokens: A;
  readonly draftProbabilities: A | undefined;
  readonly accepted: A;
  readonly status: A;
  /** Rows of the drafts' logits, where there are any. */
  readonly draft: SamplingArguments<A> | undefined;
}

/** Enters a chain and runs it: native/addon/cuda_sampling.cpp. */
export function callSpeculate<A extends DeviceTensor | ArrayBufferView>(call: DeviceCall, a: ChainArguments<A>): void {
  encodeSampling<DeviceTensor | ArrayBufferView>(call, a.target, undefined, undefined);
  call.number(a.drafts).read(a.draftTokens).read(a.draftProbabilities).write(a.accepted).write(a.status);
  call.number(a.draft === undefined ? 0 : 1);
  if (a.draft) encodeSampling<DeviceTensor | ArrayBufferView>(call, a.draft, undefined, undefined);
  call.run('cudaSpeculate');
}
