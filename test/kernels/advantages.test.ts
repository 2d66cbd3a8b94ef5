import fc from 'fast-check';
import { CrossThinkError, groupAdvantages, type GroupEstimator } from '../../lib/index.js';
import { randomOffsets } from './batches.js';
import { digest, sameBits } from './isas.js';
import { Random } from './random.js';
import { referenceGroupAdvantages } from './reference/advantages.js';

const reward = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(0, 1) },
  { weight: 3, arbitrary: fc.integer({ min: -640, max: 640 }).map((x) => x / 64) },
  { weight: 1, arbitrary: fc.constant(NaN) },
);

function offsetsOf(groups: readonly unknown[][]): Int32Array {
  const offsets = new Int32Array(groups.length + 1);
  groups.forEach((group, g) => (offsets[g + 1] = offsets[g]! + group.length));
  return offsets;
}

const estimators: GroupEstimator[] = [
  'grpo',
  'dr_grpo',
  'rloo',
  'maxrl',
  'gpg',
  'batch-std',
  'opo',
  'pass-k',
  'leave-one-out',
];

describe('groupAdvantages', () => {
  it.each(estimators)('%s follows its formula on groups of any size', (estimator) => {
    const groups = fc.array(fc.array(reward, { maxLength: 40 }), { maxLength: 50 });
    fc.assert(
      fc.property(groups, fc.constantFrom('zero' as const, 'raw' as const), (members, singletons) => {
        const rewards = Float32Array.from(members.flat());
        const lengths = Float32Array.from(rewards, (_, i) => 1 + ((i * 7) % 11));
        const groupOffsets = offsetsOf(members);
        const options = { estimator, epsilon: 1e-4, singletons, lengths };
        const got = groupAdvantages(rewards, { groupOffsets, ...options });
        const want = referenceGroupAdvantages(rewards, groupOffsets, options);
        expect([...got.zeroVariance]).toEqual(want.zeroVariance);
        want.advantages.forEach((a, i) => {
          expect(Math.abs(got.advantages[i]! - a)).toBeLessThanOrEqual(5e-5 * (1 + Math.abs(a)));
        });
      }),
    );
  });

  it('leave-one-out knows a lone reward exactly, where rounding leaves a deviation of the others', () => {
    for (let size = 3; size < 60; size++) {
      const rewards = new Float32Array(size).fill(0.1);
      rewards[size >> 1] = 0.7;
      const { advantages } = groupAdvantages(rewards, { groupSize: size, estimator: 'leave-one-out' });
      expect(advantages[size >> 1]).toBeCloseTo(0.6, 5); // Not divided by noise.
      expect(advantages[0]).toBeLessThan(0);
    }
  });

  it('gives the textbook values', () => {
    const { advantages, zeroVariance } = groupAdvantages(Float32Array.of(1, 0, 0, 0, 1, 1), { groupSize: 2 });
    const unit = Math.SQRT1_2;
    [unit, -unit, 0, 0, 0, 0].forEach((a, i) => {
      expect(advantages[i]).toBeCloseTo(a, 5);
    });
    expect([...zeroVariance]).toEqual([0, 1, 1]);
  });

  it('detects equal rewards exactly, where a rounded standard deviation is not 0', () => {
    for (let size = 2; size < 100; size++) {
      const { advantages, zeroVariance } = groupAdvantages(new Float32Array(size).fill(0.1), { groupSize: size });
      expect(advantages.every((a) => Object.is(a, 0))).toBe(true);
      expect([...zeroVariance]).toEqual([1]);
    }
  });

  it('keeps groups apart: an infinite reward makes its own group NaN', () => {
    const rewards = Float32Array.of(1, 0, Infinity, 0, NaN, 2, 4, NaN);
    const { advantages, zeroVariance } = groupAdvantages(rewards, { groupSize: 2, estimator: 'dr_grpo' });
    expect([...advantages]).toEqual([0.5, -0.5, NaN, NaN, 0, 0, 0, 0]);
    expect([...zeroVariance]).toEqual([0, 0, 1, 1]);
  });

  it('has a zero sum and unit variance per group', () => {
    const random = new Random(1);
    const rewards = Float32Array.from({ length: 64 * 16 }, () => 1000 + random.uniform());
    const { advantages } = groupAdvantages(rewards, { groupSize: 16 });
    for (let g = 0; g < 64; g++) {
      const group = advantages.subarray(g * 16, g * 16 + 16);
      const sum = group.reduce((a, b) => a + b, 0);
      expect(Math.abs(sum)).toBeLessThan(1e-3);
      expect(group.reduce((a, b) => a + b * b, 0) / 15).toBeCloseTo(1, 3);
    }
  });

  const shapes = [
    ['short groups', 500, 0, 40],
    ['long groups', 12, 200, 600],
    ['groups of many rows', 3, 700, 1500],
  ] as const;
  it.each(estimators.flatMap((estimator) => shapes.map((shape) => [...shape, estimator] as const)))(
    'has the same bits on every instruction set and thread count: %s (%i, %i..%i), %s',
    (_, count, least, most, estimator) => {
      const random = new Random(7);
      const groupOffsets = randomOffsets(random, count, least, most);
      const reward = (): number => (random.uniform() < 0.02 ? NaN : random.uniform() * 4);
      const rewards = Float32Array.from({ length: groupOffsets[count]! }, reward);
      const lengths = rewards.map(() => 1 + random.integer(900));
      const got = sameBits((threads) => groupAdvantages(rewards, { groupOffsets, estimator, lengths, threads }));
      const want = referenceGroupAdvantages(rewards, groupOffsets, { estimator, epsilon: 1e-6, lengths });
      expect([...got.zeroVariance]).toEqual(want.zeroVariance);
      got.advantages.forEach((a, i) => {
        expect(Math.abs(a - want.advantages[i]!)).toBeLessThan(1e-4);
      });
    },
  );

  it('gives a group the same bits wherever it stands, by size or by offsets', () => {
    const random = new Random(3);
    const rewards = Float32Array.from({ length: 24 * 13 }, () => random.uniform());
    const whole = groupAdvantages(rewards, { groupSize: 13 });
    const groupOffsets = Int32Array.from({ length: 25 }, (_, g) => g * 13);
    expect(digest(groupAdvantages(rewards, { groupOffsets }))).toBe(digest(whole));
    for (const g of [0, 5, 17, 23]) {
      const alone = groupAdvantages(rewards.slice(g * 13, g * 13 + 13), { groupSize: 13 });
      expect(digest(alone.advantages)).toBe(digest(whole.advantages.slice(g * 13, g * 13 + 13)));
    }
  });

  it('writes into arrays passed in, and nothing beyond them', () => {
    const advantages = new Float32Array(12).fill(7);
    const zeroVariance = new Uint8Array(4).fill(7);
    const out = { advantages: advantages.subarray(1, 11), zeroVariance: zeroVariance.subarray(1, 3) };
    const got = groupAdvantages(Float32Array.of(1, 0, 0, 0, 0, 1, 1, 1, 1, 1), { groupSize: 5, out });
    expect(got.advantages).toBe(out.advantages);
    expect([advantages[0], advantages[11], zeroVariance[0], zeroVariance[3]]).toEqual([7, 7, 7, 7]);
    expect([...got.zeroVariance]).toEqual([0, 1]);
  });

  it('accepts nothing to do', () => {
    expect(groupAdvantages(new Float32Array(0), { groupSize: 8 }).advantages).toHaveLength(0);
    expect([...groupAdvantages(new Float32Array(0), { groupOffsets: Int32Array.of(0, 0, 0) }).zeroVariance]).toEqual([
      1, 1,
    ]);
  });

  const rewards = new Float32Array(6);
  it.each<[string, () => unknown]>([
    ['rewards', () => groupAdvantages([1, 2] as unknown as Float32Array, { groupSize: 2 })],
    ['options.groupSize', () => groupAdvantages(rewards, { groupSize: 4 })],
    ['options.groupSize', () => groupAdvantages(rewards, { groupSize: 0 })],
    ['options.groupSize', () => groupAdvantages(rewards, { groupSize: 1.5 })],
    ['options', () => groupAdvantages(rewards, {})],
    ['options', () => groupAdvantages(rewards, { groupSize: 2, groupOffsets: Int32Array.of(0, 6) })],
    ['options.groupOffsets', () => groupAdvantages(rewards, { groupOffsets: new Int32Array(0) })],
    ['options.groupOffsets', () => groupAdvantages(rewards, { groupOffsets: [0, 6] as unknown as Int32Array })],
    ['options.groupOffsets[0]', () => groupAdvantages(rewards, { groupOffsets: Int32Array.of(1, 6) })],
    ['options.groupOffsets[2]', () => groupAdvantages(rewards, { groupOffsets: Int32Array.of(0, 4, 3, 6) })],
    ['options.groupOffsets[1]', () => groupAdvantages(rewards, { groupOffsets: Int32Array.of(0, 9, 6) })],
    ['options.groupOffsets[1]', () => groupAdvantages(rewards, { groupOffsets: Int32Array.of(0, 5) })],
    ['options.estimator', () => groupAdvantages(rewards, { groupSize: 2, estimator: 'x' as GroupEstimator })],
    ['options.lengths', () => groupAdvantages(rewards, { groupSize: 2, estimator: 'opo' })],
    ['options.singletons', () => groupAdvantages(rewards, { groupSize: 2, singletons: 'x' as 'raw' })],
    ['options.epsilon', () => groupAdvantages(rewards, { groupSize: 2, epsilon: -1 })],
    ['options.out.advantages', () => groupAdvantages(rewards, { groupSize: 2, out: { advantages: rewards } })],
    [
      'options.out.advantages',
      () => groupAdvantages(rewards, { groupSize: 2, out: { advantages: new Float32Array(5) } }),
    ],
    [
      'options.out.zeroVariance',
      () => groupAdvantages(rewards, { groupSize: 2, out: { zeroVariance: new Uint8Array(2) } }),
    ],
  ])('names %s in its error', (field, call) => {
    expect(call).toThrow(expect.objectContaining({ field }) as CrossThinkError);
    expect(call).toThrow(CrossThinkError);
  });
});
