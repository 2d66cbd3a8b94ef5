import binding = require('#binding');

import { CrossThinkError } from '../../errors.js';
import { cudaCall, deviceIndex, type Device } from '../../native/device.js';
import { DeviceCall, type Operation } from './call.js';
import { callPolicyLoss } from './policyLoss.js';
import { encodeSampling } from './sampling.js';

/**
 * The row kernels on host arrays, on the CPU or on a GPU: the same functions with the same arguments. On a GPU every array
 * is copied there and the results back, so it pays only where the copies are small against the work; tensors that live
 * on the device are for `deviceTokenLogprobs` and its like.
 */
export type RowKernels = Pick<
  typeof binding,
  'logprobForward' | 'logprobBackward' | 'sample' | 'groupAdvantages' | 'policyLoss'
>;

let fallback: Device = 'cpu';

/** Tests only: where calls without a device run. Returns the device that was set before. */
export function useDevice(device: Device): Device {
  const before = fallback;
  fallback = device;
  return before;
}

/** The kernels of a device. @throws CrossThinkError as `deviceIndex`. */
export function kernelsOn(device: Device | undefined): RowKernels {
  const index = deviceIndex(device ?? fallback, 'options.device');
  return index === null ? binding : cudaKernels(index);
}

/** Copies of host arrays on a device for the time of one call, and its arguments in order. */
class Transfer {
  readonly #pointers: bigint[] = [];
  readonly #numbers: number[] = [];
  readonly #copies = new Map<ArrayBufferView, bigint>();
  readonly #results: ArrayBufferView[] = [];

  constructor(readonly device: number) {}

  number(...values: number[]): this {
    this.#numbers.push(...values);
    return this;
  }

  integer(value: bigint): this {
    this.#pointers.push(value);
    return this;
  }

  input(array: ArrayBufferView | undefined): this {
    return this.integer(array === undefined ? 0n : this.#copy(array, true));
  }

  output(array: ArrayBufferView | undefined): this {
    if (array === undefined) return this.integer(0n);
    this.#results.push(array);
    return this.integer(this.#copy(array, false));
  }

  /** An output of which the kernel leaves parts untouched, or an input that it overwrites. */
  inout(array: ArrayBufferView): this {
    this.#results.push(array);
    return this.integer(this.#copy(array, true));
  }

  run(operation: Operation): void {
    cudaCall(() => {
      binding[operation](this.device, 0n, BigUint64Array.from(this.#pointers), Float64Array.from(this.#numbers));
      for (const array of this.#results) binding.cudaCopyToHost(this.device, this.#copies.get(array) ?? 0n, array, 0n);
    });
  }

  release(): void {
    for (const address of this.#copies.values()) {
      cudaCall(() => {
        binding.cudaRelease(this.device, address);
      });
    }
    this.#copies.clear();
  }

  #copy(array: ArrayBufferView, filled: boolean): bigint {
    const known = this.#copies.get(array);
    if (known !== undefined) return known;
    const address = cudaCall(() => binding.cudaAllocate(this.device, Math.max(1, array.byteLength)));
    this.#copies.set(array, address);
    if (filled && array.byteLength > 0) {
      cudaCall(() => {
        binding.cudaCopyToDevice(this.device, address, array, 0n);
      });
    }
    return address;
  }
}

function withTransfer(device: number, body: (transfer: Transfer) => void): void {
  const transfer = new Transfer(device);
  try {
    body(transfer);
  } finally {
    transfer.release();
  }
}

function withCall(device: number, body: (call: DeviceCall) => void): void {
  const call = new DeviceCall(device, undefined);
  try {
    body(call);
  } finally {
    call.release();
  }
}

/** The first index at which offsets break 0 = o[0] <= o[1] <= ... = total, or -1: as native/addon/offsets.h. */
function badOffset(offsets: Int32Array, total: number): number {
  const bad = offsets.findIndex(
    (offset, i) => offset < (offsets[i - 1] ?? 0) || offset > total || (i === 0 && offset !== 0),
  );
  return bad >= 0 || offsets.at(-1) === total ? bad : offsets.length - 1;
}

// Of GroupEstimator in native/kernels/advantage/advantage.h: those whose formula needs nothing but the group.
const lastLinearEstimator = 3;

function cudaKernels(device: number): RowKernels {
  return {
    logprobForward(logits, type, rows, vocab, stride, tokens, temperature, temperatures, _threads, ...results) {
      const [status, logprob, logsumexp, state, entropy] = results;
      withTransfer(device, (transfer) => {
        transfer.input(logits).number(type, rows, vocab, stride);
        transfer.input(tokens).input(temperatures).number(temperature);
        transfer.output(status).output(logprob).output(logsumexp).output(state).output(entropy);
        transfer.run('cudaLogprobForward');
      });
    },
    logprobBackward(logits, type, rows, vocab, stride, tokens, temperature, temperatures, _threads, ...rest) {
      const [state, dLogprob, dEntropy, dLogits, dType, dStride] = rest;
      withTransfer(device, (transfer) => {
        transfer.input(logits).number(type, rows, vocab, stride);
        transfer.input(tokens).input(temperatures).number(temperature);
        transfer.input(state).input(dLogprob).input(dEntropy);
        transfer.inout(dLogits).number(dType, dStride);
        transfer.run('cudaLogprobBackward');
      });
    },
    sample(...args) {
      const [, , rows, vocab] = args;
      const kept = args[52];
      const keptTokens = kept && new Int32Array(rows * vocab);
      const keptSizes = kept && new Int32Array(rows);
      withTransfer(device, (transfer) => {
        encodeSampling<ArrayBufferView>(transfer, args, keptTokens, keptSizes);
        transfer.run('cudaSample');
      });
      if (kept && keptTokens && keptSizes) binding.setKeptTokens(kept, rows, keptTokens, keptSizes, vocab);
    },
    groupAdvantages(rewards, count, groupSize, groupOffsets, groups, estimator, epsilon, _threads, ...results) {
      const bad = groupOffsets === undefined ? -1 : badOffset(groupOffsets, count);
      if (bad >= 0) return bad;
      const [advantages, zeroVariance, , rawSingletons] = results;
      if (estimator > lastLinearEstimator || rawSingletons) {
        const message = 'groupAdvantages on CUDA knows grpo, dr_grpo, rloo and maxrl, singletons zero; use the CPU';
        throw new CrossThinkError('ERR_CUDA_UNAVAILABLE', message, { field: 'options.estimator' });
      }
      withTransfer(device, (transfer) => {
        transfer.input(rewards).number(groupSize).input(groupOffsets).number(groups, estimator, epsilon);
        transfer.output(advantages).output(zeroVariance);
        transfer.run('cudaGroupAdvantages');
      });
      return -1;
    },
    policyLoss(tokens, sequences, tokenAdvantages, prompts, _threads, parameters, cuSeqlens, ...arrays) {
      const bad = badOffset(cuSeqlens, tokens);
      if (bad >= 0) return bad;
      const [logprobs, oldLogprobs, advantages, rolloutLogprobs, refLogprobs, entropies, weights, ...rest] = arrays;
      const [mask, selected, promptOffsets, dLogprobs, dEntropies, results] = rest;
      const counts = { tokens, sequences, tokenAdvantages, prompts, parameters, cuSeqlens };
      const floats = { logprobs, oldLogprobs, advantages, rolloutLogprobs, refLogprobs, entropies, weights };
      withCall(device, (call) => {
        callPolicyLoss(call, { ...counts, ...floats, mask, selected, promptOffsets, dLogprobs, dEntropies, results });
      });
      return -1;
    },
  };
}
