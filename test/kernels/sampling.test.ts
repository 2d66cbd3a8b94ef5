import fc from 'fast-check';

import { rowStatus, SamplingPlan, tokenLogprobs, type SamplingOptions } from '../../lib/index.js';
import { sameBits } from './isas.js';
import { fromBfloat16, Random, toBfloat16 } from './random.js';
import { chiSquare, chiSquareLimit, keptTokens } from './reference/sampling.js';

const range = (n: number, from = 0): Int32Array => Int32Array.from({ length: n }, (_, i) => from + i);

function repeat(x: Float32Array, rows: number): Float32Array {
  const all = new Float32Array(rows * x.length);
  for (let i = 0; i < rows; i++) all.set(x, i * x.length);
  return all;
}

function drawMany(x: Float32Array, options: SamplingOptions, rows: number, seed = 1) {
  return new SamplingPlan(options).sample(repeat(x, rows), {
    seed,
    sequences: range(rows),
    positions: new Int32Array(rows),
  });
}

function countTokens(tokens: Int32Array): Map<number, number> {
  const counts = new Map<number, number>();
  for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
  return counts;
}

const settings: [name: string, options: { temperature?: number; topK?: number; topP?: number }][] = [
  ['plain', {}],
  ['temperature', { temperature: 0.6 }],
  ['top-k', { topK: 7 }],
  ['top-k 1', { topK: 1 }],
  ['top-p', { topP: 0.8 }],
  ['top-p, tiny', { topP: 1e-6 }],
  ['top-p near 1', { topP: 0.9999, temperature: 1.4 }],
  ['top-k and top-p', { topK: 40, topP: 0.9, temperature: 0.8 }],
  ['top-k above the vocabulary', { topK: 1_000_000, topP: 0.5 }],
];

describe('SamplingPlan', () => {
  describe.each([
    ['peaked', 3],
    ['flat', 0.05],
  ])('on %s rows', (_, scale) => {
    it.each(settings)('%s: draws from the kept tokens, in proportion', (_name, options) => {
      for (const vocab of [50, 4500]) {
        const x = new Random(vocab).normals(vocab, scale);
        const rows = vocab === 50 ? 20_000 : 400;
        const { tokens, logprobs, rawLogprobs, status } = drawMany(x, options, rows);
        const kept = keptTokens(x, options);
        expect(status.every((s) => s === rowStatus.ok)).toBe(true);
        const errors = logprobs!.map((lp, i) => Math.abs(lp - Math.log(kept.get(tokens[i]!) ?? NaN)));
        expect(errors.reduce((a, b) => Math.max(a, b))).toBeLessThan(4e-6);
        expect(rawLogprobs).toEqual(tokenLogprobs(repeat(x, rows), tokens).logprob);
        const { statistic, df } = chiSquare(countTokens(tokens), kept);
        expect(statistic).toBeLessThan(chiSquareLimit(df));
      }
    });
  });

  it('breaks ties by the lower token id: greedy, top-k and top-p', () => {
    const x = new Float32Array(3000).fill(-1);
    for (const j of [2900, 17, 1400, 600]) x[j] = 2;
    expect(drawMany(x, { temperature: 0 }, 1).tokens[0]).toBe(17);
    expect(new Set(drawMany(x, { topK: 2 }, 200).tokens)).toEqual(new Set([17, 600]));
    // Four equal tokens hold nearly all of the mass: half of it is the first two and, as 2 ties are just short of p, a third.
    const peaked = x.map((v) => (v === 2 ? 30 : v));
    expect(new Set(drawMany(peaked, { topP: 0.6 }, 300).tokens)).toEqual(new Set([17, 600, 1400]));
    const equal = new Float32Array(5000).fill(0.25);
    expect(Math.max(...drawMany(equal, { topK: 100 }, 300).tokens)).toBeLessThan(100);
  });

  it('greedy returns the raw log-prob of the largest logit and 0 for the point mass', () => {
    const x = new Random(4).normals(3 * 2500, 2);
    const { tokens, logprobs, rawLogprobs } = new SamplingPlan({ temperature: 0 }).sample(x, {
      ...{ seed: 1, sequences: range(3), positions: range(3) },
    });
    for (let i = 0; i < 3; i++) {
      const row = x.subarray(i * 2500, (i + 1) * 2500);
      expect(tokens[i]).toBe(row.indexOf(Math.max(...row)));
      expect(logprobs![i]).toBe(0);
    }
    expect(rawLogprobs).toEqual(tokenLogprobs(x, tokens).logprob);
  });

  it('never returns a masked token', () => {
    const x = new Random(6).normals(2500).map((v, j) => (j % 5 === 3 ? v : -Infinity));
    for (const [, options] of settings) {
      for (const token of drawMany(x, options, 300).tokens) expect(token % 5).toBe(3);
    }
  });

  it('reports rows without a distribution with token -1 and leaves their neighbours alone', () => {
    const vocab = 700;
    const good = new Random(2).normals(vocab);
    const rows: [keyof typeof rowStatus, Float32Array][] = [
      ['nan', good.map((v, j) => (j === 650 ? NaN : v))],
      ['positiveInfinity', good.map((v, j) => (j === 0 ? Infinity : v))],
      ['allMasked', good.map(() => -Infinity)],
    ];
    for (const [name, row] of rows) {
      for (const [, options] of settings) {
        const x = Float32Array.from([...good, ...row, ...good]);
        const keys = { seed: 3, sequences: Int32Array.of(4, 5, 4), positions: new Int32Array(3) };
        const result = sameBits(() => new SamplingPlan(options).sample(x, keys));
        expect([result.tokens[1], result.logprobs![1], result.rawLogprobs![1]]).toEqual([-1, NaN, NaN]);
        expect(result.status[1]).toBe(rowStatus[name]);
        expect(result.tokens[0]).toBeGreaterThanOrEqual(0);
        expect(result.tokens[2]).toBe(result.tokens[0]);
      }
    }
  });

  it('has the same bits on every instruction set, for any threads, batch size and place in the batch', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7000 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 0, max: 2 ** 31 }),
        fc.constantFrom(0.01, 1, 4, 30),
        fc.constantFrom(...settings.map(([, options]) => options)),
        fc.boolean(),
        (vocab, rows, seed, scale, options, ties) => {
          const random = new Random(seed);
          const x = random
            .normals(rows * vocab, scale)
            .map((v) => (random.uniform() < 0.03 ? -Infinity : ties ? Math.round(v * 4) / 4 : v));
          const sequences = BigInt64Array.from({ length: rows }, () => BigInt(random.integer(2 ** 31)) << 20n);
          const positions = Int32Array.from({ length: rows }, () => random.integer(1000));
          const batch = sameBits((threads) =>
            new SamplingPlan({ ...options, threads }).sample(x, { seed, sequences, positions }),
          );
          for (let i = 0; i < rows; i++) {
            const alone = new SamplingPlan(options).sample(x.subarray(i * vocab, (i + 1) * vocab), {
              ...{ seed, sequences: sequences.slice(i, i + 1), positions: positions.slice(i, i + 1) },
            });
            expect(alone.tokens[0]).toBe(batch.tokens[i]);
            expect(alone.logprobs![0]).toBe(batch.logprobs![i]);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('takes settings per row and halves', () => {
    const random = new Random(8);
    const [rows, vocab] = [6, 2100];
    const halves = toBfloat16(random.normals(rows * vocab, 2));
    const x = fromBfloat16(halves);
    const options = {
      temperature: Float32Array.of(0, 1, 0.5, 1, 2, 0.9),
      topK: Int32Array.of(0, 0, 3, 50, 0, 10),
      topP: Float32Array.of(1, 1, 1, 0.9, 0.7, 0.5),
    };
    const keys = { seed: 77n, sequences: range(rows), positions: range(rows) };
    const batch = new SamplingPlan(options).sample(x, keys);
    expect(new SamplingPlan(options).sample(halves, { ...keys, dtype: 'bfloat16' })).toEqual(batch);
    for (let i = 0; i < rows; i++) {
      const one = new SamplingPlan({
        ...{ temperature: options.temperature[i], topK: options.topK[i], topP: options.topP[i] },
      });
      const key = { seed: 77n, sequences: range(1, i), positions: range(1, i) };
      expect(one.sample(x.subarray(i * vocab, (i + 1) * vocab), key).tokens[0]).toBe(batch.tokens[i]);
    }
  });

  it('draws by seed, sequence, position and sample, and by nothing else', () => {
    const x = new Random(10).normals(1000, 0.1);
    const key = { seed: 5, sequences: Int32Array.of(6), positions: Int32Array.of(7), sample: 8 };
    const token = (k: Partial<typeof key>): number => new SamplingPlan().sample(x, { ...key, ...k }).tokens[0]!;
    expect(token({})).toBe(token({}));
    const others = [{ seed: 6 }, { sequences: Int32Array.of(7) }, { positions: Int32Array.of(8) }, { sample: 9 }];
    for (const other of others) expect(token(other)).not.toBe(token({}));
  });

  it('names what is wrong with its settings and arguments', () => {
    const field = (f: () => unknown): unknown => {
      try {
        f();
      } catch (error) {
        return (error as { field: string }).field;
      }
      return 'no error';
    };
    expect(field(() => new SamplingPlan({ topP: 0 }))).toBe('options.topP');
    expect(field(() => new SamplingPlan({ topP: NaN }))).toBe('options.topP');
    expect(field(() => new SamplingPlan({ topK: -1 }))).toBe('options.topK');
    expect(field(() => new SamplingPlan({ temperature: -1 }))).toBe('options.temperature');
    expect(field(() => new SamplingPlan({ outputs: ['tokens' as never] }))).toBe('options.outputs');
    const plan = new SamplingPlan({ topP: Float32Array.of(0.5, 0) });
    const keys = { seed: 1, sequences: range(2), positions: range(2) };
    expect(field(() => plan.sample(new Float32Array(4), keys))).toBe('options.topP[1]');
    const plain = new SamplingPlan();
    expect(field(() => plain.sample(new Float32Array(0), keys))).toBe('logits');
    expect(field(() => plain.sample(new Float32Array(4), { ...keys, seed: -1 }))).toBe('seed');
    expect(field(() => plain.sample(new Float32Array(4), { ...keys, seed: 1n << 64n }))).toBe('seed');
    expect(field(() => plain.sample(new Float32Array(4), { ...keys, sequences: range(3) }))).toBe('sequences');
    expect(field(() => plain.sample(new Float32Array(4), { ...keys, sample: 2 ** 24 }))).toBe('sample');
  });

  it('samples on the worker pool with the same result, and stops when aborted', async () => {
    const [rows, vocab] = [64, 5000];
    const x = new Random(12).normals(rows * vocab, 2);
    const plan = new SamplingPlan({ topK: 50, topP: 0.95 });
    const keys = { seed: 1, sequences: range(rows), positions: range(rows) };
    expect(await plan.sampleAsync(x, keys)).toEqual(plan.sample(x, keys));
    const reason = new Error('enough');
    await expect(plan.sampleAsync(x, { ...keys, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const large = new Float32Array(2000 * vocab);
    const many = { seed: 1, sequences: range(2000), positions: range(2000), signal: controller.signal };
    const pending = plan.sampleAsync(large, many);
    controller.abort(reason);
    await expect(pending).rejects.toBe(reason);
  });
});
