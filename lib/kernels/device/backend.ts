import binding = require('#binding');

import { deviceIndex, type Device } from '../../native/device.js';
import { host } from '../host.js';
import { withCall, type DeviceCall } from './call.js';
import { runStep } from './grpoStep.js';
import { encodeSampling } from './sampling.js';
import { tokenKernels, type TokenKernels } from './tokenKernels.js';

/**
 * The row kernels on host arrays, on the CPU or on a GPU: the same functions with the same arguments. On a GPU every array
 * is copied there and the results back, so it pays only where the copies are small against the work; tensors that live
 * on the device are for `deviceTokenLogprobs` and its like.
 */
export type RowKernels = Pick<typeof binding, 'logprobForward' | 'logprobBackward' | 'grpoStep' | 'sample'> &
  TokenKernels;

let fallback: Device = 'cpu';

/** Tests only: where calls without a device run. Returns the device that was set before. */
export function useDevice(device: Device): Device {
  const before = fallback;
  fallback = device;
  return before;
}

/** Which GPU an operation runs on; null: the CPU. @throws CrossThinkError as `deviceIndex`. */
export function gpuOf(device: Device | undefined): number | null {
  return deviceIndex(device ?? fallback, 'options.device');
}

/** The kernels of a device. @throws CrossThinkError as `deviceIndex`. */
export function kernelsOn(device: Device | undefined): RowKernels {
  const index = gpuOf(device);
  return index === null ? host : cudaKernels(index);
}

/** What both directions of log-probs begin with. */
function addLogprobInput(
  call: DeviceCall,
  args: Parameters<RowKernels['logprobForward' | 'logprobBackward' | 'grpoStep']>,
): void {
  const [logits, type, rows, vocab, stride, tokens, temperature, temperatures, softcap, ignore, offset] = args;
  call.read(logits).number(type, rows, vocab, stride);
  call.read(tokens).read(temperatures).number(temperature);
  call.number(softcap, ignore, offset).read(args[11]).read(args[12]);
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
      withCall(device, undefined, (call) => {
        addLogprobInput(call, args);
        call.write(status).write(logprob).write(logsumexp).write(state).write(entropy).write(sumSquares);
        call.number(topK, listed).write(topTokens).write(topLogprobs);
        call.read(listedTokens).write(listedLogprobs);
        call.run('cudaLogprobForward');
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
      withCall(device, undefined, (call) => {
        addLogprobInput(call, args);
        call.read(state).read(dLogprob).read(dEntropy);
        call.update(dLogits).number(dType, dStride);
        call.run('cudaLogprobBackward');
      });
    },
    grpoStep(...args) {
      const [, , , , , , , , , , , , , , sequences, tokenAdvantages, ...loss] = args;
      const [prompts, parameters, cuSeqlens, oldLogprobs, advantages, rolloutLogprobs, refLogprobs, ...rest] = loss;
      const [weights, mask, selected, promptOffsets, status, logprobs, entropies, dType, dStride, dLogits, , results] =
        rest;
      const floats = { oldLogprobs, advantages, rolloutLogprobs, refLogprobs, weights };
      withCall(device, undefined, (call) => {
        addLogprobInput(call, args);
        runStep(call, {
          ...{ tokens: args[2], sequences, tokenAdvantages, prompts, parameters, cuSeqlens, ...floats, mask, selected },
          ...{ promptOffsets, results, status, logprobs, entropies, dLogits, dType, dStride },
        });
      });
    },
    sample(_threads, ...args) {
      const [, , rows, vocab] = args;
      const kept = args[53];
      const keptTokens = kept && new Int32Array(rows * vocab);
      const keptSizes = kept && new Int32Array(rows);
      withCall(device, undefined, (call) => {
        encodeSampling<ArrayBufferView>(call, args, keptTokens, keptSizes);
        call.run('cudaSample');
      });
      if (kept && keptTokens && keptSizes) binding.setKeptTokens(kept, rows, keptTokens, keptSizes, vocab);
    },
  };
}
