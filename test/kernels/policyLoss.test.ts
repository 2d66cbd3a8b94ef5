import fc from 'fast-check';
import {
  CrossThinkError,
  policyLoss,
  type LossSettings,
  type PolicyLossInputs,
  type PolicyLossOptions,
} from '../../lib/index.js';
import { randomBatch, sliceBatch } from './batches.js';
import { digest, sameBits } from './isas.js';
import { defaultSettings, referencePolicyLoss, type ReferenceInputs } from './reference/policyLoss.js';

type Batch = ReturnType<typeof randomBatch>;
type Needs = 'weights' | 'entropies' | 'selected' | 'rolloutLogprobs' | 'promptOffsets';

/** Every policy term, KL form, correction and aggregation at least once. */
const variants: [string, LossSettings, Needs[]][] = [
  ['clip', { klCoef: 0.04 }, []],
  ['clip-higher, dual clip', { clipHigh: 0.28, dualClip: 1.3 }, []],
  ['delta', { delta: 1.25 }, ['weights']],
  ['clamped log-ratio', { clipLow: 0.3, clipHigh: 0.3, logRatioLimit: 0.25 }, []],
  ['Clip-Cov', {}, ['selected']],
  ['GSPO', { ratioLevel: 'sequence', clipLow: 0.03, clipHigh: 0.04, aggregation: 'seq-mean-token-mean' }, []],
  ['LUSPO', { ratioLevel: 'sequence', aggregation: 'seq-mean-token-sum' }, ['weights']],
  ['GMPO', { loss: 'gmpo', clipLow: 0.2, clipHigh: 0.2, aggregation: 'seq-mean-token-mean' }, []],
  ['CISPO', { loss: 'cispo' }, ['weights']],
  ['CISPO, sequence ratio', { loss: 'cispo', ratioLevel: 'sequence' }, []],
  ['TOPR', { loss: 'topr' }, []],
  ['REINFORCE with entropy', { loss: 'reinforce', entropyCoef: 0.01 }, ['entropies', 'weights']],
  ['DPPO-TV', { loss: 'dppo-tv', clipLow: 0.1, clipHigh: 0.1, ratioCap: 1.2 }, []],
  ['DPPO-KL', { loss: 'dppo-kl', clipLow: 0.02, clipHigh: 0.02 }, []],
  ['VESPO', { loss: 'vespo' }, []],
  ['VESPO with weights', { loss: 'vespo', aggregation: 'token-sum', denominator: 1000 }, ['weights']],
  ['SAPO', { loss: 'sapo', aggregation: 'seq-mean-token-mean', countEmptySequences: true }, []],
  ['KL-Cov', { loss: 'kl-cov' }, ['selected']],
  ['DRO', { loss: 'squared', coefficient: 0.5 }, []],
  ['off-policy sequences', { offPolicyLimit: 0.01, klCoef: 0.1 }, ['rolloutLogprobs']],
  ['k1', { klCoef: 0.1, klForm: 'k1', aggregation: 'seq-mean-token-sum' }, []],
  ['k2', { klCoef: 0.1, klForm: 'k2', aggregation: 'seq-mean-token-sum-norm', horizon: 64 }, []],
  ['abs', { klCoef: 0.1, klForm: 'abs' }, []],
  ['k1+', { klCoef: 0.1, klForm: 'k1+' }, []],
  ['k3+', { klCoef: 0.1, klForm: 'k3+' }, []],
  ['k3 times the ratio', { klCoef: 0.1, klCorrection: 'ratio' }, []],
  ['k3 on-policy, clamped', { klCoef: 0.1, klCorrection: 'on-policy', klInputLimit: 0.2, klOutputLimit: 0.015 }, []],
  ['prompt mean', { aggregation: 'prompt-mean' }, ['promptOffsets']],
];

/** The batch with the optional inputs that a variant needs, and no others. */
function inputsFor(batch: Batch, needs: readonly Needs[]): PolicyLossInputs {
  const count = batch.advantages.length;
  const promptOffsets = Int32Array.from({ length: Math.ceil(count / 3) + 1 }, (_, p) => Math.min(3 * p, count));
  const { logprobs, oldLogprobs, refLogprobs, advantages, cuSeqlens, mask } = batch;
  const wanted = Object.entries({ ...batch, promptOffsets }).filter(([name]) => needs.includes(name as Needs));
  return { logprobs, oldLogprobs, refLogprobs, advantages, cuSeqlens, mask, ...Object.fromEntries(wanted) };
}

const limits = ['clipLow', 'clipHigh', 'dualClip', 'delta', 'offPolicyLimit'] as const;

/** Whether the same tokens are clipped and dropped at limits a little lower and higher: float32 decides as float64. */
function isDecided(inputs: ReferenceInputs, settings: LossSettings): boolean {
  const counts = [1 - 2e-4, 1, 1 + 2e-4].map((scale) => {
    const moved = Object.fromEntries(limits.map((name) => [name, (settings[name] ?? defaultSettings[name]) * scale]));
    const { clippedLow, clippedHigh, clippedDual, dropped } = referencePolicyLoss(inputs, {
      ...settings,
      ...moved,
    }).metrics;
    return [clippedLow, clippedHigh, clippedDual, dropped].join();
  });
  return new Set(counts).size === 1;
}

/** One-sided differences of the reference loss in element t of `name`, in float64. */
function slopes(inputs: ReferenceInputs, name: 'logprobs' | 'entropies', t: number, o: LossSettings): [number, number] {
  const at = (h: number): number => {
    const moved = Float64Array.from(inputs[name]!);
    moved[t] = moved[t]! + h;
    return referencePolicyLoss({ ...inputs, [name]: moved }, o, inputs.logprobs).loss;
  };
  const [left, here, right] = [at(-1e-6), at(0), at(1e-6)];
  return [(here - left) / 1e-6, (right - here) / 1e-6];
}

describe.each(variants)('policyLoss, %s', (_, settings, needs) => {
  it('loss and metrics follow the formulas', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 90 }), (seed, n, most) => {
        const inputs = inputsFor(randomBatch(seed, n, 0, most), needs);
        fc.pre(isDecided(inputs, settings));
        const got = policyLoss(inputs, settings);
        const want = referencePolicyLoss(inputs, settings);
        expect(Math.abs(got.loss - want.loss)).toBeLessThan(2e-5 * (1 + Math.abs(want.loss)));
        for (const [name, value] of Object.entries(want.metrics)) {
          const difference = Math.abs(got.metrics[name as keyof typeof want.metrics] - value);
          const tolerance = 1e-6 * (1 + want.metrics.tokens) + 2e-5 * Math.abs(value);
          expect([name, difference <= (name.endsWith('Sum') ? tolerance : 0)]).toEqual([name, true]);
        }
        expect(got.metrics.nonFinite).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  it('gradients are those of the reference', () => {
    const inputs = inputsFor(randomBatch(5, 9, 1, 40), needs);
    const { dLogprobs, dEntropies } = policyLoss(inputs, settings);
    let compared = 0;
    dLogprobs.forEach((g, t) => {
      if (inputs.mask?.[t] === 0) expect(Object.is(g, 0)).toBe(true);
      const [left, right] = slopes(inputs, 'logprobs', t, settings);
      if (Math.abs(left - right) > 1e-5 * (1 + Math.abs(left))) return; // A kink.
      compared++;
      expect(Math.abs(g - (left + right) / 2)).toBeLessThan(2e-6 * (1 + Math.abs(g)));
      if (dEntropies) expect(dEntropies[t]).toBeCloseTo(slopes(inputs, 'entropies', t, settings)[0], 6);
    });
    expect(compared).toBeGreaterThan(0.95 * dLogprobs.length);
  });

  it('has the same bits on every instruction set and thread count', () => {
    for (const batch of [randomBatch(11, 60, 0, 70), randomBatch(12, 3, 900, 2500)]) {
      sameBits((threads) => policyLoss(inputsFor(batch, needs), { ...settings, threads }));
    }
  });
});

describe('policyLoss', () => {
  const settings: PolicyLossOptions = { clipHigh: 0.28, klCoef: 0.04, aggregation: 'token-mean' };

  it('is -A per token where nothing has changed, exactly', () => {
    const logprobs = Float32Array.from({ length: 40 }, (_, i) => -i / 7);
    const cuSeqlens = Int32Array.of(0, 40);
    const inputs = { logprobs, oldLogprobs: logprobs, cuSeqlens, advantages: Float32Array.of(0.75) };
    const { loss, dLogprobs, metrics } = policyLoss(inputs, 'dapo');
    expect(loss).toBe(-0.75);
    expect(metrics).toMatchObject({ tokens: 40, policyLossSum: -30, ratioSum: 40, logRatioSum: 0, clippedLow: 0 });
    expect(new Set(dLogprobs)).toEqual(new Set([Math.fround(Math.fround(1 / 40) * -0.75)]));
  });

  it('takes advantages per token', () => {
    const batch = inputsFor(randomBatch(3, 8, 1, 60), []);
    const perToken = new Float32Array(batch.logprobs.length);
    batch.advantages.forEach((a, s) => perToken.fill(a, batch.cuSeqlens[s], batch.cuSeqlens[s + 1]));
    expect(digest(policyLoss({ ...batch, advantages: perToken }, settings))).toBe(digest(policyLoss(batch, settings)));
    const varied = { ...batch, advantages: perToken.map((a, t) => a * (t % 3)) };
    const want = referencePolicyLoss(varied, { ...settings, ratioLevel: 'sequence' });
    expect(policyLoss(varied, { ...settings, ratioLevel: 'sequence' }).loss).toBeCloseTo(want.loss, 5);
    sameBits((threads) => policyLoss(varied, { ...settings, threads }));
  });

  it('adds up over micro-batches: gradients bit for bit, counts exactly, sums to rounding', () => {
    const batch = inputsFor(randomBatch(13, 20, 0, 1500), ['weights']);
    const options = { ...settings, denominator: policyLoss(batch, settings).metrics.tokens };
    const whole = policyLoss(batch, options);
    const borders = [0, 7, 8, 20];
    const parts = [0, 1, 2].map((i) => policyLoss(sliceBatch(batch, borders[i]!, borders[i + 1]!), options));
    expect(parts.map((p) => digest(p.dLogprobs)).join('')).toBe(digest(whole.dLogprobs));
    expect(parts.reduce((sum, p) => sum + p.loss, 0)).toBeCloseTo(whole.loss, 12);
    for (const name of Object.keys(whole.metrics) as (keyof typeof whole.metrics)[]) {
      const total = parts.reduce((sum, p) => sum + p.metrics[name], 0);
      if (name.endsWith('Sum')) expect(total).toBeCloseTo(whole.metrics[name], 9);
      else expect([name, total]).toEqual([name, whole.metrics[name]]);
    }
  });

  it('never looks at what masked tokens hold', () => {
    const batch = inputsFor(randomBatch(17, 9, 20, 100), ['weights', 'entropies', 'rolloutLogprobs']);
    for (const options of [
      settings,
      { ...settings, ratioLevel: 'sequence' } as const,
      { ...settings, loss: 'sapo' } as const,
    ]) {
      const clean = policyLoss(batch, options);
      for (const poison of [NaN, Infinity, -Infinity, 3e38]) {
        const dirty = Object.entries(batch).map(([name, array]: [string, Float32Array | Int32Array | Uint8Array]) => [
          name,
          array instanceof Float32Array && array.length === batch.logprobs.length
            ? array.map((x, t) => (batch.mask?.[t] === 0 ? poison : x))
            : array,
        ]);
        expect(digest(policyLoss(Object.fromEntries(dirty) as PolicyLossInputs, options))).toBe(digest(clean));
      }
    }
  });

  it.each(['logprobs', 'oldLogprobs', 'refLogprobs', 'weights'] as const)('says so where one of %s is NaN', (name) => {
    const batch = inputsFor(randomBatch(19, 4, 50, 60), ['weights']);
    const t = batch.mask!.findIndex((m) => m !== 0);
    batch[name]![t] = NaN;
    const { loss, dLogprobs, metrics } = sameBits((threads) => policyLoss(batch, { ...settings, threads }));
    expect(loss).toBeNaN();
    expect(metrics.nonFinite).toBe(1);
    expect(digest(dLogprobs.slice(t, t + 1))).toBe('0000c07f');
    expect(dLogprobs.filter(Number.isNaN)).toHaveLength(1);
  });

  it('has defined results at the ends of float32, the same everywhere', () => {
    const ends = [0, -0, -1e-45, -1e-38, -87, -104, -1e4, -3.4e38, -Infinity, NaN, 88, 3.4e38, Infinity];
    const pairs = ends.flatMap((a) => ends.map((b) => [a, b] as const));
    const logprobs = Float32Array.from(pairs, ([a]) => a);
    const oldLogprobs = Float32Array.from(pairs, ([, b]) => b);
    const cuSeqlens = Int32Array.from({ length: pairs.length + 1 }, (_, i) => i);
    const advantages = Float32Array.from(pairs, (_, i) => (i % 2 === 0 ? 1 : -1));
    const inputs = { logprobs, oldLogprobs, refLogprobs: oldLogprobs, advantages, cuSeqlens };
    for (const loss of [
      'clip',
      'cispo',
      'topr',
      'dppo-tv',
      'dppo-kl',
      'vespo',
      'sapo',
      'gmpo',
      'kl-cov',
      'squared',
    ] as const) {
      for (const ratioLevel of ['token', 'sequence'] as const) {
        const got = sameBits((threads) => policyLoss(inputs, { loss, ratioLevel, klCoef: 0.1, threads }));
        expect(got.metrics.tokens).toBe(pairs.length);
      }
    }
  });

  it('only measures the KL where its coefficient is 0', () => {
    const batch = inputsFor(randomBatch(23, 3, 30, 40), []);
    batch.refLogprobs!.fill(-Infinity, 0, 5);
    batch.mask!.fill(1);
    const without = { ...batch, refLogprobs: undefined };
    const got = policyLoss(batch, 'dapo');
    expect(got.metrics.klSum).toBe(Infinity);
    expect(got.loss).toBe(policyLoss(without, 'dapo').loss);
    expect(digest(got.dLogprobs)).toBe(digest(policyLoss(without, 'dapo').dLogprobs));
  });

  it('holds for sequences without a valid token, and for none at all', () => {
    const batch = inputsFor(randomBatch(29, 3, 10, 10), []);
    batch.mask!.fill(0);
    for (const ratioLevel of ['token', 'sequence'] as const) {
      const got = policyLoss(batch, { ratioLevel });
      expect(got).toMatchObject({ loss: 0, metrics: { tokens: 0, sequences: 0 } });
      expect(got.dLogprobs.every((g) => Object.is(g, 0))).toBe(true);
    }
    expect(policyLoss(inputsFor(randomBatch(1, 0, 0, 0), []), 'dapo').loss).toBe(0);
  });

  const batch = inputsFor(randomBatch(31, 4, 5, 9), []);
  const with_ = (change: object): PolicyLossInputs => ({ ...batch, ...change });
  const cuSeqlens = (...o: number[]): object => ({ cuSeqlens: Int32Array.from(o) });
  const tokens = batch.logprobs.length;
  it.each<[string, PolicyLossInputs, PolicyLossOptions]>([
    ['logprobs', with_({ logprobs: [1] }), {}],
    ['logprobs', with_({ logprobs: Float64Array.from(batch.logprobs) }), {}],
    ['oldLogprobs', with_({ oldLogprobs: new Float32Array(3) }), {}],
    ['refLogprobs', with_({ refLogprobs: new Float32Array(3) }), {}],
    ['weights', with_({ weights: new Float64Array(tokens) }), {}],
    ['entropies', with_({ entropies: new Float32Array(3) }), {}],
    ['advantages', with_({ advantages: new Float32Array(3) }), {}],
    ['advantages', with_({ advantages: new Float32Array(tokens) }), { loss: 'gmpo' }],
    ['mask', with_({ mask: new Uint8Array(3) }), {}],
    ['mask', with_({ mask: new Float32Array(tokens) }), {}],
    ['selected', with_({ selected: new Uint8Array(3) }), {}],
    ['cuSeqlens', with_({ cuSeqlens: new Int32Array(0) }), {}],
    ['cuSeqlens[0]', with_(cuSeqlens(1, 2, 3, 4, tokens)), {}],
    ['cuSeqlens[3]', with_(cuSeqlens(0, 2, 8, 4, tokens)), {}],
    ['cuSeqlens[4]', with_(cuSeqlens(0, 2, 3, 4, 5)), {}],
    ['promptOffsets', batch, { aggregation: 'prompt-mean' }],
    ['promptOffsets', with_({ promptOffsets: Int32Array.of(0, 4) }), {}],
    ['promptOffsets[1]', with_({ promptOffsets: Int32Array.of(0, 5) }), { aggregation: 'prompt-mean' }],
    ['options.preset', batch, { preset: 'ppo9' as 'grpo' }],
    ['options.loss', batch, { loss: 'ppo' as 'clip' }],
    ['options.clipLow', batch, { clipLow: 1.5 }],
    ['options.clipHigh', batch, { clipHigh: NaN }],
    ['options.delta', batch, { delta: 1.1 }],
    ['options.vespoPositive', batch, { vespoPositive: [1] as unknown as [number, number] }],
    ['options.klCoef', with_({ refLogprobs: undefined }), { klCoef: 0.1 }],
    ['options.klCorrection', batch, { klForm: 'k3+', klCorrection: 'ratio' }],
    ['options.entropyCoef', batch, { entropyCoef: 0.1 }],
    ['options.horizon', batch, { preset: 'dr_grpo' }],
    ['options.horizon', batch, { horizon: 10 }],
    ['options.denominator', batch, { denominator: 0 }],
    ['options.aggregation', batch, { aggregation: 'mean' as 'token-mean' }],
    ['options.threads', batch, { threads: 1.5 }],
    ['mask', with_({ mask: null as never }), {}],
    ['mask', with_({ mask: 0 as never }), {}], // No array that the frame names either.
    ['refLogprobs', with_({ refLogprobs: NaN as never }), {}],
    ['options.out.dLogprobs', batch, { out: { dLogprobs: batch.logprobs } }],
  ])('names %s in its error', (field, inputs, options) => {
    expect(() => policyLoss(inputs, options)).toThrow(CrossThinkError);
    expect(() => policyLoss(inputs, options)).toThrow(expect.objectContaining({ field }) as CrossThinkError);
  });
});
