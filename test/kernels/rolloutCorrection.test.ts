import {
  CrossThinkError,
  policyLoss,
  rolloutCorrection,
  secondMomentMask,
  selectByCovariance,
  selectByEntropy,
  type RejectRule,
  type RolloutCorrectionOptions,
} from '../../lib/index.js';
import { randomBatch, sliceBatch } from './batches.js';
import { digest, sameBits } from './isas.js';

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Weights and kept tokens in float64, rule by rule. */
function reference(batch: ReturnType<typeof randomBatch>, o: RolloutCorrectionOptions) {
  const { low = 0, high = 2, outside = 'clamp', weights = 'token', reject = [], rejected = 'mask' } = o;
  const result = { weights: batch.logprobs.map(() => 0), mask: batch.mask.map(() => 0), outside: 0, rejected: 0 };
  for (let s = 0; s + 1 < batch.cuSeqlens.length; s++) {
    const tokens: number[] = [];
    for (let t = batch.cuSeqlens[s]!; t < batch.cuSeqlens[s + 1]!; t++) if (batch.mask[t] !== 0) tokens.push(t);
    const x = (t: number): number => Math.max(-20, Math.min(20, batch.logprobs[t]! - batch.rolloutLogprobs[t]!));
    const divergence = (form: string, d: number): number =>
      form === 'k2' ? (d * d) / 2 : form === 'k3' ? Math.expm1(d) - d : d;
    const fails = (rule: RejectRule, t: number): boolean => {
      const all = tokens.map((token) => divergence(rule.form, x(token)));
      const value = {
        token: divergence(rule.form, x(t)),
        'sequence-sum': sum(all),
        'sequence-mean': sum(all) / all.length,
        'sequence-max': Math.max(...all),
      }[rule.level];
      const statistic = rule.form === 'ratio' ? Math.exp(value) : value;
      return !(statistic >= (rule.low ?? -Infinity) && statistic <= rule.high);
    };
    for (const t of tokens) {
      const raw =
        weights === 'none' ? 1 : Math.exp(weights === 'token' ? x(t) : Math.max(-20, Math.min(20, sum(tokens.map(x)))));
      const clamped = Math.max(low, Math.min(high, raw));
      const isRejected = reject.some((rule) => fails(rule, t));
      result.outside += raw < low || raw > high ? 1 : 0;
      result.rejected += isRejected ? 1 : 0;
      result.mask[t] = isRejected && rejected === 'mask' ? 0 : 1;
      result.weights[t] = isRejected || (outside === 'zero' && clamped !== raw) ? 0 : clamped;
    }
  }
  return result;
}

const rule = (level: RejectRule['level'], form: RejectRule['form'], high: number, low?: number): RejectRule =>
  low === undefined ? { level, form, high } : { level, form, high, low };

describe('rolloutCorrection', () => {
  it.each<[string, RolloutCorrectionOptions]>([
    ['TIS', { high: 1.2 }],
    ['sequence TIS', { weights: 'sequence', high: 1.2 }],
    ['IcePop', { low: 0.7, high: 1.3, outside: 'zero' }],
    ['MIS', { weights: 'sequence', low: 0.5, high: 1.5, outside: 'zero' }],
    [
      'sequences by geometric mean',
      { high: Infinity, reject: [rule('sequence-mean', 'ratio', 1.02, 0.98)], rejected: 'zero-weight' },
    ],
    ['tokens by k2', { weights: 'none', reject: [rule('token', 'k2', 0.02)] }],
    ['tokens by k3 and ratio', { reject: [rule('token', 'k3', 0.05), rule('token', 'ratio', 1.3, 0.8)] }],
    ['sequences by sums', { reject: [rule('sequence-sum', 'k3', 1), rule('sequence-sum', 'ratio', 3, 0.3)] }],
    ['sequences by mean k2', { reject: [rule('sequence-mean', 'k2', 0.025)] }],
    ['sequences by their worst token', { reject: [rule('sequence-max', 'k2', 0.1), rule('sequence-max', 'k3', 0.09)] }],
  ])('%s follows its formula, the same bits everywhere', (_, options) => {
    const batch = randomBatch(3, 50, 0, 60);
    const got = sameBits((threads) => rolloutCorrection(batch, { ...options, threads }));
    const want = reference(batch, options);
    expect([...got.mask]).toEqual([...want.mask]);
    got.weights.forEach((w, t) => {
      expect(w).toBeCloseTo(want.weights[t]!, 5);
    });
    expect(got.metrics.outside).toBe(want.outside);
    expect(got.metrics.rejected).toBe(want.rejected);
    expect(got.metrics.tokens).toBe(batch.mask.filter((m) => m !== 0).length);
    expect(got.metrics.weightSum).toBeCloseTo(sum([...want.weights]), 3);
    expect(got.metrics.weightSquareSum).toBeCloseTo(sum([...want.weights].map((w) => w * w)), 3);
  });

  it.each<RolloutCorrectionOptions>([
    { high: 1.3, reject: [rule('token', 'k2', 0.02)] },
    { weights: 'sequence', low: 0.5, high: 1.5, outside: 'zero' },
    { weights: 'none', reject: [rule('sequence-mean', 'k2', 0.025)], rejected: 'zero-weight' },
  ])('normalises by the mean of the batch before the rules: %j', (options) => {
    const batch = randomBatch(6, 40, 0, 50);
    const before = reference(batch, { ...options, reject: [] });
    const starts = [...batch.cuSeqlens].slice(0, -1).map((begin, s) => {
      const tokens = [...before.mask.keys()].slice(begin, batch.cuSeqlens[s + 1]);
      return tokens.filter((t) => batch.mask[t] !== 0);
    });
    const units = options.weights === 'sequence' ? starts.filter((s) => s.length > 0).map((s) => s[0]!) : starts.flat();
    const mean = sum(units.map((t) => before.weights[t]!)) / units.length;
    const got = sameBits((threads) => rolloutCorrection(batch, { ...options, normalize: true, threads }));
    const want = reference(batch, options);
    got.weights.forEach((w, t) => {
      expect(w).toBeCloseTo(want.weights[t]! / mean, 5);
    });
    expect([...got.mask]).toEqual([...want.mask]);
    expect(got.metrics.normalizerCount).toBe(units.length);
    expect(got.metrics.normalizerSum / got.metrics.normalizerCount).toBeCloseTo(mean, 6);
    // Ranks pass the mean over all of them.
    const half = sliceBatch(batch, 0, 20);
    const given = got.metrics.normalizerSum / got.metrics.normalizerCount;
    const part = sameBits(() =>
      rolloutCorrection({ ...half, rolloutLogprobs: half.rolloutLogprobs! }, { ...options, normalize: given }),
    );
    expect(digest(part.weights)).toBe(digest(got.weights.slice(0, part.weights.length)));
    expect(rolloutCorrection(batch, options).metrics).toMatchObject({ normalizerSum: 0, normalizerCount: 0 });
  });

  it('normalises nothing where no weight is left', () => {
    const cuSeqlens = Int32Array.of(0, 2);
    const logprobs = Float32Array.of(-1, -1);
    const rolloutLogprobs = Float32Array.of(-30, -30);
    const icepop = { preset: 'icepop', normalize: true } as const;
    expect([...rolloutCorrection({ logprobs, rolloutLogprobs, cuSeqlens }, icepop).weights]).toEqual([0, 0]);
  });

  it('does not depend on the rest of the batch', () => {
    const batch = randomBatch(4, 12, 0, 1300);
    const whole = rolloutCorrection(batch, 'mis');
    const parts = [sliceBatch(batch, 0, 5), sliceBatch(batch, 5, 12)].map((part) =>
      rolloutCorrection({ ...part, rolloutLogprobs: part.rolloutLogprobs! }, 'mis'),
    );
    expect(parts.map((p) => digest(p.weights)).join('')).toBe(digest(whole.weights));
    expect(parts.map((p) => digest(p.mask)).join('')).toBe(digest(whole.mask));
  });

  it('gives a token without a number weight 0, and lets no masked token speak', () => {
    const cuSeqlens = Int32Array.of(0, 4);
    const logprobs = Float32Array.of(-1, NaN, -1, -Infinity);
    const rolloutLogprobs = Float32Array.of(-1, -1, NaN, -1);
    const mask = Uint8Array.of(1, 1, 0, 1);
    const got = rolloutCorrection({ logprobs, rolloutLogprobs, cuSeqlens, mask }, { reject: [rule('token', 'k2', 1)] });
    expect([...got.weights]).toEqual([1, 0, 0, 0]);
    expect([...got.mask]).toEqual([1, 0, 0, 0]);
  });

  const batch = randomBatch(1, 2, 3, 4);
  it.each<[string, object]>([
    ['options.preset', { preset: 'x' }],
    ['options.weights', { weights: 'x' }],
    ['options.high', { low: 1, high: 0.5 }],
    ['options.normalize', { normalize: 0 }],
    ['options.normalize', { normalize: 'yes' }],
    ['options.reject[0].form', { reject: [rule('sequence-max', 'ratio', 1)] }],
    ['options.reject[0].high', { reject: [{ level: 'token', form: 'k2' }] }],
  ])('names %s in its error', (field, options) => {
    expect(() => rolloutCorrection(batch, options as RolloutCorrectionOptions)).toThrow(
      expect.objectContaining({ field }) as CrossThinkError,
    );
  });
});

describe('selectByCovariance', () => {
  const batch = randomBatch(8, 30, 5, 60);
  const valid: number[] = [];
  batch.mask.forEach((m, t) => m !== 0 && valid.push(t));
  const sequenceOf = (t: number): number => batch.cuSeqlens.findIndex((o) => o > t) - 1;
  const advantageOf = (t: number): number => batch.advantages[sequenceOf(t)]!;
  const meanA = sum(valid.map(advantageOf)) / valid.length;
  const meanL = sum(valid.map((t) => batch.logprobs[t]!)) / valid.length;
  const covariance = (t: number): number => (advantageOf(t) - meanA) * (batch.logprobs[t]! - meanL);
  const chosen = (selected: Uint8Array): number[] => [...selected.keys()].filter((t) => selected[t] !== 0);

  it('KL-Cov takes the largest covariances', () => {
    const selected = sameBits(() => selectByCovariance(batch, { method: 'kl-cov', ratio: 0.1 }));
    const want = [...valid].sort((a, b) => covariance(b) - covariance(a)).slice(0, Math.floor(valid.length * 0.1));
    expect(chosen(selected)).toEqual(want.sort((a, b) => a - b));
    expect(chosen(selectByCovariance(batch, { method: 'kl-cov' }))).toHaveLength(1);
  });

  it('Clip-Cov takes some of the tokens in the band that PPO has not clipped', () => {
    const options = { method: 'clip-cov', ratio: 0.05, low: 0.3, high: 2, seed: 1 } as const;
    const eligible = valid.filter((t) => {
      const ratio = Math.exp(batch.logprobs[t]! - batch.oldLogprobs[t]!);
      const clipped = advantageOf(t) < 0 ? ratio < 0.8 : ratio > 1.2;
      return covariance(t) > 0.3 && covariance(t) < 2 && !clipped;
    });
    const got = chosen(sameBits(() => selectByCovariance(batch, options)));
    expect(got).toHaveLength(Math.floor(valid.length * 0.05));
    expect(got.every((t) => eligible.includes(t))).toBe(true);
    expect(chosen(selectByCovariance(batch, { ...options, ratio: 1 }))).toEqual(eligible);
    // Over many seeds every eligible token is chosen about equally often: 5 sigma of a binomial.
    const seeds = 400;
    const counts = new Map(eligible.map((t) => [t, 0]));
    for (let seed = 0; seed < seeds; seed++) {
      for (const t of chosen(selectByCovariance(batch, { ...options, seed }))) counts.set(t, counts.get(t)! + 1);
    }
    const p = got.length / eligible.length;
    const bound = 5 * Math.sqrt(seeds * p * (1 - p));
    for (const count of counts.values()) expect(Math.abs(count - seeds * p)).toBeLessThan(bound);
  });

  it('draws by sequence and position, not by where a sequence is stored', () => {
    const options = { method: 'clip-cov', ratio: 1, low: -100, high: 100, clipLow: 1, clipHigh: 100 } as const;
    const half = { ...options, ratio: 0.5 };
    const whole = selectByCovariance(batch, half);
    expect(selectByCovariance(batch, { ...half, seed: 5n })).not.toEqual(whole);
    expect(selectByCovariance(batch, { ...half, firstSequence: 1 })).not.toEqual(whole);
    expect(chosen(selectByCovariance(batch, options))).toEqual(valid);
  });

  it.each<[string, object]>([
    ['options.method', { method: 'x' }],
    ['options.ratio', { method: 'kl-cov', ratio: 2 }],
    ['options.seed', { method: 'clip-cov', seed: -1 }],
  ])('names %s in its error', (field, options) => {
    expect(() => selectByCovariance(batch, options as { method: 'clip-cov' })).toThrow(
      expect.objectContaining({ field }) as CrossThinkError,
    );
  });
});

describe('selectByEntropy', () => {
  const batch = randomBatch(12, 20, 5, 400);
  const { entropies, mask } = batch;

  it('leaves out all valid tokens but the share of the highest entropies', () => {
    const valid = [...mask.keys()].filter((t) => mask[t] !== 0);
    for (const ratio of [0.2, 0.5, 1]) {
      const selected = sameBits(() => selectByEntropy({ entropies, mask }, { ratio }));
      const best = [...valid].sort((a, b) => entropies[b]! - entropies[a]! || a - b);
      const kept = new Set(best.slice(0, Math.floor(valid.length * ratio)));
      expect([...selected]).toEqual([...mask].map((m, t) => (m !== 0 && !kept.has(t) ? 1 : 0)));
    }
  });

  it('breaks ties by position, keeps one at least, and never a NaN', () => {
    const ties = Float32Array.of(NaN, 0, -0, 2, 2, 2, Infinity, NaN);
    const kept = (ratio: number): number[] => {
      const selected = sameBits(() => selectByEntropy({ entropies: ties }, { ratio }));
      return [...selected.keys()].filter((t) => selected[t] === 0);
    };
    expect(kept(0)).toEqual([6]);
    expect(kept(0.4)).toEqual([3, 4, 6]);
    expect(kept(0.7)).toEqual([1, 3, 4, 5, 6]);
    expect(kept(1)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(selectByEntropy({ entropies: new Float32Array(0) })).toHaveLength(0);
    expect([...selectByEntropy({ entropies: ties, mask: new Uint8Array(8) })]).toEqual(Array(8).fill(0));
  });

  it('takes the policy term from the others, and nothing else', () => {
    const selected = selectByEntropy({ entropies, mask });
    const { metrics, dLogprobs } = policyLoss({ ...batch, selected, entropies: undefined, weights: undefined }, 'dapo');
    const tokens = [...mask].filter((m) => m !== 0).length;
    expect(metrics).toMatchObject({ tokens, dropped: tokens - Math.floor(tokens * 0.2) });
    dLogprobs.forEach((g, t) => {
      if (selected[t] !== 0) expect(g).toBe(0);
    });
  });

  it.each<[string, () => unknown]>([
    ['options.ratio', () => selectByEntropy({ entropies }, { ratio: 2 })],
    ['mask', () => selectByEntropy({ entropies, mask: new Uint8Array(1) })],
    ['options.out', () => selectByEntropy({ entropies }, { out: new Uint8Array(1) })],
  ])('names %s in its error', (field, call) => {
    expect(call).toThrow(expect.objectContaining({ field }) as CrossThinkError);
  });
});

describe('secondMomentMask', () => {
  const batch = randomBatch(9, 6, 5, 60);
  const square = (t: number): number => (batch.rolloutLogprobs[t]! - batch.logprobs[t]!) ** 2;

  it('drops as few of the largest as bring the mean of the others below the threshold', () => {
    const mask = sameBits(() => secondMomentMask(batch, { threshold: 0.02 }));
    const kept = [...mask.keys()].filter((t) => mask[t] !== 0);
    const dropped = [...batch.mask.keys()].filter((t) => batch.mask[t] !== 0 && mask[t] === 0);
    const smallest = dropped.reduce((a, b) => (square(a) < square(b) ? a : b));
    expect(Math.max(...kept.map(square))).toBeLessThanOrEqual(square(smallest));
    expect(sum(kept.map(square)) / kept.length).toBeLessThan(0.02);
    expect(sum([...kept, smallest].map(square)) / (kept.length + 1)).toBeGreaterThanOrEqual(0.02);
  });

  it('keeps the later of equal ones, over more tokens than a block takes at a time', () => {
    const logprobs = Float32Array.from({ length: 5000 }, (_, t) => [-1, -2, NaN, -1.5][t % 4]!);
    const rolloutLogprobs = logprobs.map((x, t) => (t % 4 === 0 ? x + 0.5 : x));
    const kept = sameBits(() => secondMomentMask({ logprobs, rolloutLogprobs }, { threshold: 0.05 }));
    // 2500 zeros, 1250 of 0.25: the mean of n of these is below 0.05 up to n = 624.
    expect(kept.filter((m, t) => m !== 0 && t % 4 === 0)).toHaveLength(624);
    expect(kept.findIndex((m, t) => m !== 0 && t % 4 === 0)).toBe(4 * (1250 - 624));
    expect(kept.filter((m, t) => m !== 0 && t % 4 === 2)).toHaveLength(0);
  });

  it('always leaves one, and everything where the mean is small already', () => {
    expect(secondMomentMask(batch, { threshold: 0 }).filter((m) => m !== 0)).toHaveLength(1);
    expect(secondMomentMask(batch, { threshold: 100 })).toEqual(batch.mask);
  });
});
