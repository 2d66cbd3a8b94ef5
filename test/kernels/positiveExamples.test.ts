import fc from 'fast-check';
import {
  AdaptiveEntropyCoefficient,
  CrossThinkError,
  policyLoss,
  positiveExampleLoss,
  type EntropyCoefficientOptions,
} from '../../lib/index.js';
import { randomBatch, sliceBatch } from './batches.js';
import { sameBits } from './isas.js';

const positivesOf = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, s) => (s % 3 === 1 ? 1 : 0));

/** Valid tokens of positive sequences, and the sum of their negative log-likelihoods in float64. */
function reference(batch: ReturnType<typeof randomBatch>, positives: Uint8Array) {
  const tokens = [...batch.mask.keys()].filter((t) => {
    const s = batch.cuSeqlens.findIndex((end) => end > t) - 1;
    return batch.mask[t] !== 0 && positives[s] !== 0;
  });
  return { tokens: new Set(tokens), nllSum: tokens.reduce((sum, t) => sum - batch.logprobs[t]!, 0) };
}

describe('positiveExampleLoss', () => {
  it('is the mean negative log-likelihood of the right responses, times its coefficient', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 0, max: 12 }),
        fc.double({ min: 0.01, max: 2, noNaN: true }),
        (seed, n, mu) => {
          const batch = randomBatch(seed, n, 0, 40);
          const positives = positivesOf(n);
          const want = reference(batch, positives);
          const got = positiveExampleLoss({ ...batch, positives }, { coefficient: mu });
          const denominator = Math.max(1, want.tokens.size);
          expect(Math.abs(got.loss - (mu * want.nllSum) / denominator)).toBeLessThan(1e-5 * (1 + mu * 4));
          expect(got.metrics.tokens).toBe(want.tokens.size);
          expect(Math.abs(got.metrics.nllSum - want.nllSum)).toBeLessThan(1e-5 * (1 + want.nllSum));
          got.dLogprobs.forEach((g, t) => {
            const slope = want.tokens.has(t) ? -mu / denominator : 0;
            expect(Math.abs(g - slope)).toBeLessThan(1e-6 * Math.abs(slope) + (want.tokens.has(t) ? 1e-12 : 0) + 1e-30);
          });
        },
      ),
      { numRuns: 30 },
    );
  });

  it('has the same bits everywhere, adds to the gradients of the policy loss, and over micro-batches', () => {
    const batch = randomBatch(3, 9, 0, 1400);
    const positives = positivesOf(9);
    const alone = sameBits((threads) => positiveExampleLoss({ ...batch, positives }, { threads }));
    const policy = policyLoss({ ...batch, selected: undefined }, 'dapo').dLogprobs;
    const addTo = policy.slice();
    expect(positiveExampleLoss({ ...batch, positives }, { addTo }).dLogprobs).toBe(addTo);
    expect(addTo).toEqual(policy.map((g, t) => g + alone.dLogprobs[t]!));
    const denominator = alone.metrics.tokens;
    const parts = [sliceBatch(batch, 0, 4), sliceBatch(batch, 4, 9)].map((part, i) =>
      positiveExampleLoss({ ...part, positives: positives.slice(4 * i, i === 0 ? 4 : 9) }, { denominator }),
    );
    expect([...parts[0]!.dLogprobs, ...parts[1]!.dLogprobs]).toEqual([...alone.dLogprobs]);
    expect(parts[0]!.loss + parts[1]!.loss).toBeCloseTo(alone.loss, 12);
  });

  it('is 0 without a right response', () => {
    const batch = randomBatch(4, 3, 5, 9);
    const got = positiveExampleLoss({ ...batch, positives: new Uint8Array(3) });
    expect(got).toMatchObject({ loss: 0, metrics: { tokens: 0, nllSum: 0 } });
    expect(got.dLogprobs.every((g) => g === 0)).toBe(true);
  });

  const batch = randomBatch(5, 4, 5, 9);
  const inputs = { ...batch, positives: new Uint8Array(4) };
  it.each<[string, () => unknown]>([
    ['positives', () => positiveExampleLoss({ ...inputs, positives: new Uint8Array(3) })],
    ['mask', () => positiveExampleLoss({ ...inputs, mask: new Uint8Array(3) })],
    ['cuSeqlens[1]', () => positiveExampleLoss({ ...inputs, cuSeqlens: Int32Array.of(0, 9, 1, 2, 3) })],
    ['options.coefficient', () => positiveExampleLoss(inputs, { coefficient: 0 })],
    ['options.denominator', () => positiveExampleLoss(inputs, { denominator: 0 })],
    ['options.addTo', () => positiveExampleLoss(inputs, { addTo: new Float32Array(1) })],
  ])('names %s in its error', (field, call) => {
    expect(call).toThrow(CrossThinkError);
    if (field !== 'cuSeqlens[1]') expect(call).toThrow(expect.objectContaining({ field }) as CrossThinkError);
  });
});

describe('AdaptiveEntropyCoefficient', () => {
  it('grows below the target, shrinks above, and is applied at or below it only', () => {
    const c = new AdaptiveEntropyCoefficient({ target: 0.5, step: 0.25 });
    expect([0.1, 0.2, 0.5, 0.9, 0.3, 0.9, 0.9, 0.9, 0.4].map((entropy) => c.next(entropy))).toEqual([
      0, 0.25, 0.5, 0, 0.25, 0, 0, 0, 0,
    ]);
    expect(c.value).toBe(0.25);
  });

  it('stays in its bounds and goes on from a value', () => {
    const bounded = new AdaptiveEntropyCoefficient({ target: 1, step: 0.4, initial: 0.1, least: 0.05, most: 0.6 });
    for (let i = 0; i < 3; i++) bounded.next(0);
    expect(bounded.value).toBe(0.6);
    for (let i = 0; i < 3; i++) bounded.next(2);
    expect(bounded.value).toBe(0.05);
    const options: EntropyCoefficientOptions = { target: 0.3, step: 0.01 };
    const whole = new AdaptiveEntropyCoefficient(options);
    const entropies = [0.1, 0.2, 0.5, 0.1, 0.25, 0.31];
    const first = entropies.slice(0, 3).map((e) => whole.next(e));
    const resumed = new AdaptiveEntropyCoefficient({ ...options, initial: whole.value });
    const rest = entropies.slice(3);
    expect(rest.map((e) => resumed.next(e))).toEqual(rest.map((e) => whole.next(e)));
    expect(first).toHaveLength(3);
  });

  it('holds an entropy that follows it', () => {
    const c = new AdaptiveEntropyCoefficient({ target: 0.4, step: 0.02 });
    let entropy = 1;
    let sum = 0;
    for (let step = 0; step < 400; step++) {
      entropy += 0.3 * (0.05 + c.next(entropy) - 0.3 * entropy); // Falls to 0.17 by itself.
      if (step >= 200) sum += entropy / 200;
    }
    expect(Math.abs(sum - 0.4)).toBeLessThan(0.05);
  });

  it.each<[string, () => unknown]>([
    ['options.target', () => new AdaptiveEntropyCoefficient({ target: -1 })],
    ['options.step', () => new AdaptiveEntropyCoefficient({ target: 1, step: -1 })],
    ['options.most', () => new AdaptiveEntropyCoefficient({ target: 1, least: 2, most: 1 })],
    ['options.initial', () => new AdaptiveEntropyCoefficient({ target: 1, initial: 3, most: 1 })],
    ['entropy', () => new AdaptiveEntropyCoefficient({ target: 1 }).next(NaN)],
  ])('names %s in its error', (field, call) => {
    expect(call).toThrow(expect.objectContaining({ field }) as CrossThinkError);
  });
});
