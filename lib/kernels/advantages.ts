import { invalidType, invalidValue } from '../errors.js';
import { type Device } from '../native/device.js';
import { apart, badOffset, float32, numberIn, offsets, oneOf, threadCount, uint8 } from './arguments.js';
import { kernelsOn } from './device/backend.js';
import { newFloat32, newUint8 } from './host.js';

// The order is that of GroupEstimator in native/kernels/advantage/advantage.h.
const estimators = ['grpo', 'dr_grpo', 'rloo', 'maxrl', 'gpg', 'batch-std', 'opo', 'pass-k', 'leave-one-out'] as const;

/** How a reward becomes an advantage within its group; formulas in docs/losses.md. */
export type GroupEstimator = (typeof estimators)[number];

/** How rewards form groups: exactly one of the two is given. */
export interface Grouping {
  /** Rewards per group, for groups of equal size. */
  readonly groupSize?: number | undefined;
  /** Group g holds rewards `[groupOffsets[g], groupOffsets[g + 1])`; the first is 0, the last `rewards.length`. */
  readonly groupOffsets?: Int32Array | undefined;
}

export interface GroupAdvantageOptions extends Grouping {
  /** Default `'grpo'`: (R - mean) / (std + epsilon), std with n - 1. `'dr_grpo'`: R - mean. */
  readonly estimator?: GroupEstimator;
  /** Added to the standard deviation. Default 1e-6. */
  readonly epsilon?: number;
  /** Advantage of the one valid reward of a group: 0 (default), or `'raw'`, the reward itself, as in verl. */
  readonly singletons?: 'zero' | 'raw';
  /** For `'opo'`: length of each response. */
  readonly lengths?: Float32Array;
  /** Threads to use at most; default: all of the pool. The result does not depend on it. */
  readonly threads?: number;
  /** Where to compute; default `'cpu'`. On a GPU the arrays are copied there and back: the bits are the same. */
  readonly device?: Device;
  /** Arrays to write into instead of new ones; `advantages` must not share memory with `rewards`. */
  readonly out?: { readonly advantages?: Float32Array; readonly zeroVariance?: Uint8Array };
}

export interface GroupAdvantages {
  /** One per reward; 0 where the reward is NaN. */
  readonly advantages: Float32Array;
  /** One per group: 1 where all valid rewards are equal, or fewer than two are valid. Such a group's advantages are 0. */
  readonly zeroVariance: Uint8Array;
}

/**
 * Group-relative advantages of `rewards` (float32, one per response, the responses of a question side by side).
 *
 * A NaN reward (a failed or unscorable response) is left out of its group's statistics and gets advantage 0. Equality
 * is tested on the rewards themselves, not on a rounded standard deviation. Groups of size 1 have advantage 0.
 * The result is bit-identical on every instruction set and thread count. Formulas and sources: docs/losses.md.
 *
 * @throws CrossThinkError for wrong types or lengths, a `groupSize` that does not divide the number of rewards, or
 * offsets out of order.
 */
export function groupAdvantages(rewards: Float32Array, options: GroupAdvantageOptions): GroupAdvantages {
  const count = float32('rewards', rewards).length;
  const { size, offsets: groupOffsets, groups } = checkGrouping(count, options);
  const { estimator, epsilon, rawSingletons, needsLengths } = encodeEstimator(options);
  const lengths = needsLengths ? float32('options.lengths', options.lengths, count) : undefined;
  const threads = threadCount('options.threads', options.threads);
  const advantages = float32('options.out.advantages', options.out?.advantages ?? newFloat32(count), count);
  const zeroVariance = uint8('options.out.zeroVariance', options.out?.zeroVariance ?? newUint8(groups), groups);
  if (options.out !== undefined) apart('options.out.advantages', advantages, [rewards]);
  const bad = kernelsOn(options.device).groupAdvantages(
    rewards,
    count,
    size,
    groupOffsets,
    groups,
    estimator,
    epsilon,
    threads,
    advantages,
    zeroVariance,
    lengths,
    rawSingletons,
  );
  if (bad >= 0 && groupOffsets) throw badOffset('options.groupOffsets', groupOffsets, bad, count, 'rewards');
  return { advantages, zeroVariance };
}

/** The settings of a group estimator as the native operations take them. */
export interface EstimatorSettings {
  readonly estimator?: GroupEstimator;
  readonly epsilon?: number;
  readonly singletons?: 'zero' | 'raw';
}

/** Checks {@link EstimatorSettings}. */
export function encodeEstimator(options: EstimatorSettings) {
  const estimator = oneOf('options.estimator', options.estimator, estimators, 'grpo');
  return {
    estimator: estimators.indexOf(estimator),
    epsilon: numberIn('options.epsilon', options.epsilon, 1e-6, 0),
    rawSingletons: oneOf('options.singletons', options.singletons, ['zero', 'raw'], 'zero') === 'raw',
    needsLengths: estimator === 'opo',
  };
}

interface CheckedGrouping {
  readonly size: number;
  readonly offsets?: Int32Array;
  readonly groups: number;
}

function checkGrouping(count: number, options: Grouping): CheckedGrouping {
  const { groupSize, groupOffsets } = options;
  if ((groupSize === undefined) === (groupOffsets === undefined)) {
    throw invalidValue('options', 'given exactly one of groupSize and groupOffsets', options);
  }
  if (groupSize === undefined) {
    const array = offsets('options.groupOffsets', groupOffsets);
    return { size: 0, offsets: array, groups: array.length - 1 };
  }
  return { size: groupSize, groups: checkGroupSize(groupSize, count) };
}

/** The number of groups of `groupSize` rewards each. */
export function checkGroupSize(groupSize: unknown, count: number): number {
  if (typeof groupSize !== 'number') throw invalidType('options.groupSize', 'a number', groupSize);
  if (!Number.isInteger(groupSize) || groupSize < 1) {
    throw invalidValue('options.groupSize', 'a positive whole number', groupSize);
  }
  if (count % groupSize !== 0) {
    const hint = 'Pass groupOffsets where groups differ in size.';
    throw invalidValue('options.groupSize', `a divisor of the ${count} rewards`, groupSize, hint);
  }
  return count / groupSize;
}

/** Where group g begins and ends, of a grouping that {@link groupAdvantages} has accepted. */
export function groupBounds({ groupSize = 0, groupOffsets }: Grouping, g: number): [number, number] {
  if (groupOffsets) return [groupOffsets[g] ?? 0, groupOffsets[g + 1] ?? 0];
  return [g * groupSize, (g + 1) * groupSize];
}
