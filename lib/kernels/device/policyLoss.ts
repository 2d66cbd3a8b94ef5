import { type DeviceTensor } from '../../native/tensor.js';
import { encodeLossSettings, resultCount, type LossSettings, type PolicyLossPreset } from '../lossSettings.js';
import { onDeviceOf, rowsOf, type DeviceCall, type DeviceInput, type DeviceOutput, type OnStream } from './call.js';

type Floats = DeviceInput<Float32Array>;

/** A policy loss but for what comes from the logits, on the host or on the device: native/addon/cuda_inputs.h. */
export interface LossArguments {
  readonly tokens: number;
  readonly sequences: number;
  readonly tokenAdvantages: boolean;
  readonly prompts: number;
  readonly parameters: Float64Array;
  readonly cuSeqlens: DeviceInput<Int32Array>;
  readonly oldLogprobs: Floats;
  readonly advantages: Floats;
  readonly rolloutLogprobs: Floats | undefined;
  readonly refLogprobs: Floats | undefined;
  readonly weights: Floats | undefined;
  readonly mask: DeviceInput<Uint8Array> | undefined;
  readonly selected: DeviceInput<Uint8Array> | undefined;
  readonly promptOffsets: DeviceInput<Int32Array> | undefined;
  readonly results: DeviceOutput<Float64Array>;
}

export function addLossInputs(call: DeviceCall, a: LossArguments): void {
  const { tokens, sequences } = a;
  call.number(tokens, sequences).input('cuSeqlens', a.cuSeqlens, 'int32', sequences + 1);
  call.number(a.tokenAdvantages ? 1 : 0, a.prompts, ...a.parameters);
  call.input('oldLogprobs', a.oldLogprobs, 'float32', tokens);
  call.input('advantages', a.advantages, 'float32', a.tokenAdvantages ? tokens : sequences);
  call.input('rolloutLogprobs', a.rolloutLogprobs, 'float32', tokens);
  call.input('refLogprobs', a.refLogprobs, 'float32', tokens);
  call.input('weights', a.weights, 'float32', tokens);
  call.input('mask', a.mask, 'uint8', tokens);
  call.input('selected', a.selected, 'uint8', tokens);
  call.input('promptOffsets', a.promptOffsets, 'int32', a.prompts + 1);
  call.result('options.out.results', a.results, 'float64', resultCount);
}

/** What the native policy loss takes: native/addon/cuda_losses.cpp. */
export interface PolicyLossArguments extends LossArguments {
  readonly logprobs: Floats;
  readonly entropies: Floats | undefined;
  readonly dLogprobs: DeviceOutput<Float32Array>;
  readonly dEntropies: DeviceOutput<Float32Array> | undefined;
}

/** Enters the arguments and runs the loss. */
export function callPolicyLoss(call: DeviceCall, a: PolicyLossArguments): void {
  addLossInputs(call, a);
  call.input('logprobs', a.logprobs, 'float32', a.tokens);
  call.input('entropies', a.entropies, 'float32', a.tokens);
  call.result('options.out.dLogprobs', a.dLogprobs, 'float32', a.tokens);
  call.result('options.out.dEntropies', a.dEntropies, 'float32', a.tokens);
  call.run('cudaPolicyLoss');
}

/** Earlier log-probs, advantages and offsets on a device; small arrays may stay on the host. Offsets on the device are not
 * checked. */
export interface DeviceLossInputs {
  readonly oldLogprobs: Floats;
  readonly rolloutLogprobs?: Floats | undefined;
  readonly refLogprobs?: Floats | undefined;
  /** One per sequence, or one per token. */
  readonly advantages: Floats;
  readonly weights?: Floats | undefined;
  readonly cuSeqlens: DeviceInput<Int32Array>;
  readonly mask?: DeviceInput<Uint8Array> | undefined;
  readonly selected?: DeviceInput<Uint8Array> | undefined;
  readonly promptOffsets?: DeviceInput<Int32Array> | undefined;
}

/** `PolicyLossInputs` on a device. */
export interface DevicePolicyLossInputs extends DeviceLossInputs {
  readonly logprobs: DeviceTensor;
  readonly entropies?: Floats | undefined;
}

export interface DevicePolicyLossOptions extends LossSettings, OnStream {
  readonly preset?: PolicyLossPreset;
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

/** The arguments of a loss over `tokens` tokens; `entropies`: whether there are any. */
export function lossArguments(
  inputs: DeviceLossInputs,
  tokens: number,
  entropies: boolean,
  settings: LossSettings & { readonly preset?: PolicyLossPreset },
): Omit<LossArguments, 'results'> {
  const { oldLogprobs, advantages, cuSeqlens, promptOffsets, rolloutLogprobs, refLogprobs } = inputs;
  const sequences = rowsOf('cuSeqlens', cuSeqlens);
  const tokenAdvantages = advantages.length !== sequences;
  const parameters = encodeLossSettings(settings, {
    refLogprobs: refLogprobs !== undefined,
    entropies,
    promptOffsets: promptOffsets !== undefined,
    tokenAdvantages,
  });
  const prompts = promptOffsets ? rowsOf('promptOffsets', promptOffsets) : 0;
  return {
    ...{ tokens, sequences, tokenAdvantages, prompts, parameters, cuSeqlens, promptOffsets },
    ...{ oldLogprobs, advantages, rolloutLogprobs, refLogprobs },
    ...{ weights: inputs.weights, mask: inputs.mask, selected: inputs.selected },
  };
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
  const { logprobs, entropies } = inputs;
  return onDeviceOf('logprobs', logprobs, given.stream, (call) => {
    const tokens = logprobs.length;
    const loss = lossArguments(inputs, tokens, entropies !== undefined, given);
    const { out = {} } = given;
    const dLogprobs = call.output('options.out.dLogprobs', out.dLogprobs, 'float32', tokens);
    const dEntropies = entropies && call.output('options.out.dEntropies', out.dEntropies, 'float32', tokens);
    const results = call.output('options.out.results', out.results, 'float64', resultCount);
    callPolicyLoss(call, { ...loss, logprobs, entropies, dLogprobs, dEntropies, results });
    return dEntropies ? { dLogprobs, dEntropies, results } : { dLogprobs, results };
  });
}
