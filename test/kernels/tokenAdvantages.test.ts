import fc from 'fast-check';
import {
  CrossThinkError,
  gaeAdvantages,
  groupAdvantages,
  optimalTokenBaseline,
  rewardsAtEnd,
  whiten,
} from '../../lib/index.js';
import { randomBatch, randomOffsets } from './batches.js';
import { sameBits } from './isas.js';
import { Random } from './random.js';
import { referenceGae } from './reference/advantages.js';

const slice = (array: ArrayLike<number>, begin: number, end: number): number[] => Array.from(array).slice(begin, end);
const expectClose = (got: ArrayLike<number>, want: readonly number[], tolerance = 1e-5): void => {
  expect(got).toHaveLength(want.length);
  want.forEach((x, i) => {
    expect([i, Math.abs(got[i]! - x) <= tolerance * (1 + Math.abs(x))]).toEqual([i, true]);
  });
};

describe('gaeAdvantages', () => {
  const random = new Random(1);
  const cuSeqlens = randomOffsets(random, 30, 0, 50);
  const tokens = cuSeqlens[30]!;
  const rewards = random.normals(tokens);
  const values = random.normals(tokens);
  const mask = Uint8Array.from(rewards, () => (random.uniform() < 0.8 ? 1 : 0));

  it.each([
    [1, 1],
    [0.99, 0.95],
    [0.9, 0],
  ])('is the sum of discounted deltas over the valid tokens: gamma %p, lambda %p', (gamma, lambda) => {
    const got = sameBits((threads) => gaeAdvantages({ rewards, values, mask, cuSeqlens }, { gamma, lambda, threads }));
    for (let s = 0; s < 30; s++) {
      const [begin, end] = [cuSeqlens[s]!, cuSeqlens[s + 1]!];
      const valid = slice(mask, begin, end).map((m) => m !== 0);
      const want = referenceGae(slice(rewards, begin, end), slice(values, begin, end), valid, gamma, lambda);
      expectClose(slice(got.advantages, begin, end), want);
      const returns = want.map((a, i) => (valid[i] ? a + values[begin + i]! : 0));
      expectClose(slice(got.returns, begin, end), returns);
    }
  });

  it('takes one lambda per sequence', () => {
    const lambda = Float32Array.from({ length: 30 }, (_, s) => 1 - 1 / (1 + s));
    const all = gaeAdvantages({ rewards, values, cuSeqlens }, { lambda }).advantages;
    for (const s of [0, 3, 29]) {
      const [begin, end] = [cuSeqlens[s]!, cuSeqlens[s + 1]!];
      const alone = { rewards: rewards.slice(begin, end), values: values.slice(begin, end) };
      const one = gaeAdvantages({ ...alone, cuSeqlens: Int32Array.of(0, end - begin) }, { lambda: lambda[s]! });
      expect(one.advantages).toEqual(all.slice(begin, end));
    }
  });

  it('without values and with lambda 1 is the discounted return', () => {
    const { advantages } = gaeAdvantages(
      { rewards: Float32Array.of(0, 5, 0, 1), mask: Uint8Array.of(1, 0, 1, 1), cuSeqlens: Int32Array.of(0, 4) },
      { gamma: 0.5 },
    );
    expect([...advantages]).toEqual([0.25, 0, 0.5, 1]);
  });

  it.each<[string, () => unknown]>([
    ['values', () => gaeAdvantages({ rewards, values: values.slice(1), cuSeqlens })],
    ['mask', () => gaeAdvantages({ rewards, mask: mask.slice(1), cuSeqlens })],
    ['options.gamma', () => gaeAdvantages({ rewards, cuSeqlens }, { gamma: 1.1 })],
    ['options.lambda', () => gaeAdvantages({ rewards, cuSeqlens }, { lambda: new Float32Array(3) })],
    ['cuSeqlens[30]', () => gaeAdvantages({ rewards: rewards.slice(1), cuSeqlens })],
  ])('names %s in its error', (field, call) => {
    expect(call).toThrow(expect.objectContaining({ field }) as CrossThinkError);
  });
});

describe('whiten', () => {
  it('gives mean 0 and variance 1, weighted as the tokens would be', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 2, max: 40 }), (seed, n) => {
        const random = new Random(seed);
        const values = random.normals(n, 3, 1);
        const weights = Float32Array.from(values, () => 1 + random.integer(9));
        const tokens = Float32Array.from([...values].flatMap((x, i) => Array<number>(weights[i]!).fill(x)));
        const perToken = whiten(tokens);
        const got = whiten(values, { weights });
        const starts = [...weights].map((_, i) => weights.subarray(0, i).reduce((a, b) => a + b, 0));
        expectClose(
          got,
          starts.map((t) => perToken[t]!),
        );
        const mean = perToken.reduce((a, b) => a + b, 0) / tokens.length;
        expect(Math.abs(mean)).toBeLessThan(1e-5);
        expect(perToken.reduce((a, b) => a + b * b, 0) / (tokens.length - 1)).toBeCloseTo(1, 4);
      }),
    );
  });

  it('has the variants of verl, TRL and NeMo-RL', () => {
    const values = Float32Array.of(1, 2, 4, 9, 100);
    const mask = Uint8Array.of(1, 1, 1, 1, 0);
    const square = 9 + 4 + 0 + 25; // About the mean, 4.
    const scaled = (std: number): number[] => [-3 / std, -2 / std, 0, 5 / std, 0];
    expectClose(whiten(values, { mask }), scaled(Math.sqrt(square / 3)));
    expectClose(whiten(values, { mask, epsilonAt: 'std', epsilon: 1e-4 }), scaled(Math.sqrt(square / 3) + 1e-4));
    expectClose(whiten(values, { mask, bessel: false, epsilonAt: 'floor' }), scaled(Math.sqrt(square / 4)));
    expectClose(
      whiten(values, { mask, keepMean: true }),
      scaled(Math.sqrt(square / 3)).map((x, i) => (i < 4 ? x + 4 : 0)),
    );
    expect([...whiten(new Float32Array(4).fill(2))]).toEqual([0, 0, 0, 0]);
  });

  it('after dr_grpo, weighted by lengths, is REINFORCE++-baseline', () => {
    const { advantages } = groupAdvantages(Float32Array.of(1, 0, 1, 1), { groupSize: 2, estimator: 'dr_grpo' });
    const got = whiten(advantages, { weights: Float32Array.of(10, 30, 5, 5) });
    // Tokens: 10 of 0.5, 30 of -0.5, 10 of 0.
    const mean = (5 - 15) / 50;
    const std = Math.sqrt((10 * (0.5 - mean) ** 2 + 30 * (-0.5 - mean) ** 2 + 10 * mean ** 2) / 49);
    expectClose(
      got,
      [0.5, -0.5, 0, 0].map((a) => (a - mean) / std),
    );
  });
});

describe('optimalTokenBaseline', () => {
  it('follows its formula, with no baseline where a response is alone', () => {
    const random = new Random(5);
    const batch = randomBatch(5, 12, 0, 20);
    const { cuSeqlens, mask, logprobs, weights } = batch;
    const groupOffsets = Int32Array.of(0, 1, 5, 9, 12);
    const outcome = Float32Array.from({ length: 12 }, () => random.integer(2));
    const rewards = rewardsAtEnd(outcome, cuSeqlens, mask);
    const sumSquares = Float32Array.from(logprobs, () => random.uniform());
    const inputs = { rewards, cuSeqlens, mask, groupOffsets, logprobs, sumSquares, weights };
    const got = sameBits((threads) => optimalTokenBaseline(inputs, { threads }));
    const valid = Array.from({ length: 12 }, (_, s) =>
      Array.from({ length: cuSeqlens[s + 1]! - cuSeqlens[s]! }, (__, i) => cuSeqlens[s]! + i).filter(
        (t) => mask[t] !== 0,
      ),
    );
    const variance = (s: number, i: number): number =>
      valid[s]!.slice(0, i + 1).reduce(
        (w, t) => w + weights[t]! ** 2 * (1 - 2 * Math.exp(logprobs[t]!) + sumSquares[t]!),
        0,
      );
    for (let g = 0; g < 4; g++) {
      for (let s = groupOffsets[g]!; s < groupOffsets[g + 1]!; s++) {
        valid[s]!.forEach((t, i) => {
          const peers = Array.from({ length: groupOffsets[g + 1]! - groupOffsets[g]! }, (_, k) => groupOffsets[g]! + k);
          const there = peers.filter((p) => valid[p]!.length > i);
          const total = there.reduce((w, p) => w + variance(p, i), 0) + 1e-8;
          const baseline = there.length < 2 ? 0 : there.reduce((b, p) => b + outcome[p]! * variance(p, i), 0) / total;
          expect(got[t]).toBeCloseTo(outcome[s]! - baseline, 5);
        });
      }
    }
    expect(got.filter((_, t) => mask[t] === 0).every((a) => a === 0)).toBe(true);
  });
});
