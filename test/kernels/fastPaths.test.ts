import { groupAdvantages, policyLoss, type GroupEstimator, type LossSettings } from '../../lib/index.js';
import { randomBatch } from './batches.js';
import { digest, sameBits } from './isas.js';
import { Random } from './random.js';

/**
 * Common cases have loops of their own (ordinary_groups.h, plain_loss_cpu.h). They must not be told from the general ones
 * by their results, least of all where something is not ordinary.
 */
const strange = [NaN, Infinity, -Infinity, -0, 3e38, -3e38, 1e-45, 1e17, 2e18];

describe('groupAdvantages of groups of one size', () => {
  const estimators: GroupEstimator[] = ['grpo', 'dr_grpo', 'rloo', 'maxrl', 'gpg', 'batch-std', 'opo', 'pass-k'];
  it.each([1, 2, 4, 5, 8, 16, 20, 32, 256, 300])('size %d: the bits of groups of any size', (groupSize) => {
    const random = new Random(groupSize);
    const groups = 53;
    const lengths = Float32Array.from({ length: groups * groupSize }, () => 1 + random.integer(9));
    for (const rate of [0, 0.002, 0.2]) {
      const rewards = lengths.map(() =>
        random.uniform() < rate ? strange[random.integer(strange.length)]! : random.integer(3) / 2,
      );
      rewards.fill(0.25, 0, groupSize); // A group without a signal.
      const groupOffsets = Int32Array.from({ length: groups + 1 }, (_, g) => g * groupSize);
      for (const estimator of estimators) {
        for (const epsilon of [1e-6, 0]) {
          const options = { estimator, epsilon, lengths };
          const fixed = sameBits((threads) => groupAdvantages(rewards, { groupSize, threads, ...options }));
          expect(digest(groupAdvantages(rewards, { groupOffsets, ...options })) === digest(fixed)).toBe(true);
        }
      }
    }
  });
});

describe('policyLoss with few options', () => {
  const settings: [string, LossSettings][] = [
    ['default', {}],
    ['with a KL', { klCoef: 0.1 }],
    ['measuring the KL', { klCoef: 0 }],
    ['clip-higher', { clipHigh: 0.28, aggregation: 'token-sum' }],
    ['without a scale', { denominator: 1e308, klCoef: 0.1 }],
    ['dual clip', { dualClip: 3, klCoef: 0.1 }],
    ['two-sided, log-ratios limited', { delta: 1.5, logRatioLimit: 0.3 }],
    ['verl', { dualClip: 1.4, logRatioLimit: 0.5, klInputLimit: 0.4, klOutputLimit: 0.05, klCoef: 0.1 }],
    ['NeMo-RL', { klCoef: 0.1, klCorrection: 'on-policy', klInputLimit: 0.4 }],
    ['the ratio of the sequence', { ratioLevel: 'sequence', clipLow: 0.01, clipHigh: 0.02, klCoef: 0.1 }],
    ['CISPO', { loss: 'cispo', clipLow: 0.3, clipHigh: 0.2, klCoef: 0.1 }],
    ['CISPO without bounds', { loss: 'cispo', clipLow: 1, clipHigh: Infinity, klCoef: 0 }],
  ];
  it.each(settings)('%s: the bits of the loop with every option', (_, options) => {
    for (const [sequences, most] of [
      [40, 70],
      [3, 2500],
    ] as const) {
      const { logprobs, oldLogprobs, refLogprobs, advantages, cuSeqlens, mask } = randomBatch(
        sequences,
        sequences,
        0,
        most,
      );
      advantages.set([0, -0, NaN].slice(0, sequences - 1));
      mask.fill(1, 0, cuSeqlens[sequences >> 1]);
      for (const rate of [0, 0.01]) {
        const random = new Random(9);
        const odd = logprobs.map((x) => (random.uniform() < rate ? strange[random.integer(strange.length)]! : x));
        for (const inputs of [{ mask, refLogprobs }, { mask }, { refLogprobs }, {}]) {
          if (options.klCoef !== undefined && options.klCoef !== 0 && !('refLogprobs' in inputs)) continue;
          const batch = { ...inputs, logprobs: odd, oldLogprobs, advantages, cuSeqlens };
          const plain = sameBits((threads) => policyLoss(batch, { ...options, threads }));
          // A selection of no token is all that tells the two calls apart.
          const selected = new Uint8Array(odd.length);
          expect(digest(policyLoss({ ...batch, selected }, options)) === digest(plain)).toBe(true);
        }
      }
    }
  });
});
