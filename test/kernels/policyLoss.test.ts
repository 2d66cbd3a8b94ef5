import fc from 'fast-check';
import {
  CrossThinkError,
  policyLoss,
  type Aggregation,
  type PolicyLossInputs,
  type PolicyLossOptions,
} from '../../lib/index.js';
import { randomBatch, sliceBatch } from './batches.js';
import { bits, onEveryIsa } from './isas.js';
import { referencePolicyLoss, type ReferenceInputs } from './reference/policyLoss.js';

const settings = (aggregation: Aggregation) => ({ clipLow: 0.2, clipHigh: 0.28, klCoef: 0.04, aggregation });

/** Central difference of the reference loss in logprob t, in float64. */
function slope(batch: ReferenceInputs, t: number, options: Parameters<typeof referencePolicyLoss>[1]): number {
  const at = (h: number): number => {
    const logprobs = Float64Array.from(batch.logprobs);
    logprobs[t] = logprobs[t]! + h;
    return referencePolicyLoss({ ...batch, logprobs }, options).loss;
  };
  return (at(1e-5) - at(-1e-5)) / 2e-5;
}

describe('policyLoss', () => {
  it.each<Aggregation>(['token-mean', 'seq-mean-token-mean'])('%s: loss and metrics follow the formulas', (mode) => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 120 }), (seed, n, most) => {
        const batch = randomBatch(seed, n, 0, most);
        const options = settings(mode);
        const got = policyLoss(batch, options);
        const want = referencePolicyLoss(batch, options);
        expect(Math.abs(got.loss - want.loss)).toBeLessThan(2e-6);
        for (const [name, value] of Object.entries(want.metrics)) {
          const difference = Math.abs(got.metrics[name as keyof typeof want.metrics] - value);
          expect([name, difference <= 3e-7 * (1 + want.metrics.tokens)]).toEqual([name, true]);
        }
      }),
    );
  });

  it.each<Aggregation>(['token-mean', 'seq-mean-token-mean'])('%s: the gradient is that of the reference', (mode) => {
    const batch = randomBatch(5, 12, 1, 90);
    const options = settings(mode);
    const { dLogprobs } = policyLoss(batch, options);
    dLogprobs.forEach((g, t) => {
      if (batch.mask[t] === 0) expect(Object.is(g, 0)).toBe(true);
      const ratio = Math.exp(batch.logprobs[t]! - batch.oldLogprobs[t]!);
      if (Math.min(Math.abs(ratio - 0.8), Math.abs(ratio - 1.28)) < 1e-4) return; // A kink.
      expect(Math.abs(g - slope(batch, t, options))).toBeLessThan(1e-7);
    });
  });

  it('is -A per token where nothing has changed, exactly', () => {
    const logprobs = Float32Array.from({ length: 40 }, (_, i) => -i / 7);
    const inputs = {
      logprobs,
      oldLogprobs: logprobs,
      cuSeqlens: Int32Array.of(0, 40),
      advantages: Float32Array.of(0.75),
    };
    const { loss, dLogprobs, metrics } = policyLoss(inputs, 'dapo');
    expect(loss).toBe(-0.75);
    expect(metrics).toMatchObject({ tokens: 40, policyLossSum: -30, logRatioSum: 0, clippedLow: 0, clippedHigh: 0 });
    expect(new Set(dLogprobs)).toEqual(new Set([Math.fround(Math.fround(1 / 40) * -0.75)]));
  });

  it.each([
    ['short sequences', 300, 0, 70],
    ['sequences of many tiles', 5, 900, 5000],
  ])('has the same bits on every instruction set and thread count: %s', (_, count, least, most) => {
    const batch = randomBatch(11, count, least, most);
    const runs = onEveryIsa(() =>
      [1, 2, 3, 8].map((threads) => {
        const r = policyLoss(batch, { ...settings('token-mean'), threads });
        return { loss: r.loss, metrics: r.metrics, gradient: bits(r.dLogprobs) };
      }),
    );
    const all = [...runs.values()].flat();
    for (const run of all) expect(run).toEqual(all[0]);
  });

  it('adds up over micro-batches: gradients bit for bit, counts exactly, sums to rounding', () => {
    const batch = randomBatch(13, 20, 0, 1500);
    const tokens = policyLoss(batch, settings('token-mean')).metrics.tokens;
    const options = { ...settings('token-mean'), denominator: tokens };
    const whole = policyLoss(batch, options);
    const parts = [sliceBatch(batch, 0, 7), sliceBatch(batch, 7, 8), sliceBatch(batch, 8, 20)].map((b) =>
      policyLoss(b, options),
    );
    expect(parts.flatMap((p) => bits(p.dLogprobs))).toEqual(bits(whole.dLogprobs));
    expect(parts.reduce((sum, p) => sum + p.loss, 0)).toBeCloseTo(whole.loss, 12);
    for (const name of ['tokens', 'sequences', 'clippedLow', 'clippedHigh', 'nonFinite'] as const) {
      expect(parts.reduce((sum, p) => sum + p.metrics[name], 0)).toBe(whole.metrics[name]);
    }
    for (const name of ['policyLossSum', 'klSum', 'logRatioSum'] as const) {
      expect(parts.reduce((sum, p) => sum + p.metrics[name], 0)).toBeCloseTo(whole.metrics[name], 9);
    }
  });

  it('never looks at what masked tokens hold', () => {
    const batch = randomBatch(17, 9, 20, 100);
    const clean = policyLoss(batch, settings('token-mean'));
    for (const poison of [NaN, Infinity, -Infinity, 3e38]) {
      const dirty = (array: Float32Array): Float32Array => array.map((x, t) => (batch.mask[t] === 0 ? poison : x));
      const got = policyLoss(
        {
          ...batch,
          logprobs: dirty(batch.logprobs),
          oldLogprobs: dirty(batch.oldLogprobs),
          refLogprobs: dirty(batch.refLogprobs),
        },
        settings('token-mean'),
      );
      expect(got.loss).toBe(clean.loss);
      expect(got.metrics).toEqual(clean.metrics);
      expect(bits(got.dLogprobs)).toEqual(bits(clean.dLogprobs));
    }
  });

  it('says so where an unmasked input is not finite', () => {
    const batch = randomBatch(19, 4, 50, 60);
    const t = batch.mask.findIndex((m) => m !== 0);
    batch.logprobs[t] = NaN;
    const runs = [...onEveryIsa(() => policyLoss(batch, settings('token-mean'))).values()];
    for (const { loss, dLogprobs, metrics } of runs) {
      expect(loss).toBeNaN();
      expect(metrics.nonFinite).toBe(1);
      expect(bits(dLogprobs.slice(t, t + 1))).toEqual([0x7fc00000]);
      expect(dLogprobs.filter(Number.isNaN)).toHaveLength(1);
    }
  });

  it('only measures the KL where its coefficient is 0', () => {
    const batch = randomBatch(23, 3, 30, 40);
    batch.refLogprobs.fill(-Infinity, 0, 5);
    const without: PolicyLossInputs = { ...batch, refLogprobs: undefined };
    const got = policyLoss(batch, 'dapo');
    expect(got.metrics.klSum).toBe(Infinity);
    expect(got.loss).toBe(policyLoss(without, 'dapo').loss);
    expect(bits(got.dLogprobs)).toEqual(bits(policyLoss(without, 'dapo').dLogprobs));
  });

  it('holds for sequences without a valid token, and for none at all', () => {
    const batch = randomBatch(29, 3, 10, 10);
    batch.mask.fill(0);
    expect(policyLoss(batch, 'grpo')).toMatchObject({ loss: 0, metrics: { tokens: 0, sequences: 0 } });
    expect(policyLoss(randomBatch(1, 0, 0, 0), 'dapo').loss).toBe(0);
  });

  const batch = randomBatch(31, 4, 5, 9);
  const with_ = (change: object): PolicyLossInputs => ({ ...batch, ...change });
  const cuSeqlens = (...o: number[]): object => ({ cuSeqlens: Int32Array.from(o) });
  it.each<[string, PolicyLossInputs, PolicyLossOptions]>([
    ['logprobs', with_({ logprobs: [1] }), {}],
    ['logprobs', with_({ logprobs: Float64Array.from(batch.logprobs) }), {}],
    ['oldLogprobs', with_({ oldLogprobs: new Float32Array(3) }), {}],
    ['refLogprobs', with_({ refLogprobs: new Float32Array(3) }), {}],
    ['advantages', with_({ advantages: new Float32Array(3) }), {}],
    ['mask', with_({ mask: new Uint8Array(3) }), {}],
    ['mask', with_({ mask: new Float32Array(batch.mask.length) }), {}],
    ['cuSeqlens', with_({ cuSeqlens: new Int32Array(0) }), {}],
    ['cuSeqlens[0]', with_(cuSeqlens(1, 2, 3, 4, batch.mask.length)), {}],
    ['cuSeqlens[3]', with_(cuSeqlens(0, 2, 8, 4, batch.mask.length)), {}],
    ['cuSeqlens[4]', with_(cuSeqlens(0, 2, 3, 4, 5)), {}],
    ['options.preset', batch, { preset: 'ppo9' as 'grpo' }],
    ['options.clipLow', batch, { clipLow: 1.5 }],
    ['options.clipHigh', batch, { clipHigh: NaN }],
    ['options.klCoef', with_({ refLogprobs: undefined }), { klCoef: 0.1 }],
    ['options.denominator', batch, { denominator: 0 }],
    ['options.aggregation', batch, { aggregation: 'mean' as Aggregation }],
    ['options.threads', batch, { threads: 1.5 }],
    ['options.out.dLogprobs', batch, { out: { dLogprobs: batch.logprobs } }],
  ])('names %s in its error', (field, inputs, options) => {
    expect(() => policyLoss(inputs, options)).toThrow(CrossThinkError);
    expect(() => policyLoss(inputs, options)).toThrow(expect.objectContaining({ field }) as CrossThinkError);
  });
});
