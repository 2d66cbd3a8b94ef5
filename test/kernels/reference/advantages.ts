import type { GroupEstimator } from '../../../lib/index.js';

/** Float64 references, as plain as the formulas in docs/losses.md. */

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
const std = (values: readonly number[]): number => {
  const center = mean(values);
  return Math.sqrt(sum(values.map((x) => (x - center) ** 2)) / (values.length - 1));
};
const flat = (values: readonly number[]): boolean => values.every((x) => x === values[0]);
const isValid = (x: number): boolean => !Number.isNaN(x);

export interface ReferenceGroupOptions {
  estimator: GroupEstimator;
  epsilon: number;
  singletons?: 'zero' | 'raw';
  lengths?: ArrayLike<number>;
}

/** Advantages of a group of valid rewards with a signal. `batch` is every valid reward. */
function groupFormula(
  group: readonly number[],
  lengths: readonly number[],
  batch: readonly number[],
  o: ReferenceGroupOptions,
): number[] {
  const center = mean(group);
  switch (o.estimator) {
    case 'grpo':
      return times(group, center, 1 / (std(group) + o.epsilon));
    case 'dr_grpo':
      return times(group, center, 1);
    case 'rloo':
      return group.map((x) => x - (sum(group) - x) / (group.length - 1));
    case 'maxrl':
      return times(group, center, center > 0 ? 1 / center : 0);
    case 'gpg':
      return times(group, center, batch.length / Math.max(1, batch.filter((r) => r !== 0).length));
    case 'batch-std':
      return times(group, center, 1 / (std(batch) + o.epsilon));
    case 'opo':
      return times(group, sum(group.map((r, j) => r * lengths[j]!)) / sum(lengths), 1);
    case 'pass-k': {
      const [best, second] = [...group].sort((a, b) => b - a);
      return group.map((x) => (x === best ? (best - second!) / (std(group) + o.epsilon) : 0));
    }
    case 'leave-one-out':
      return group.map((x, i) => {
        const others = group.filter((_, j) => j !== i);
        const spread = flat(others) ? 0 : std(others);
        return spread > 0 ? (x - mean(others)) / (spread + o.epsilon) : x - mean(others);
      });
  }
}

const times = (group: readonly number[], center: number, scale: number): number[] =>
  group.map((x) => (x - center) * scale);

export function referenceGroupAdvantages(
  rewards: ArrayLike<number>,
  offsets: ArrayLike<number>,
  o: ReferenceGroupOptions,
): { advantages: number[]; zeroVariance: number[] } {
  const all = Array.from(rewards);
  const batch = all.filter(isValid);
  const advantages = all.map(() => 0);
  const zeroVariance: number[] = [];
  for (let g = 0; g + 1 < offsets.length; g++) {
    const members: number[] = [];
    for (let i = offsets[g]!; i < offsets[g + 1]!; i++) if (isValid(all[i]!)) members.push(i);
    const group = members.map((i) => all[i]!);
    const lengths = members.map((i) => o.lengths?.[i] ?? 1);
    const noSignal = group.length < 2 || flat(group);
    zeroVariance.push(noSignal ? 1 : 0);
    if (!noSignal) groupFormula(group, lengths, batch, o).forEach((a, j) => (advantages[members[j]!] = a));
    if (group.length === 1 && o.singletons === 'raw' && o.estimator !== 'pass-k') advantages[members[0]!] = group[0]!;
  }
  return { advantages, zeroVariance };
}

/** verl compute_gae_advantage_return without its whitening, one sequence at a time. */
export function referenceGae(
  rewards: readonly number[],
  values: readonly number[],
  mask: readonly boolean[],
  gamma: number,
  lambda: number,
): number[] {
  const kept = rewards.map((_, t) => t).filter((t) => mask[t]);
  return rewards.map((_, t) => {
    if (!mask[t]) return 0;
    const from = kept.slice(kept.indexOf(t));
    return sum(
      from.map((token, k) => {
        const next = from[k + 1];
        const delta = rewards[token]! + gamma * (next === undefined ? 0 : values[next]!) - values[token]!;
        return (gamma * lambda) ** k * delta;
      }),
    );
  });
}
