import type { PolicyLossInputs } from '../../../lib/index.js';

/** Float64 reference, as plain as the formulas in docs/losses.md. */

export interface ReferenceOptions {
  clipLow: number;
  clipHigh: number;
  klCoef: number;
  aggregation: 'token-mean' | 'seq-mean-token-mean';
  denominator?: number;
}

export type ReferenceInputs = Omit<PolicyLossInputs, 'logprobs' | 'oldLogprobs' | 'refLogprobs' | 'advantages'> & {
  logprobs: ArrayLike<number>;
  oldLogprobs: ArrayLike<number>;
  refLogprobs?: ArrayLike<number>;
  advantages: ArrayLike<number>;
};

const clip = (x: number, low: number, high: number): number => (x < low ? low : x > high ? high : x);

export function referencePolicyLoss(inputs: ReferenceInputs, o: ReferenceOptions) {
  const { logprobs, oldLogprobs, refLogprobs, advantages, cuSeqlens, mask } = inputs;
  const sequences = Array.from({ length: cuSeqlens.length - 1 }, (_, s) => {
    const tokens = Array.from({ length: cuSeqlens[s + 1]! - cuSeqlens[s]! }, (__, i) => cuSeqlens[s]! + i);
    return tokens.filter((t) => mask?.[t] !== 0);
  });
  const metrics = {
    tokens: 0,
    sequences: 0,
    policyLossSum: 0,
    klSum: 0,
    logRatioSum: 0,
    clippedLow: 0,
    clippedHigh: 0,
  };
  metrics.tokens = sequences.reduce((n, s) => n + s.length, 0);
  metrics.sequences = sequences.filter((s) => s.length > 0).length;
  const counted = o.aggregation === 'token-mean' ? metrics.tokens : metrics.sequences;
  const denominator = o.denominator ?? counted;
  let loss = 0;
  sequences.forEach((tokens, s) => {
    const advantage = advantages[s]!;
    const scale = o.aggregation === 'token-mean' ? 1 / denominator : 1 / (denominator * tokens.length);
    for (const t of tokens) {
      const d = logprobs[t]! - oldLogprobs[t]!;
      const ratio = Math.exp(d);
      const clipped = clip(ratio, 1 - o.clipLow, 1 + o.clipHigh);
      const policy = Math.max(-ratio * advantage, -clipped * advantage);
      if (ratio < 1 - o.clipLow && advantage < 0) metrics.clippedLow++;
      if (ratio > 1 + o.clipHigh && advantage > 0) metrics.clippedHigh++;
      const u = refLogprobs === undefined ? 0 : refLogprobs[t]! - logprobs[t]!;
      const kl = Math.expm1(u) - u;
      metrics.policyLossSum += policy;
      metrics.klSum += kl;
      metrics.logRatioSum += d;
      loss += scale * (policy + (o.klCoef === 0 ? 0 : o.klCoef * kl));
    }
  });
  return { loss, metrics };
}
