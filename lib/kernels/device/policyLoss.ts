import { type CudaStream } from '../../native/stream.js';
import { DeviceTensor } from '../../native/tensor.js';
import { invalidType, invalidValue } from '../../errors.js';
import { encodeLossSettings, resultCount, type LossSettings, type PolicyLossPreset } from '../lossSettings.js';
import { DeviceCall, type DeviceInput, type DeviceOutput } from './call.js';

/** What the native policy loss takes, on the host or on the device: see native/addon/cuda_losses.cpp. */
export interface PolicyLossArguments {
  readonly tokens: number;
  readonly sequences: number;
  readonly tokenAdvantages: boolean;
  readonly prompts: number;
  readonly parameters: Float64Array;
  readonly cuSeqlens: DeviceInput<Int32Array>;
  readonly logprobs: DeviceInput<Float32Array>;
  readonly oldLogprobs: DeviceInput<Float32Array>;
  readonly advantages: DeviceInput<Float32Array>;
  readonly rolloutLogprobs: DeviceInput<Float32Array> | undefined;
  readonly refLogprobs: DeviceInput<Float32Array> | undefined;
  readonly entropies: DeviceInput<Float32Array> | undefined;
  readonly weights: DeviceInput<Float32Array> | undefined;
  readonly mask: DeviceInput<Uint8Array> | undefined;
  readonly selected: DeviceInput<Uint8Array> | undefined;
  readonly promptOffsets: DeviceInput<Int32Array> | undefined;
  readonly dLogprobs: DeviceOutput<Float32Array>;
  readonly dEntropies: DeviceOutput<Float32Array> | undefined;
  readonly results: DeviceOutput<Float64Array>;
}

/** Enters the arguments and runs the loss. */
export function callPolicyLoss(call: DeviceCall, a: PolicyLossArguments): void {
  const { tokens, sequences } = a;
  call.number(tokens, sequences).input('cuSeqlens', a.cuSeqlens, 'int32', sequences + 1);
  call.number(a.tokenAdvantages ? 1 : 0, a.prompts, ...a.parameters);
  call.input('logprobs', a.logprobs, 'float32', tokens);
  call.input('oldLogprobs', a.oldLogprobs, 'float32', tokens);
  call.input('advantages', a.advantages, 'float32', a.tokenAdvantages ? tokens : sequences);
  call.input('rolloutLogprobs', a.rolloutLogprobs, 'float32', tokens);
  call.input('refLogprobs', a.refLogprobs, 'float32', tokens);
  call.input('entropies', a.entropies, 'float32', tokens);
  call.input('weights', a.weights, 'float32', tokens);
  call.input('mask', a.mask, 'uint8', tokens);
  call.input('selected', a.selected, 'uint8', tokens);
  call.input('promptOffsets', a.promptOffsets, 'int32', a.prompts + 1);
  call.result('options.out.dLogprobs', a.dLogprobs, 'float32', tokens);
  call.result('options.out.dEntropies', a.dEntropies, 'float32', tokens);
  call.result('options.out.results', a.results, 'float64', resultCount);
  call.run('cudaPolicyLoss');
}

/** `PolicyLossInputs` on a device; small arrays may stay on the host. Offsets on the device are not checked. */
export interface DevicePolicyLossInputs {
  readonly logprobs: DeviceTensor;
  readonly oldLogprobs: DeviceInput<Float32Array>;
  readonly rolloutLogprobs?: DeviceInput<Float32Array> | undefined;
  readonly refLogprobs?: DeviceInput<Float32Array> | undefined;
  readonly entropies?: DeviceInput<Float32Array> | undefined;
  readonly advantages: DeviceInput<Float32Array>;
  readonly weights?: DeviceInput<Float32Array> | undefined;
  readonly cuSeqlens: DeviceInput<Int32Array>;
  readonly mask?: DeviceInput<Uint8Array> | undefined;
  readonly selected?: DeviceInput<Uint8Array> | undefined;
  readonly promptOffsets?: DeviceInput<Int32Array> | undefined;
}

export interface DevicePolicyLossOptions extends LossSettings {
  readonly preset?: PolicyLossPreset;
  /** Stream to run on; default: that of the log-probs. */
  readonly stream?: CudaStream | undefined;
  /** Tensors to write into; `dLogprobs` must not be one of the inputs. */
  readonly out?:
    | { readonly dLogprobs?: DeviceTensor; readonly dEntropies?: DeviceTensor; readonly results?: DeviceTensor }
    | undefined;
}

/** Results of {@link devicePolicyLoss}, on the device; their caller disposes them. */
export interface DevicePolicyLoss {
  readonly dLogprobs: DeviceTensor;
  readonly dEntropies?: DeviceTensor;
  /** float64: the loss, then the metrics in the order of `PolicyLossMetrics`; `readPolicyLoss` names them. */
  readonly results: DeviceTensor;
}

/**
 * `policyLoss` on a GPU: the same bits. Nothing waits for the device as long as every array lives there.
 *
 * @throws CrossThinkError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for arguments that do not fit together,
 * `ERR_NATIVE` where CUDA fails.
 */
export function devicePolicyLoss(
  inputs: DevicePolicyLossInputs,
  options: PolicyLossPreset | DevicePolicyLossOptions = 'grpo',
): DevicePolicyLoss {
  const given: DevicePolicyLossOptions = typeof options === 'string' ? { preset: options } : options;
  const { logprobs, advantages, cuSeqlens, promptOffsets, entropies } = inputs;
  if (!(logprobs instanceof DeviceTensor)) throw invalidType('logprobs', 'a DeviceTensor', logprobs);
  const tokens = logprobs.length;
  const sequences = cuSeqlens.length - 1;
  if (sequences < 0) throw invalidValue('cuSeqlens', 'at least [0]', cuSeqlens);
  const tokenAdvantages = advantages.length !== sequences;
  const parameters = encodeLossSettings(given, {
    refLogprobs: inputs.refLogprobs !== undefined,
    entropies: entropies !== undefined,
    promptOffsets: promptOffsets !== undefined,
    tokenAdvantages,
  });
  const call = new DeviceCall(logprobs.deviceIndex, given.stream ?? logprobs.stream);
  try {
    const { out = {} } = given;
    const dLogprobs = call.output('options.out.dLogprobs', out.dLogprobs, 'float32', tokens);
    const dEntropies = entropies && call.output('options.out.dEntropies', out.dEntropies, 'float32', tokens);
    const results = call.output('options.out.results', out.results, 'float64', resultCount);
    callPolicyLoss(call, {
      tokens,
      sequences,
      tokenAdvantages,
      prompts: promptOffsets ? promptOffsets.length - 1 : 0,
      parameters,
      cuSeqlens,
      logprobs,
      oldLogprobs: inputs.oldLogprobs,
      advantages,
      rolloutLogprobs: inputs.rolloutLogprobs,
      refLogprobs: inputs.refLogprobs,
      entropies,
      weights: inputs.weights,
      mask: inputs.mask,
      selected: inputs.selected,
      promptOffsets,
      dLogprobs,
      dEntropies,
      results,
    });
    return dEntropies ? { dLogprobs, dEntropies, results } : { dLogprobs, results };
  } finally {
    call.release();
  }
}
