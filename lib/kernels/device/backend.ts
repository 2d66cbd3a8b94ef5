import binding = require('#binding');

import { cudaCall, deviceIndex, type Device } from '../../native/device.js';
import { type Operation } from './call.js';
import { encodeSampling } from './sampling.js';
import { tokenKernels, type TokenKernels } from './tokenKernels.js';

/**
 * The row kernels on host arrays, on the CPU or on a GPU: the same functions with the same arguments. On a GPU every array
 * is copied there and the results back, so it pays only where the copies are small against the work; tensors that live
 * on the device are for `deviceTokenLogprobs` and its like.
 */
export type RowKernels = Pick<typeof binding, 'logprobForward' | 'logprobBackward' | 'sample'> & TokenKernels;

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

/** What both directions of log-probs begin with. */
function addLogprobInput(
  transfer: Transfer,
  args: Parameters<RowKernels['logprobForward']> | Parameters<RowKernels['logprobBackward']>,
): void {
  const [logits, type, rows, vocab, stride, tokens, temperature, temperatures, softcap, ignore, offset] = args;
  transfer.input(logits).number(type, rows, vocab, stride);
  transfer.input(tokens).input(temperatures).number(temperature);
  transfer.number(softcap, ignore, offset).input(args[11]).input(args[12]);
}

function cudaKernels(device: number): RowKernels {
  return {
    ...tokenKernels(device),
    logprobForward(...args) {
      // By index: what stands in front is what both directions begin with, see LogprobArguments in binding.d.cts.
      const [status, logprob, logsumexp, state, entropy, sumSquares] = [
        args[14],
        args[15],
        args[16],
        args[17],
        args[18],
        args[19],
      ];
      const [topK, topTokens, topLogprobs, listed, listedTokens, listedLogprobs] = [
        args[20],
        args[21],
        args[22],
        args[23],
        args[24],
        args[25],
      ];
      withTransfer(device, (transfer) => {
        addLogprobInput(transfer, args);
        transfer.output(status).output(logprob).output(logsumexp).output(state).output(entropy).output(sumSquares);
        transfer.number(topK, listed).output(topTokens).output(topLogprobs);
        transfer.input(listedTokens).output(listedLogprobs);
        transfer.run('cudaLogprobForward');
      });
    },
    logprobBackward(...args) {
      const [state, dLogprob, dEntropy, dType, dStride, dLogits] = [
        args[14],
        args[15],
        args[16],
        args[17],
        args[18],
        args[19],
      ];
      withTransfer(device, (transfer) => {
        addLogprobInput(transfer, args);
        transfer.input(state).input(dLogprob).input(dEntropy);
        transfer.inout(dLogits).number(dType, dStride);
        transfer.run('cudaLogprobBackward');
      });
    },
    sample(_threads, ...args) {
      const [, , rows, vocab] = args;
      const kept = args[53];
      const keptTokens = kept && new Int32Array(rows * vocab);
      const keptSizes = kept && new Int32Array(rows);
      withTransfer(device, (transfer) => {
        encodeSampling<ArrayBufferView>(transfer, args, keptTokens, keptSizes);
        transfer.run('cudaSample');
      });
      if (kept && keptTokens && keptSizes) binding.setKeptTokens(kept, rows, keptTokens, keptSizes, vocab);
    },
  };
}
