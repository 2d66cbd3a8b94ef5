import binding = require('#binding');

import { CrossThinkError } from '../../errors.js';
import { deviceIndex, type Device } from '../../native/device.js';
import { type DeviceTensor } from '../../native/tensor.js';
import { host } from '../host.js';
import { withCall, type DeviceCall } from './call.js';

// What the native operations of native/addon/cuda_linear.cpp take, on the host or on the device.

type Array = DeviceTensor | ArrayBufferView;

export interface LinearOperands {
  readonly typeCode: number;
  readonly rows: number;
  readonly vocab: number;
  readonly depth: number;
  readonly hiddenStride: number;
  readonly hidden: Array;
  readonly weightStride: number;
  readonly weight: Array;
  readonly bias: Array | undefined;
}

export interface LinearRows {
  readonly tokens: Array;
  readonly temperature: number;
  readonly temperatures: Array | undefined;
  readonly softcap: number;
  readonly ignoreIndex: number;
  readonly vocabOffset: number;
  readonly workspace: number;
}

/** Names what was looked for where there is no cuBLAS. */
function requireBlas(): void {
  const reason = binding.cudaBlasReason();
  if (reason !== '') throw new CrossThinkError('ERR_CUDA_UNAVAILABLE', `No linear head on CUDA: ${reason}`);
}

function addOperands(call: DeviceCall, x: LinearOperands): void {
  requireBlas();
  call.number(x.typeCode, x.rows, x.vocab, x.depth, x.hiddenStride).read(x.hidden);
  call.number(x.weightStride).read(x.weight).read(x.bias);
}

function addRows(call: DeviceCall, r: LinearRows): void {
  call.read(r.tokens).read(r.temperatures).number(r.temperature);
  call.number(r.softcap, r.ignoreIndex, r.vocabOffset, r.workspace);
}

export function callLinearLogits(call: DeviceCall, x: LinearOperands, logits: Array): void {
  addOperands(call, x);
  call.write(logits).run('cudaLinearLogits');
}

export interface LinearOutputs {
  readonly status: Array;
  readonly logprob: Array;
  readonly logsumexp: Array;
  readonly state: Array;
  readonly entropy: Array | undefined;
  readonly sumSquares: Array | undefined;
}

export function callLinearForward(call: DeviceCall, x: LinearOperands, rows: LinearRows, out: LinearOutputs): void {
  addOperands(call, x);
  addRows(call, rows);
  call.write(out.status).write(out.logprob).write(out.logsumexp).write(out.state);
  call.write(out.entropy).write(out.sumSquares).run('cudaLinearForward');
}

export interface LinearUpstream {
  readonly state: Array;
  readonly dLogprob: Array;
  readonly dEntropy: Array | undefined;
}

export interface LinearGradientOutputs {
  readonly dHidden: Array | undefined;
  readonly dWeight: Array | undefined;
  readonly dBias: Array | undefined;
  readonly accumulate: boolean;
}

export function callLinearBackward(
  call: DeviceCall,
  x: LinearOperands,
  rows: LinearRows,
  upstream: LinearUpstream,
  out: LinearGradientOutputs,
): void {
  addOperands(call, x);
  addRows(call, rows);
  call.read(upstream.state).read(upstream.dLogprob).read(upstream.dEntropy);
  for (const gradient of [out.dHidden, out.dWeight, out.dBias]) {
    if (out.accumulate && gradient !== undefined) call.update(gradient);
    else call.write(gradient);
  }
  call.number(out.accumulate ? 1 : 0).run('cudaLinearBackward');
}

/** The native linear heads on host arrays, on the CPU or on a GPU: the same functions with the same arguments. */
export type LinearKernels = Pick<typeof binding, 'linearForward' | 'linearBackward' | 'linearLogits'>;

function operandsOf(args: readonly unknown[]): LinearOperands {
  const [typeCode, rows, vocab, depth, hiddenStride, hidden, weightStride, weight, bias] = args as Parameters<
    LinearKernels['linearLogits']
  >;
  return { typeCode, rows, vocab, depth, hiddenStride, hidden, weightStride, weight, bias };
}

/** The kernels of a device. Products have other bits on a GPU, so it must be asked for. @throws as `deviceIndex`. */
export function linearKernelsOn(device: Device = 'cpu'): LinearKernels {
  const index = deviceIndex(device, 'options.device');
  if (index === null) return host;
  const rowsOf = (args: Parameters<LinearKernels['linearForward' | 'linearBackward']>): LinearRows => {
    const [, , , , , , , , , tokens, temperature, temperatures, softcap, ignoreIndex, vocabOffset, workspace] = args;
    return { tokens, temperature, temperatures, softcap, ignoreIndex, vocabOffset, workspace };
  };
  return {
    linearLogits(...args) {
      withCall(index, undefined, (call) => {
        callLinearLogits(call, operandsOf(args), args[9]);
      });
    },
    linearForward(...args) {
      const [, , , , , , , , , , , , , , , , status, logprob, logsumexp, state, entropy, sumSquares] = args;
      withCall(index, undefined, (call) => {
        const out = { status, logprob, logsumexp, state, entropy, sumSquares };
        callLinearForward(call, operandsOf(args), rowsOf(args), out);
      });
    },
    linearBackward(...args) {
      const [, , , , , , , , , , , , , , , , state, dLogprob, dEntropy, ...rest] = args;
      const [dHidden, dWeight, dBias, accumulate] = rest;
      withCall(index, undefined, (call) => {
        const out = { dHidden, dWeight, dBias, accumulate };
        callLinearBackward(call, operandsOf(args), rowsOf(args), { state, dLogprob, dEntropy }, out);
      });
    },
  };
}
