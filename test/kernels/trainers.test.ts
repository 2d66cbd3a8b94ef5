import { policyLoss, rolloutCorrection, type PolicyLossInputs, type PolicyLossOptions } from '../../lib/index.js';
import { randomBatch } from './batches.js';

/**
 * The presets against the trainers' own formulas, written down here as they stand in their sources (docs/losses.md cites
 * them), independent of the reference of the other tests. `sg` are the log-probs where a formula stops the gradient.
 */
interface Token {
  lp: number;
  sg: number;
  old: number;
  ref: number;
  rollout: number;
  A: number;
}
type Sequence = Token[];
type Trainer = (sequences: Sequence[]) => number;

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const clamp = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);
const tokenMean = (sequences: Sequence[], loss: (t: Token) => number): number =>
  sum(sequences.flat().map(loss)) / sequences.flat().length;
const sequenceMean = (sequences: Sequence[], loss: (t: Token, s: Sequence) => number): number => {
  const filled = sequences.filter((s) => s.length > 0);
  return sum(filled.map((s) => sum(s.map((t) => loss(t, s))) / s.length)) / filled.length;
};
const ppo = (r: number, A: number, low: number, high: number): number =>
  -Math.min(r * A, clamp(r, 1 - low, 1 + high) * A);

const batch = randomBatch(41, 16, 0, 40);
/** Log-probs far enough from the old ones that dual clip and clamps act. */
batch.logprobs.forEach((lp, t) => (batch.logprobs[t] = t % 7 === 0 ? lp + 1.5 : t % 11 === 0 ? lp - 3 : lp));
const { weights, ...correctionMask } = rolloutCorrection({ ...batch, logprobs: batch.oldLogprobs }, 'trl@2026-07');

function sequencesOf(logprobs: ArrayLike<number>): Sequence[] {
  return Array.from(batch.advantages, (A, s) => {
    const tokens: Sequence = [];
    for (let t = batch.cuSeqlens[s]!; t < batch.cuSeqlens[s + 1]!; t++) {
      if (batch.mask[t] === 0) continue;
      const [old, ref, rollout] = [batch.oldLogprobs[t]!, batch.refLogprobs[t]!, batch.rolloutLogprobs[t]!];
      tokens.push({ lp: logprobs[t]!, sg: batch.logprobs[t]!, old, ref, rollout, A });
    }
    return tokens;
  });
}

const inputs: PolicyLossInputs = {
  logprobs: batch.logprobs,
  oldLogprobs: batch.oldLogprobs,
  refLogprobs: batch.refLogprobs,
  advantages: batch.advantages,
  cuSeqlens: batch.cuSeqlens,
  mask: batch.mask,
};

/** trl/trainer/grpo_trainer.py, loss_type dapo, with the sequence_mask correction at 3. */
const trl: Trainer = (sequences) => {
  const weightOf = new Map(sequences.map((s) => [s, Math.exp(sum(s.map((t) => t.old - t.rollout)))]));
  const loss = (t: Token, s: Sequence): number => {
    const w = weightOf.get(s)!;
    return ppo(Math.exp(t.lp - t.old), t.A, 0.2, 0.2) * (w > 3 ? 0 : w);
  };
  return sum(sequences.flatMap((s) => s.map((t) => loss(t, s)))) / sequences.flat().length;
};

/** verl/trainer/ppo/core_algos.py, compute_policy_loss_vanilla and kl_penalty low_var_kl, kl_loss_coef 0.001. */
const verl: Trainer = (sequences) =>
  tokenMean(sequences, (t) => {
    const r = Math.exp(clamp(t.lp - t.old, -20, 20));
    const clipped = Math.max(-t.A * r, -t.A * clamp(r, 0.8, 1.2));
    const policy = t.A < 0 ? Math.min(-t.A * 3, clipped) : clipped;
    const kl = clamp(t.ref - t.lp, -20, 20);
    return policy + 0.001 * clamp(Math.exp(kl) - kl - 1, -10, 10);
  });

/** nemo_rl/algorithms/loss/loss_functions.py, ClippedPGLossFn: k3 with its score-function weight, coefficient 0.01. */
const nemo: Trainer = (sequences) =>
  tokenMean(sequences, (t) => {
    const r = Math.exp(t.lp - t.old);
    const policy = Math.max(-t.A * r, -t.A * clamp(r, 0.8, 1.2));
    const logr = clamp(t.ref - t.lp, -20, 20);
    const k3 = clamp(Math.exp(logr) - 1 - logr, -10, 10);
    return policy + 0.01 * Math.exp(t.lp - t.sg) * k3;
  });

const meanLogRatio = (s: Sequence, of: 'lp' | 'sg'): number => sum(s.map((t) => t[of] - t.old)) / s.length;

/** The papers. */
const grpo: Trainer = (sequences) => sequenceMean(sequences, (t) => ppo(Math.exp(t.lp - t.old), t.A, 0.2, 0.2));
const drGrpo: Trainer = (sequences) =>
  sum(sequences.flat().map((t) => ppo(Math.exp(t.lp - t.old), t.A, 0.2, 0.2))) /
  (50 * sequences.filter((s) => s.length > 0).length);
const dapo: Trainer = (sequences) => tokenMean(sequences, (t) => ppo(Math.exp(t.lp - t.old), t.A, 0.2, 0.28));
const gspo: Trainer = (sequences) =>
  sequenceMean(sequences, (t, s) => ppo(Math.exp(meanLogRatio(s, 'lp')), t.A, 3e-4, 4e-4));
const cispo: Trainer = (sequences) => tokenMean(sequences, (t) => -Math.min(Math.exp(t.sg - t.old), 5) * t.A * t.lp);

describe.each<[string, Trainer, PolicyLossOptions, boolean]>([
  ['trl@2026-07', trl, { preset: 'trl@2026-07' }, true],
  ['verl@2026-08', verl, { preset: 'verl@2026-08', klCoef: 0.001 }, false],
  ['nemo-rl@2026-08', nemo, { preset: 'nemo-rl@2026-08' }, false],
  ['grpo', grpo, { preset: 'grpo' }, false],
  ['dr_grpo', drGrpo, { preset: 'dr_grpo', horizon: 50 }, false],
  ['dapo', dapo, { preset: 'dapo' }, false],
  ['gspo', gspo, { preset: 'gspo' }, false],
  ['cispo', cispo, { preset: 'cispo' }, false],
])('preset %s', (_, trainer, options, corrected) => {
  const given = corrected ? { ...inputs, weights } : inputs;

  it('has the loss of its source', () => {
    expect(policyLoss(given, options).loss).toBeCloseTo(trainer(sequencesOf(batch.logprobs)), 5);
  });

  it('has the gradient of its source', () => {
    const { dLogprobs } = policyLoss(given, options);
    const at = (t: number, h: number): number => {
      const moved = Float64Array.from(batch.logprobs);
      moved[t] = moved[t]! + h;
      return trainer(sequencesOf(moved));
    };
    let compared = 0;
    dLogprobs.forEach((g, t) => {
      const here = at(t, 0);
      const [left, right] = [(here - at(t, -1e-6)) / 1e-6, (at(t, 1e-6) - here) / 1e-6];
      if (Math.abs(left - right) > 1e-5) return; // A kink.
      compared++;
      expect(Math.abs(g - (left + right) / 2)).toBeLessThan(3e-6);
    });
    expect(compared).toBeGreaterThan(0.9 * dLogprobs.length);
  });
});

it('TRL’s correction leaves the denominators alone', () => {
  expect(correctionMask.mask).toEqual(batch.mask);
});
