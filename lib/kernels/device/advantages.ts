import { type DeviceCall, type DeviceInput, type DeviceOutput } from './call.js';

// What the native operations of native/addon/cuda_losses.cpp take, on the host or on the device.

type Floats = DeviceInput<Float32Array>;
type Offsets = DeviceInput<Int32Array>;
type Mask = DeviceInput<Uint8Array> | undefined;

export interface GroupAdvantagesArguments {
  readonly count: number;
  readonly groups: number;
  readonly groupSize: number;
  readonly estimator: number;
  readonly epsilon: number;
  readonly rawSingletons: boolean;
  readonly groupOffsets: Offsets | undefined;
  readonly rewards: Floats;
  readonly lengths: Floats | undefined;
  readonly advantages: DeviceOutput<Float32Array>;
  readonly zeroVariance: DeviceOutput<Uint8Array>;
}

export function callGroupAdvantages(call: DeviceCall, a: GroupAdvantagesArguments): void {
  const { count, groups } = a;
  call.number(count, groups).input('options.groupOffsets', a.groupOffsets, 'int32', groups + 1);
  call.number(a.groupSize, a.estimator, a.epsilon, a.rawSingletons ? 1 : 0);
  call.input('rewards', a.rewards, 'float32', count);
  call.input('options.lengths', a.lengths, 'float32', count);
  call.result('options.out.advantages', a.advantages, 'float32', count);
  call.result('options.out.zeroVariance', a.zeroVariance, 'uint8', groups);
  call.run('cudaGroupAdvantages');
}

export interface GaeArguments {
  readonly tokens: number;
  readonly sequences: number;
  readonly gamma: number;
  readonly lambda: number;
  readonly cuSeqlens: Offsets;
  readonly rewards: Floats;
  readonly values: Floats | undefined;
  readonly mask: Mask;
  readonly lambdas: Floats | undefined;
  readonly advantages: DeviceOutput<Float32Array>;
  readonly returns: DeviceOutput<Float32Array> | undefined;
}

export function callGae(call: DeviceCall, a: GaeArguments): void {
  const { tokens, sequences } = a;
  call.number(tokens, sequences).input('cuSeqlens', a.cuSeqlens, 'int32', sequences + 1);
  call.number(a.gamma, a.lambda);
  call.input('rewards', a.rewards, 'float32', tokens);
  call.input('values', a.values, 'float32', tokens);
  call.input('mask', a.mask, 'uint8', tokens);
  call.input('options.lambda', a.lambdas, 'float32', sequences);
  call.result('options.out.advantages', a.advantages, 'float32', tokens);
  call.result('options.out.returns', a.returns, 'float32', tokens);
  call.run('cudaGae');
}

export interface WhitenArguments {
  readonly count: number;
  readonly bessel: boolean;
  readonly keepMean: boolean;
  readonly epsilonAt: number;
  readonly epsilon: number;
  readonly values: Floats;
  readonly weights: Floats | undefined;
  readonly mask: Mask;
  readonly out: DeviceOutput<Float32Array>;
}

export function callWhiten(call: DeviceCall, a: WhitenArguments): void {
  const { count } = a;
  call.number(count, a.bessel ? 1 : 0, a.keepMean ? 1 : 0, a.epsilonAt, a.epsilon);
  call.input('values', a.values, 'float32', count);
  call.input('options.weights', a.weights, 'float32', count);
  call.input('options.mask', a.mask, 'uint8', count);
  call.result('options.out', a.out, 'float32', count);
  call.run('cudaWhiten');
}

export interface OptimalTokenBaselineArguments {
  readonly tokens: number;
  readonly sequences: number;
  readonly groups: number;
  readonly groupOffsets: Offsets;
  readonly cuSeqlens: Offsets;
  readonly rewards: Floats;
  readonly logprobs: Floats;
  readonly sumSquares: Floats;
  readonly weights: Floats | undefined;
  readonly mask: Mask;
  readonly advantages: DeviceOutput<Float32Array>;
}

export function callOptimalTokenBaseline(call: DeviceCall, a: OptimalTokenBaselineArguments): void {
  const { tokens, sequences, groups } = a;
  call.number(tokens, sequences).input('cuSeqlens', a.cuSeqlens, 'int32', sequences + 1);
  call.number(groups).input('groupOffsets', a.groupOffsets, 'int32', groups + 1);
  call.input('rewards', a.rewards, 'float32', tokens);
  call.input('logprobs', a.logprobs, 'float32', tokens);
  call.input('sumSquares', a.sumSquares, 'float32', tokens);
  call.input('weights', a.weights, 'float32', tokens);
  call.input('mask', a.mask, 'uint8', tokens);
  call.result('options.out.advantages', a.advantages, 'float32', tokens);
  call.run('cudaOptimalTokenBaseline');
}
