import type { LossSettings, PolicyLossInputs } from '../../../lib/index.js';

/**
 * Float64 reference, as plain as the formulas in docs/losses.md. `frozen` stands for the log-probs wherever a formula stops
 * the gradient: finite differences in `inputs.logprobs` at a fixed `frozen` are the gradient that autograd would find.
 */

export type ReferenceInputs = Omit<PolicyLossInputs, 'logprobs' | 'entropies'> & {
  logprobs: ArrayLike<number>;
  entropies?: ArrayLike<number> | undefined;
};

const clip = (x: number, low: number, high: number): number => (x < low ? low : x > high ? high : x);
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

export const defaultSettings = {
  loss: 'clip',
  ratioLevel: 'token',
  clipLow: 0.2,
  clipHigh: 0.2,
  dualClip: Infinity,
  delta: Infinity,
  logRatioLimit: Infinity,
  tauPositive: 1,
  tauNegative: 1.05,
  ratioCap: 20,
  vespoPositive: [2, 3],
  vespoNegative: [3, 2],
  offPolicyLimit: Infinity,
  klCoef: 0,
  klForm: 'k3',
  klCorrection: 'none',
  klInputLimit: Infinity,
  klOutputLimit: Infinity,
  entropyCoef: 0,
  aggregation: 'seq-mean-token-mean',
  horizon: 1,
  countEmptySequences: false,
} satisfies LossSettings;

type Settings = Required<Omit<LossSettings, 'denominator' | 'coefficient'>> & LossSettings;

function klValue(form: string, d: number): number {
  if (form === 'k1') return d;
  if (form === 'k2') return (d * d) / 2;
  if (form === 'abs') return Math.abs(d);
  return Math.expm1(-d) + d;
}

function klTerm(o: Settings, lp: number, frozen: number, ref: number, ratio: number): number {
  const limited = (x: number): number => {
    const u = clip(ref - x, -o.klInputLimit, o.klInputLimit);
    return clip(klValue(o.klForm.replace('+', ''), -u), -o.klOutputLimit, o.klOutputLimit);
  };
  if (o.klForm.endsWith('+')) return klValue('k2', lp - ref) - klValue('k2', frozen - ref) + limited(frozen);
  if (o.klCorrection === 'ratio') return ratio * limited(lp);
  if (o.klCorrection === 'on-policy') return Math.exp(lp - frozen) * limited(lp);
  return limited(lp);
}

export function referencePolicyLoss(
  inputs: ReferenceInputs,
  given: LossSettings,
  frozen: ArrayLike<number> = inputs.logprobs,
) {
  const o: Settings = { ...defaultSettings, ...given };
  const coefficient = o.coefficient ?? (o.loss === 'squared' ? 0.1 : 1);
  const { logprobs, oldLogprobs, refLogprobs, advantages, cuSeqlens, mask, weights, selected, entropies } = inputs;
  const rollout = inputs.rolloutLogprobs ?? oldLogprobs;
  const count = cuSeqlens.length - 1;
  const sequences = Array.from({ length: count }, (_, s) => {
    const tokens = Array.from({ length: cuSeqlens[s + 1]! - cuSeqlens[s]! }, (__, i) => cuSeqlens[s]! + i);
    return tokens.filter((t) => mask?.[t] !== 0);
  });
  const metrics = {
    tokens: sum(sequences.map((s) => s.length)),
    sequences: sequences.filter((s) => s.length > 0).length,
    policyLossSum: 0,
    klSum: 0,
    entropySum: 0,
    logRatioSum: 0,
    ratioSum: 0,
    weightSum: 0,
    clippedLow: 0,
    clippedHigh: 0,
    clippedDual: 0,
    dropped: 0,
  };
  const sequenceCount = o.countEmptySequences ? count : metrics.sequences;
  const offsets = inputs.promptOffsets ?? Int32Array.of(0);
  const promptTokens = Array.from({ length: offsets.length - 1 }, (_, p) =>
    sum(sequences.slice(offsets[p], offsets[p + 1]).map((s) => s.length)),
  );
  const scaleOf = (s: number): number => {
    const length = sequences[s]!.length;
    const by = (counted: number): number => o.denominator ?? counted;
    if (o.aggregation === 'token-mean') return 1 / by(metrics.tokens);
    if (o.aggregation === 'token-sum') return 1 / by(1);
    if (o.aggregation === 'seq-mean-token-mean') return 1 / (by(sequenceCount) * length);
    if (o.aggregation === 'seq-mean-token-sum') return 1 / by(sequenceCount);
    if (o.aggregation === 'seq-mean-token-sum-norm') return 1 / (by(sequenceCount) * o.horizon);
    const p = offsets.findIndex((begin, i) => s >= begin && s < offsets[i + 1]!);
    return 1 / (by(promptTokens.filter((n) => n > 0).length) * promptTokens[p]!);
  };

  let loss = 0;
  sequences.forEach((tokens, s) => {
    if (tokens.length === 0) return;
    const sequenceAdvantage = advantages[s]!;
    const advantageOf = (t: number): number => (advantages.length === count ? sequenceAdvantage : advantages[t]!);
    const meanLogRatio = sum(tokens.map((t) => frozen[t]! - oldLogprobs[t]!)) / tokens.length;
    const geometricMean = (): number => {
      const clipped = (d: number): number =>
        sequenceAdvantage > 0 ? Math.min(d, o.clipHigh) : sequenceAdvantage < 0 ? Math.max(d, -o.clipLow) : 0;
      return Math.exp(sum(tokens.map((t) => clipped(logprobs[t]! - oldLogprobs[t]!))) / tokens.length);
    };
    const phi = (): number => {
      const least = Math.log(1e-8);
      const log = (t: number): number => (weights ? clip(Math.log(weights[t]!), least, 20) : 0);
      const total = sum(tokens.map((t) => clip(frozen[t]! - oldLogprobs[t]!, -20, 20) + log(t)));
      const logWeight = clip(total, least, 20);
      const [k, lambda] = sequenceAdvantage >= 0 ? o.vespoPositive : o.vespoNegative;
      return Math.exp(lambda + k * logWeight - lambda * Math.exp(logWeight));
    };
    const divergence = sum(tokens.map((t) => rollout[t]! - frozen[t]!)) / tokens.length;
    const offPolicy = sequenceAdvantage < 0 && divergence > o.offPolicyLimit;
    const factor = o.loss === 'gmpo' ? geometricMean() : o.loss === 'vespo' ? phi() : 1;
    for (const t of tokens) {
      const A = advantageOf(t);
      const lp = logprobs[t]!;
      const old = oldLogprobs[t]!;
      const limited = (logRatio: number): number => clip(logRatio, -o.logRatioLimit, o.logRatioLimit);
      const d = limited(lp - old);
      const tokenRatio = Math.exp(d);
      // The sequence's ratio in GSPO-token form: its value, with the gradient of the token.
      const live = o.ratioLevel === 'sequence' ? meanLogRatio + (lp - frozen[t]!) : lp - old;
      const r = Math.exp(limited(live));
      const fixed = Math.exp(limited(o.ratioLevel === 'sequence' ? meanLogRatio : frozen[t]! - old));
      const [low, high] = [1 - o.clipLow, 1 + o.clipHigh];
      const isSelected = selected !== undefined && selected[t] !== 0;
      let policy: number;
      let [below, above, dual] = [r < low && A < 0, r > high && A > 0, false];
      if (o.loss === 'clip') {
        policy = Math.max(-Math.min(r, o.delta) * A, -clip(r, low, high) * A);
        if (A < 0 && o.dualClip !== Infinity) policy = Math.min(policy, -o.dualClip * A);
        dual = A < 0 && r > Math.min(o.dualClip, o.delta);
      } else if (o.loss === 'cispo') {
        policy = -clip(fixed, low, high) * A * lp;
        [below, above] = [r < low, r > high];
      } else if (o.loss === 'topr') {
        policy = A > 0 ? -A * lp : -Math.min(fixed, 1) * A * lp;
        [below, above] = [false, A <= 0 && r > 1];
      } else if (o.loss === 'dppo-tv' || o.loss === 'dppo-kl') {
        const [p, q] = [Math.exp(frozen[t]!), Math.exp(old)];
        const kl = q * (old - frozen[t]!) + (1 - q) * Math.log((1 - q + 1e-8) / (1 - p + 1e-8));
        const tv = o.loss === 'dppo-tv';
        below = A <= 0 && (tv ? p - q < -o.clipLow : kl > o.clipLow && p < q);
        above = A > 0 && (tv ? p - q > o.clipHigh : kl > o.clipHigh && p > q);
        policy = below || above ? 0 : -A * Math.min(fixed, o.ratioCap) * lp;
      } else if (o.loss === 'sapo') {
        const tau = A > 0 ? o.tauPositive : o.tauNegative;
        policy = (-A * 4) / tau / (1 + Math.exp(-tau * (r - 1)));
        [below, above] = [false, false];
      } else if (o.loss === 'gmpo') {
        policy = -factor * A;
        [below, above] = [d < -o.clipLow && A < 0, d > o.clipHigh && A > 0];
      } else if (o.loss === 'kl-cov') {
        policy = -r * A + (isSelected ? coefficient * Math.abs(d) : 0);
        [below, above] = [false, false];
      } else {
        policy = -A * lp * (o.loss === 'vespo' ? factor : 1);
        if (o.loss === 'squared') policy += (coefficient / 2) * d * d;
        [below, above] = [false, false];
      }
      const dropped = offPolicy || (isSelected && o.loss !== 'kl-cov');
      if (dropped) policy = 0;
      if (weights && o.loss !== 'vespo') policy *= weights[t]!;
      const kl = refLogprobs ? klTerm(o, lp, frozen[t]!, refLogprobs[t]!, tokenRatio) : 0;
      const entropy = entropies?.[t] ?? 0;
      loss += scaleOf(s) * (policy + (o.klCoef === 0 ? 0 : o.klCoef * kl) - o.entropyCoef * entropy);
      metrics.policyLossSum += policy;
      metrics.klSum += kl;
      metrics.entropySum += entropy;
      metrics.logRatioSum += lp - old;
      metrics.ratioSum += r;
      metrics.weightSum += weights?.[t] ?? 0;
      metrics.clippedLow += below ? 1 : 0;
      metrics.clippedHigh += above ? 1 : 0;
      metrics.clippedDual += dual ? 1 : 0;
      metrics.dropped += dropped ? 1 : 0;
    }
  });
  return { loss, metrics };
}
