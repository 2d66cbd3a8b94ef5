import { invalidValue } from '../errors.js';
import { float32, numberIn, oneOf, uint8 } from './arguments.js';
import { groupAdvantages, groupBounds, type GroupAdvantageOptions } from './advantages.js';
import { whiten, type WhitenOptions } from './tokenAdvantages.js';

/** What is done to rewards before, and to groups after, the advantages. Everything here is per response. */

/** Soft overlong punishment (DAPO, arXiv 2503.14476). */
export interface OverlongOptions {
  /** Longest response allowed, tokens. */
  readonly maxLength: number;
  /** Length of the zone before it in which the penalty grows from 0 to `factor`. */
  readonly buffer: number;
  /** Default 1. */
  readonly factor?: number;
  /** Whether the penalty stops at `factor` beyond `maxLength` (OpenRLHF), or goes on growing (verl). Default true. */
  readonly cap?: boolean;
}

/** The numbers of the options, checked; `most`: the largest share of `factor`. */
export function checkOverlong(options: OverlongOptions) {
  const maxLength = numberIn('options.maxLength', options.maxLength, NaN, 1);
  const buffer = numberIn('options.buffer', options.buffer, NaN, 1, maxLength);
  const factor = numberIn('options.factor', options.factor, 1, 0);
  return { maxLength, buffer, factor, most: options.cap === false ? Infinity : 1 };
}

/**
 * The penalty to add to each reward: 0 up to `maxLength - buffer` tokens, then linear down to -factor at `maxLength`.
 *
 * @param lengths valid tokens per response, as any array of numbers.
 */
export function overlongPenalty(lengths: ArrayLike<number>, options: OverlongOptions): Float32Array {
  const { maxLength, buffer, factor, most } = checkOverlong(options);
  return Float32Array.from(lengths, (length) => {
    const share = Math.min(most, Math.max(0, (length - (maxLength - buffer)) / buffer));
    return share === 0 ? 0 : -share * factor;
  });
}

/**
 * A copy of `mask` in which the tokens of truncated responses are 0: responses that never ended teach nothing about where
 * to end. (TRL mask_truncated_completions, NeMo-RL overlong_filtering.)
 *
 * @param truncated one byte per sequence, not 0 where the response was cut off.
 */
export function maskTruncated(mask: Uint8Array, cuSeqlens: Int32Array, truncated: Uint8Array): Uint8Array {
  uint8('truncated', truncated, cuSeqlens.length - 1);
  const out = uint8('mask', mask, cuSeqlens.at(-1) ?? 0).slice();
  truncated.forEach((flag, s) => flag !== 0 && out.fill(0, cuSeqlens[s], cuSeqlens[s + 1]));
  return out;
}

export interface DynamicSampling {
  /** One per group: 1 where the group is worth training on. */
  readonly keepGroups: Uint8Array;
  /** The same per reward. */
  readonly keep: Uint8Array;
}

/**
 * DAPO's dynamic sampling: which groups have a signal. Give the raw metric (e.g. accuracy), not the shaped reward. A group
 * is left out where all its valid metrics are equal, or its mean is outside [least, most].
 */
export function dynamicSampling(
  metric: Float32Array,
  options: Pick<GroupAdvantageOptions, 'groupSize' | 'groupOffsets' | 'device'> & {
    readonly least?: number;
    readonly most?: number;
  },
): DynamicSampling {
  const { zeroVariance } = groupAdvantages(metric, { ...grouping(options), estimator: 'dr_grpo' });
  const least = numberIn('options.least', options.least, -Infinity, -Infinity);
  const most = numberIn('options.most', options.most, Infinity, -Infinity);
  const keepGroups = new Uint8Array(zeroVariance.length);
  const keep = new Uint8Array(metric.length);
  keepGroups.forEach((_, g) => {
    const [begin, end] = groupBounds(options, g);
    const valid = metric.subarray(begin, end).filter((x) => !Number.isNaN(x));
    const mean = valid.reduce((sum, x) => sum + x, 0) / valid.length;
    if (zeroVariance[g] !== 0 || !(mean >= least && mean <= most)) return;
    keepGroups[g] = 1;
    keep.fill(1, begin, end);
  });
  return { keepGroups, keep };
}

/** How the rewards are grouped, and where that is computed. */
function grouping(options: Pick<GroupAdvantageOptions, 'groupSize' | 'groupOffsets' | 'device'>) {
  const { groupSize, groupOffsets, device } = options;
  return { ...(groupSize === undefined ? { groupOffsets } : { groupSize }), ...(device && { device }) };
}

/** ReMax (arXiv 2310.10505): each reward minus that of the greedy response to the same question, one per group. */
export function remaxAdvantages(
  rewards: Float32Array,
  greedyRewards: Float32Array,
  options: Pick<GroupAdvantageOptions, 'groupSize' | 'groupOffsets' | 'device'>,
): Float32Array {
  const { zeroVariance } = groupAdvantages(rewards, { ...grouping(options), estimator: 'dr_grpo' });
  float32('greedyRewards', greedyRewards, zeroVariance.length);
  const advantages = new Float32Array(rewards.length);
  greedyRewards.forEach((greedy, g) => {
    const [begin, end] = groupBounds(options, g);
    for (let i = begin; i < end; i++) {
      const difference = (rewards[i] ?? NaN) - greedy;
      advantages[i] = Number.isNaN(difference) ? 0 : difference;
    }
  });
  return advantages;
}

export interface GdpoOptions extends Pick<GroupAdvantageOptions, 'groupSize' | 'groupOffsets' | 'epsilon' | 'device'> {
  /** One per reward. Default 1 each. */
  readonly weights?: readonly number[];
  /** The normalisation over the batch that follows; `false` leaves it out. Default: {@link whiten}'s. */
  readonly whiten?: WhitenOptions | false;
}

/**
 * GDPO (arXiv 2601.05242), for several rewards: each is group-normalised by itself, the weighted sum is whitened over the
 * batch. A response that is NaN in one reward takes 0 from it.
 */
export function gdpoAdvantages(rewards: readonly Float32Array[], options: GdpoOptions): Float32Array {
  const first = rewards[0];
  if (first === undefined) throw invalidValue('rewards', 'at least one array', rewards);
  const count = float32('rewards[0]', first).length;
  const { weights } = options;
  if (weights && weights.length !== rewards.length) {
    throw invalidValue('options.weights', `${rewards.length} numbers, one per reward`, weights);
  }
  const total = new Float64Array(count);
  rewards.forEach((reward, k) => {
    float32(`rewards[${k}]`, reward, count);
    const weight = numberIn(`options.weights[${k}]`, weights?.[k], 1, -Number.MAX_VALUE, Number.MAX_VALUE);
    const { epsilon } = options;
    const { advantages } = groupAdvantages(reward, {
      ...grouping(options),
      ...(epsilon === undefined ? {} : { epsilon }),
    });
    advantages.forEach((a, i) => (total[i] = (total[i] ?? 0) + weight * a));
  });
  const sum = Float32Array.from(total);
  return options.whiten === false
    ? sum
    : whiten(sum, { ...(options.device && { device: options.device }), ...options.whiten });
}

/** How the trainers at a date turn rewards into advantages; spread into the options of `groupAdvantages`. */
export const advantagePresets = {
  /** scale_rewards 'group': std with n - 1, epsilon 1e-4. */
  'trl@2026-07': { estimator: 'grpo', epsilon: 1e-4, singletons: 'zero' },
  /** norm_adv_by_std_in_grpo: epsilon 1e-6; a lone response keeps its reward. */
  'verl@2026-08': { estimator: 'grpo', epsilon: 1e-6, singletons: 'raw' },
  /** Leave-one-out baseline and standard deviation, divided only where that is not 0. */
  'nemo-rl@2026-08': { estimator: 'leave-one-out', epsilon: 1e-6, singletons: 'zero' },
} as const satisfies Record<string, GroupAdvantageOptions>;

/** The options of {@link advantagePresets} under `name`. */
export function advantagePreset(name: keyof typeof advantagePresets): GroupAdvantageOptions {
  const names = Object.keys(advantagePresets) as (keyof typeof advantagePresets)[];
  return advantagePresets[oneOf('name', name, names, 'trl@2026-07')];
}
