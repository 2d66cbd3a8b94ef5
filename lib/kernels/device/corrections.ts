import { type DeviceCall, type DeviceInput, type DeviceOutput } from './call.js';

// What the native rollout correction and selections of native/addon/cuda_losses.cpp take, on the host or on the device.

type Floats = DeviceInput<Float32Array>;
type Mask = DeviceInput<Uint8Array> | undefined;

/** Numbers that a rollout correction returns. */
export const correctionCount = 10;

export interface RolloutCorrectionArguments {
  readonly tokens: number;
  readonly sequences: number;
  readonly parameters: Float64Array;
  readonly rules: Float64Array;
  readonly cuSeqlens: DeviceInput<Int32Array>;
  readonly logprobs: Floats;
  readonly rolloutLogprobs: Floats;
  readonly mask: Mask;
  readonly weights: DeviceOutput<Float32Array>;
  readonly maskOut: DeviceOutput<Uint8Array>;
  readonly results: DeviceOutput<Float64Array>;
}

export function callRolloutCorrection(call: DeviceCall, a: RolloutCorrectionArguments): void {
  const { tokens, sequences } = a;
  call.number(tokens, sequences).input('cuSeqlens', a.cuSeqlens, 'int32', sequences + 1);
  call.number(...a.parameters, a.rules.length / 4, ...a.rules);
  call.input('logprobs', a.logprobs, 'float32', tokens);
  call.input('rolloutLogprobs', a.rolloutLogprobs, 'float32', tokens);
  call.input('mask', a.mask, 'uint8', tokens);
  call.result('options.out.weights', a.weights, 'float32', tokens);
  call.result('options.out.mask', a.maskOut, 'uint8', tokens);
  call.result('options.out.results', a.results, 'float64', correctionCount);
  call.run('cudaRolloutCorrection');
}

export interface CovarianceArguments {
  readonly tokens: number;
  readonly sequences: number;
  readonly tokenAdvantages: boolean;
  readonly parameters: Float64Array;
  readonly seed: bigint;
  readonly cuSeqlens: DeviceInput<Int32Array>;
  readonly logprobs: Floats;
  readonly oldLogprobs: Floats;
  readonly advantages: Floats;
  readonly mask: Mask;
  readonly selected: DeviceOutput<Uint8Array>;
}

export function callSelectByCovariance(call: DeviceCall, a: CovarianceArguments): void {
  const { tokens, sequences } = a;
  call.number(tokens, sequences).input('cuSeqlens', a.cuSeqlens, 'int32', sequences + 1);
  call.number(a.tokenAdvantages ? 1 : 0, ...a.parameters);
  call.input('logprobs', a.logprobs, 'float32', tokens);
  call.input('oldLogprobs', a.oldLogprobs, 'float32', tokens);
  call.input('advantages', a.advantages, 'float32', a.tokenAdvantages ? tokens : sequences);
  call.input('mask', a.mask, 'uint8', tokens);
  call.integer(a.seed);
  call.result('options.out', a.selected, 'uint8', tokens);
  call.run('cudaSelectByCovariance');
}

export interface EntropySelectionArguments {
  readonly tokens: number;
  readonly ratio: number;
  readonly entropies: Floats;
  readonly mask: Mask;
  readonly selected: DeviceOutput<Uint8Array>;
}

export function callSelectByEntropy(call: DeviceCall, a: EntropySelectionArguments): void {
  call.number(a.tokens, a.ratio);
  call.input('entropies', a.entropies, 'float32', a.tokens);
  call.input('mask', a.mask, 'uint8', a.tokens);
  call.result('options.out', a.selected, 'uint8', a.tokens);
  call.run('cudaSelectByEntropy');
}

export interface SecondMomentArguments {
  readonly tokens: number;
  readonly threshold: number;
  readonly logprobs: Floats;
  readonly rolloutLogprobs: Floats;
  readonly mask: Mask;
  readonly maskOut: DeviceOutput<Uint8Array>;
}

export function callSecondMomentMask(call: DeviceCall, a: SecondMomentArguments): void {
  const { tokens } = a;
  call.number(tokens, a.threshold);
  call.input('logprobs', a.logprobs, 'float32', tokens);
  call.input('rolloutLogprobs', a.rolloutLogprobs, 'float32', tokens);
  call.input('mask', a.mask, 'uint8', tokens);
  call.result('options.out', a.maskOut, 'uint8', tokens);
  call.run('cudaSecondMomentMask');
}
