import { groupAdvantages, policyLoss, type GroupEstimator, type LossSettings } from '../../lib/index.js';
import { randomBatch } from './batches.js';
import { digest, sameBits } from './isas.js';
import { Random } from './random.js';

/**
 * Common cases have loops of their own (ordinary_groups.h, plain_loss_cpu.h). They must not be told from the general ones
 * by their results, least of all where something is not ordinary.
 */
const strange = [NaN, Infinity, -Infinity, -0, 3e38, -3e38, 1e-45, 1e17, 2e18];

describe('groupAdvantages of many groups', () => {
  const ofTheGroup: GroupEstimator[] = ['grpo', 'dr_grpo', 'rloo', 'maxrl', 'opo', 'pass-k'];
  const ofTheBatch: GroupEstimator[] = ['gpg', 'batch-std'];
  const sizes: [string, (random: Random) => number][] = [
    ...[1, 2, 4, 5, 8, 16, 20, 32, 256, 300].map((size): [string, () => number] => [`size ${size}`, () => size]),
    ['size 1 to 32', (random) => 1 + random.integer(32)],
    ['size 0 to 3', (random) => random.integer(4)],
    ['some longer than a row', (random) => (random.integer(40) === 0 ? 300 : 5 + random.integer(9))],
  ];
  it.each(sizes)('%s: the bits of every group alone', (_, size) => {
    const random = new Random(7);
    const groups = 150;
    const groupOffsets = new Int32Array(groups + 1);
    for (let g = 0; g < groups; g++) groupOffsets[g + 1] = groupOffsets[g]! + size(random);
    const count = groupOffsets[groups]!;
    const lengths = Float32Array.from({ length: count }, () => 1 + random.integer(9));
    for (const rate of [0, 0.002, 0.1]) {
      const rewards = lengths.map(() =>
        random.uniform() < rate ? strange[random.integer(strange.length)]! : random.integer(3) / 2 + random.uniform(),
      );
      rewards.fill(0.25, 0, groupOffsets[1]); // A group without a signal.
      for (const epsilon of [1e-6, 0]) {
        const of = (estimator: GroupEstimator) => ({ estimator, epsilon, lengths });
        for (const estimator of ofTheGroup) {
          const all = sameBits((threads) => groupAdvantages(rewards, { groupOffsets, threads, ...of(estimator) }));
          const alone = { advantages: new Float32Array(count), zeroVariance: new Uint8Array(groups) };
          for (let g = 0; g < groups; g++) {
            const [begin, end] = [groupOffsets[g]!, groupOffsets[g + 1]!];
            const options = { ...of(estimator), lengths: lengths.subarray(begin, end) };
            const one = { ...options, groupOffsets: Int32Array.of(0, end - begin) };
            const { advantages, zeroVariance } = groupAdvantages(rewards.subarray(begin, end), one);
            alone.advantages.set(advantages, begin);
            alone.zeroVariance[g] = zeroVariance[0]!;
          }
          expect(digest(alone) === digest(all)).toBe(true);
        }
        const groupSize = count / groups;
        if (groupOffsets.some((begin, g) => begin !== g * groupSize)) continue;
        for (const estimator of [...ofTheGroup, ...ofTheBatch]) {
          const fixed = sameBits((threads) => groupAdvantages(rewards, { groupSize, threads, ...of(estimator) }));
          expect(digest(groupAdvantages(rewards, { groupOffsets, ...of(estimator) })) === digest(fixed)).toBe(true);
        }
      }
    }
  });
});

describe('groupAdvantages of rewards of 0 and 1', () => {
  const estimators: GroupEstimator[] = ['grpo', 'dr_grpo', 'rloo', 'maxrl', 'gpg', 'batch-std'];
  it.each([4, 8, 16])('groups of %d: the bits of groups of any length', (groupSize) => {
    const random = new Random(groupSize);
    const groups = 1003;
    const groupOffsets = Int32Array.from({ length: groups + 1 }, (_, g) => g * groupSize);
    for (const rate of [0, 1e-4, 0.02]) {
      const rewards = Float32Array.from({ length: groups * groupSize }, (_, i) => {
        if (random.uniform() < rate) return [...strange, 0.5, 2, -1][random.integer(strange.length + 3)]!;
        return random.uniform() * 20 < Math.floor(i / groupSize) % 21 ? 1 : random.integer(50) === 0 ? -0 : 0;
      });
      for (const estimator of estimators) {
        for (const epsilon of [1e-6, 0]) {
          const fixed = sameBits((threads) => groupAdvantages(rewards, { groupSize, threads, estimator, epsilon }));
          expect(digest(groupAdvantages(rewards, { groupOffsets, estimator, epsilon })) === digest(fixed)).toBe(true);
          const one = { groupOffsets: Int32Array.of(0, groupSize), estimator, epsilon };
          if (estimator === 'gpg' || estimator === 'batch-std') continue;
          for (let g = 0; g < groups; g += 7) {
            const [begin, end] = [g * groupSize, (g + 1) * groupSize];
            const alone = groupAdvantages(rewards.subarray(begin, end), one);
            expect(alone.advantages).toEqual(fixed.advantages.subarray(begin, end));
            expect(alone.zeroVariance[0]).toBe(fixed.zeroVariance[g]);
          }
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
