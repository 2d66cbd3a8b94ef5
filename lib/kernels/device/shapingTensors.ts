import { invalidType, invalidValue } from '../../errors.js';
import { DeviceTensor } from '../../native/tensor.js';
import { checkGroupSize, encodeEstimator } from '../advantages.js';
import { numberIn } from '../arguments.js';
import { type PositiveExampleOptions } from '../positiveExamples.js';
import { encodeWhitening, type WhitenOptions } from '../tokenAdvantages.js';
import { callGroupAdvantages, callWhiten } from './advantages.js';
import { onDeviceOf, rowsOf, withCall, type DeviceCall, type DeviceInput, type OnStream } from './call.js';
import { devicePolicyLoss } from './policyLoss.js';

/**
 * Reward shaping on device tensors: the same bits as the functions on host arrays. Small arrays may stay on the host.
 * What passes between kernels is allocated for the call, and freeing it waits for the device (only the ReMax baseline needs
 * none). Results are new tensors, which the caller disposes, unless given in `options.out`. Errors are those of advantageTensors.ts.
 */
type Floats = DeviceInput<Float32Array>;

interface DeviceGrouping extends OnStream {
  readonly groupSize?: number;
  readonly groupOffsets?: DeviceInput<Int32Array>;
}

function groupsOf({ groupSize = 0, groupOffsets }: DeviceGrouping, count: number): number {
  if ((groupSize === 0) === (groupOffsets === undefined)) {
    throw invalidValue('options', 'given exactly one of groupSize and groupOffsets', { groupSize, groupOffsets });
  }
  return groupOffsets ? rowsOf('options.groupOffsets', groupOffsets) : checkGroupSize(groupSize, count);
}

function addGroups(call: DeviceCall, options: DeviceGrouping, count: number, groups: number): void {
  call.number(count, groups).input('options.groupOffsets', options.groupOffsets, 'int32', groups + 1);
  call.number(options.groupSize ?? 0);
}

/** A call of its own on the device and stream of `call`: an operation that works on what another left there. */
function next(call: DeviceCall, body: (next: DeviceCall) => void): void {
  withCall(call.deviceIndex, call.stream, body);
}

/** Group advantages of `rewards` into `advantages` or, by default, into memory of this call. */
function groupAdvantages(
  call: DeviceCall,
  rewards: Floats,
  options: DeviceGrouping & { readonly epsilon?: number },
  estimator: 'grpo' | 'dr_grpo',
  keep: (advantages: DeviceTensor, zeroVariance: DeviceTensor) => void,
): void {
  const count = rewards.length;
  const groups = groupsOf(options, count);
  const { epsilon, groupSize = 0, groupOffsets } = options;
  const {
    estimator: code,
    epsilon: least,
    rawSingletons,
  } = encodeEstimator({
    estimator,
    ...(epsilon === undefined ? {} : { epsilon }),
  });
  const settings = { estimator: code, epsilon: least, rawSingletons, lengths: undefined };
  const advantages = call.temporary('float32', count);
  const zeroVariance = call.temporary('uint8', groups);
  next(call, (own) => {
    const arrays = { groupOffsets, rewards, advantages, zeroVariance };
    callGroupAdvantages(own, { count, groups, groupSize, ...settings, ...arrays });
  });
  keep(advantages, zeroVariance);
}

/** `remaxAdvantages` on a GPU. */
export function deviceRemaxAdvantages(
  rewards: DeviceTensor,
  greedyRewards: Floats,
  options: DeviceGrouping & { readonly out?: DeviceTensor },
): DeviceTensor {
  return onDeviceOf('rewards', rewards, options.stream, (call) => {
    const count = rewards.length;
    const groups = groupsOf(options, count);
    const out = call.output('options.out', options.out, 'float32', count);
    addGroups(call, options, count, groups);
    call.input('rewards', rewards, 'float32', count).input('greedyRewards', greedyRewards, 'float32', groups);
    call.pointer(out).run('cudaGreedyBaseline');
    return out;
  });
}

/** `dynamicSampling` on a GPU. */
export function deviceDynamicSampling(
  metric: DeviceTensor,
  options: DeviceGrouping & {
    readonly least?: number;
    readonly most?: number;
    readonly out?: { readonly keepGroups?: DeviceTensor; readonly keep?: DeviceTensor };
  },
): { keepGroups: DeviceTensor; keep: DeviceTensor } {
  return onDeviceOf('metric', metric, options.stream, (call) => {
    const count = metric.length;
    const groups = groupsOf(options, count);
    const least = numberIn('options.least', options.least, -Infinity, -Infinity);
    const most = numberIn('options.most', options.most, Infinity, -Infinity);
    const keepGroups = call.output('options.out.keepGroups', options.out?.keepGroups, 'uint8', groups);
    const keep = call.output('options.out.keep', options.out?.keep, 'uint8', count);
    groupAdvantages(call, metric, options, 'dr_grpo', (_, zeroVariance) => {
      addGroups(call, options, count, groups);
      call.number(least, most).pointer(metric).pointer(zeroVariance);
      call.pointer(keepGroups).pointer(keep).run('cudaGroupSignal');
    });
    return { keepGroups, keep };
  });
}

/** Most arrays of {@link deviceGdpoAdvantages}. */
const MOST_REWARDS = 16;

/** `gdpoAdvantages` on a GPU, of at most 16 rewards. */
export function deviceGdpoAdvantages(
  rewards: readonly DeviceTensor[],
  options: DeviceGrouping & {
    readonly epsilon?: number;
    readonly weights?: readonly number[];
    readonly whiten?: Pick<WhitenOptions, 'bessel' | 'keepMean' | 'epsilonAt' | 'epsilon'> | false;
    readonly out?: DeviceTensor;
  },
): DeviceTensor {
  const first = rewards[0];
  if (first === undefined || rewards.length > MOST_REWARDS) {
    throw invalidValue('rewards', `1 to ${MOST_REWARDS} tensors`, rewards);
  }
  const { weights } = options;
  if (weights && weights.length !== rewards.length) {
    throw invalidValue('options.weights', `${rewards.length} numbers, one per reward`, weights);
  }
  return onDeviceOf('rewards[0]', first, options.stream, (call) => {
    const count = first.length;
    const out = call.output('options.out', options.out, 'float32', count);
    call.number(count, rewards.length);
    rewards.forEach((reward, k) => {
      call.checked(`rewards[${k}]`, reward, 'float32', count);
      const weight = numberIn(`options.weights[${k}]`, weights?.[k], 1, -Number.MAX_VALUE, Number.MAX_VALUE);
      groupAdvantages(call, reward, options, 'grpo', (advantages) => call.number(weight).pointer(advantages));
    });
    call.pointer(out).run('cudaWeightedSum');
    const { whiten = {} } = options;
    if (whiten !== false) {
      next(call, (own) => {
        const arrays = { values: out, weights: undefined, mask: undefined, out };
        callWhiten(own, { count, ...encodeWhitening(whiten), ...arrays });
      });
    }
    return out;
  });
}

export interface DevicePositiveExampleOptions extends OnStream, Pick<PositiveExampleOptions, 'coefficient'> {
  /** Tokens to divide by, e.g. the valid ones of the positive sequences, of all ranks. Not counted here: that would wait. */
  readonly denominator: number;
  /** Gradients of the policy loss: the term's are added to them in place. */
  readonly addTo?: DeviceTensor;
  readonly out?: { readonly dLogprobs?: DeviceTensor; readonly results?: DeviceTensor };
}

/**
 * `positiveExampleLoss` on a GPU, with a `denominator`. `results`: those of `policyLoss`, of which the loss, `tokens` and
 * `policyLossSum` (the sum of -logprob) are the term's.
 */
export function devicePositiveExampleLoss(
  inputs: {
    readonly logprobs: DeviceTensor;
    readonly cuSeqlens: DeviceInput<Int32Array>;
    readonly positives: DeviceInput<Uint8Array>;
    readonly mask?: DeviceInput<Uint8Array> | undefined;
  },
  options: DevicePositiveExampleOptions,
): { dLogprobs: DeviceTensor; results: DeviceTensor } {
  const { logprobs, cuSeqlens } = inputs;
  return onDeviceOf('logprobs', logprobs, options.stream, (call) => {
    const tokens = logprobs.length;
    const sequences = rowsOf('cuSeqlens', cuSeqlens);
    const coefficient = numberIn('options.coefficient', options.coefficient, 0.1, Number.MIN_VALUE, Number.MAX_VALUE);
    if (typeof options.denominator !== 'number')
      throw invalidType('options.denominator', 'a number', options.denominator);
    const denominator = numberIn('options.denominator', options.denominator, NaN, Number.MIN_VALUE);
    const { addTo, out = {} } = options;
    if (addTo) call.checked('options.addTo', addTo, 'float32', tokens);
    const mask = call.temporary('uint8', tokens);
    call.number(tokens, sequences, 0).input('cuSeqlens', cuSeqlens, 'int32', sequences + 1);
    call.input('positives', inputs.positives, 'uint8', sequences).input('mask', inputs.mask, 'uint8', tokens);
    call.pointer(mask).run('cudaSequenceMask');
    const { dLogprobs, results } = devicePolicyLoss(
      { logprobs, oldLogprobs: logprobs, advantages: new Float32Array(sequences).fill(1), cuSeqlens, mask },
      {
        ...{
          loss: 'reinforce',
          aggregation: 'token-mean',
          denominator: denominator / coefficient,
          stream: call.stream,
        },
        out: addTo ? { ...out, dLogprobs: call.temporary('float32', tokens) } : out,
      },
    );
    if (!addTo) return { dLogprobs, results };
    next(call, (own) => {
      own.number(tokens, 2, 1, 1).pointer(addTo).pointer(dLogprobs).pointer(addTo).run('cudaWeightedSum');
    });
    return { dLogprobs: addTo, results };
  });
}
