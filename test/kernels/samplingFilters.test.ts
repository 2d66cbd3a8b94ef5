import { rowStatus, SamplingPlan, tokenLogprobs, type SamplingOptions, type SamplingStep } from '../../lib/index.js';
import { sameBits } from './isas.js';
import { Random } from './random.js';
import { chiSquare, chiSquareLimit, filterChain, type ReferenceFilters } from './reference/sampling.js';

const ORDERS: Record<string, SamplingStep[]> = {
  default: ['temperature', 'topNSigma', 'topK', 'typicalP', 'topP', 'minP', 'xtc'],
  vllm: ['temperature', 'minP', 'topK', 'topP', 'topNSigma', 'typicalP', 'xtc'],
  sglang: ['temperature', 'topK', 'topPOfRow', 'minP', 'topNSigma', 'typicalP', 'xtc'],
  flashinfer: ['temperature', 'topK', 'topP', 'minP', 'topNSigma', 'typicalP', 'xtc'],
  llamacpp: ['topNSigma', 'topK', 'typicalP', 'topP', 'minP', 'xtc', 'temperature'],
};
const SETTINGS: ReferenceFilters[] = [
  { minP: 0.05, temperature: 0.7 },
  { typicalP: 0.6 },
  { topNSigma: 1.5, temperature: 1.5 },
  { topK: 30, topP: 0.9, minP: 0.02, temperature: 0.8 },
  { topP: 0.95, temperature: 1.7 },
  { topK: 60, typicalP: 0.8, topP: 0.9, minP: 0.01, topNSigma: 2.5, temperature: 1.2 },
];
const range = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i);
const one = { seed: 1, sequences: Int32Array.of(0), positions: Int32Array.of(0) };
const repeat = (x: Float32Array, rows: number): Float32Array =>
  Float32Array.from({ length: rows * x.length }, (_, i) => x[i % x.length]!);

function keptOf(x: Float32Array, options: SamplingOptions): number[] {
  const outputs = ['token', 'logprob', 'rawLogprob', 'keptSet', 'supportMass', 'rank', 'entropy'] as const;
  const { keptSet } = sameBits((threads) => new SamplingPlan({ ...options, outputs, threads }).sample(x, one));
  return Array.from(keptSet!.tokens);
}

describe('filters', () => {
  describe.each(Object.keys(ORDERS))('in the order of %s', (order) => {
    it.each(SETTINGS)('%j keep what the textbook keeps', (filters) => {
      for (const [vocab, scale] of [
        [300, 2],
        [4200, 1],
        [4200, 4],
      ] as const) {
        const x = new Random(vocab * scale).normals(vocab, scale).map((v, j) => (j % 11 === 5 ? -Infinity : v));
        const expected = Array.from(filterChain(x, ORDERS[order]!, filters).keys());
        expect(keptOf(x, { ...filters, order: order as 'vllm' })).toEqual(expected);
      }
    });
  });

  it('draw in proportion, by inverse CDF and by Gumbel-max', () => {
    const x = new Random(3).normals(400, 2);
    const rows = 6000;
    const keys = { seed: 9, sequences: range(rows), positions: range(rows) };
    for (const method of ['inverseCdf', 'gumbel'] as const) {
      for (const filters of [{}, { minP: 0.1 }, { topK: 20, temperature: 1.5 }]) {
        const { tokens, logprobs } = new SamplingPlan({ ...filters, method }).sample(repeat(x, rows), keys);
        const expected = filterChain(x, ORDERS['default']!, filters);
        const counts = new Map<number, number>();
        for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
        const { statistic, df } = chiSquare(counts, expected);
        expect(statistic).toBeLessThan(chiSquareLimit(df));
        expect(Math.abs(logprobs![0]! - Math.log(expected.get(tokens[0]!)!))).toBeLessThan(4e-6);
      }
    }
  });

  it('find the cut of large flat nuclei, where candidates are narrowed first, ties included', () => {
    for (const [scale, step] of [
      [0.3, 0],
      [1, 0],
      [2, 0.25],
    ] as const) {
      const x = new Random(77).normals(40_000, scale).map((v) => (step === 0 ? v : Math.round(v / step) * step));
      const expected = Array.from(filterChain(x, ['temperature', 'topP'], { topP: 0.9 }).keys());
      const kept = keptOf(x, { topP: 0.9 });
      // Within a few tokens: sums of 40,000 float64 terms and of integers round differently.
      expect(Math.abs(kept.length - expected.length)).toBeLessThanOrEqual(2);
    }
  });

  it('XTC removes the top choices but the least probable of them, as often as asked', () => {
    const x = new Float32Array(50).fill(-10);
    [3, 2.5, 2].forEach((v, j) => (x[j] = v));
    const rows = 4000;
    const keys = { seed: 2, sequences: range(rows), positions: range(rows) };
    const plan = new SamplingPlan({ xtc: { probability: 0.5, threshold: 0.1 } });
    const tokens = plan.sample(repeat(x, rows), keys).tokens;
    const third = filterChain(x, [], {}).get(2)!;
    const share = tokens.filter((token) => token === 2).length / rows;
    expect(Math.abs(share - (0.5 + 0.5 * third))).toBeLessThan(0.04);
    expect(new Set(keptOf(x, { xtc: { probability: 1, threshold: 0.1 } })).has(0)).toBe(false);
  });

  it('the rule of a tie at the cut can be chosen', () => {
    const x = new Float32Array(4); // Four tokens of a quarter each: the mass in front of the third is exactly one half.
    expect(keptOf(x, { topP: 0.5 })).toEqual([0, 1]);
    expect(keptOf(x, { topP: 0.5, topPRule: 'upTo' })).toEqual([0, 1, 2]);
    expect(keptOf(x, { topP: 0.5, order: 'sglang' })).toEqual([0, 1, 2]);
    expect(keptOf(x, { topP: 0.5, order: 'sglang', topPRule: 'below' })).toEqual([0, 1]);
    expect(keptOf(x, { topP: 0.3, ties: 'all' })).toEqual([0, 1, 2, 3]);
    expect(keptOf(x, { topP: 0.3, order: 'flashinfer' })).toEqual([0, 1, 2, 3]);
    expect(keptOf(x, { topP: 0.3, order: 'flashinfer', ties: 'lowestId' })).toEqual([0, 1]);
  });

  it('with ties kept, a token stays where what is strictly larger has less than k tokens, or p of the mass', () => {
    for (const [vocab, scale] of [
      [300, 1],
      [4200, 2],
      [9000, 0.5],
    ] as const) {
      const x = new Random(vocab).normals(vocab, scale).map((v) => Math.round(v * 2) / 2);
      const weights = Array.from(x, Math.exp);
      const total = weights.reduce((a, b) => a + b, 0);
      const larger = (v: number): number[] => Array.from(x.keys()).filter((j) => x[j]! > v);
      const kept = (stays: (larger: number[]) => boolean): number[] => {
        const values = new Map([...new Set(x)].map((v) => [v, stays(larger(v))]));
        return Array.from(x.keys()).filter((j) => values.get(x[j]!));
      };
      for (const k of [1, 20, 120]) expect(keptOf(x, { topK: k, ties: 'all' })).toEqual(kept((l) => l.length < k));
      for (const p of [0.01, 0.5, 0.93]) {
        const inFront = (l: number[]): boolean => l.reduce((sum, j) => sum + weights[j]!, 0) < p * total;
        expect(keptOf(x, { topP: p, ties: 'all' })).toEqual(kept(inFront));
      }
      expect(keptOf(x, { topK: 5, topP: 1e-6, order: 'flashinfer' })).toEqual(kept((l) => l.length === 0));
    }
  });

  it('a top-p that float32 rounds to 1 is off', () => {
    expect(keptOf(new Float32Array(50), { topP: 1 - 1e-9 })).toEqual([]);
  });

  it('where rounding keeps the masses from reaching p, all stay that could matter, and those without mass are not drawn', () => {
    // One token, and 256,000 of 2^-40.1 each: integer masses of 0, yet 2.2e-7 of the row together.
    const x = new Float32Array(256_001).fill(-40.1 * Math.LN2);
    x[70_000] = 0;
    // p of the row's sum is more than all integer masses for 1 - p = 2^-23, less for 2^-21.
    expect(keptOf(x, { topP: 1 - 2 ** -21 })).toEqual([70_000]);
    expect(keptOf(x, { topP: 1 - 2 ** -23 })).toHaveLength(x.length);
    const { tokens, logprobs } = new SamplingPlan({ topP: 1 - 2 ** -23 }).sample(x, { ...one, samples: 200 });
    expect(new Set(tokens)).toEqual(new Set([70_000]));
    expect(new Set(logprobs)).toEqual(new Set([0]));
    // Tokens of less than 2^-0.02 (1 - p) S / V do not stay: a thousand at 2^-45.
    x.fill(-45 * Math.LN2, 0, 1000);
    expect(keptOf(x, { topP: 1 - 2 ** -23 })).toHaveLength(x.length - 1000);
  });
});

describe('edits', () => {
  const vocab = 130;
  const x = new Random(21).normals(vocab, 2);
  /** Log-probs of every token after the edits of `options`. */
  const edited = (options: SamplingOptions, keys: object = {}): number[] => {
    const samples = 4000;
    const outputs = ['token', 'logprob'] as const;
    const { tokens, logprobs } = sameBits((threads) =>
      new SamplingPlan({ ...options, outputs, threads }).sample(x, { ...one, ...keys, samples }),
    );
    const seen: number[] = new Array<number>(vocab).fill(NaN);
    tokens.forEach((token, i) => (seen[token] = logprobs![i]!));
    return seen;
  };
  const expectEdited = (options: SamplingOptions, keys: object, reference: (v: number, j: number) => number): void => {
    const expected = filterChain(Array.from(x, reference), [], {});
    const actual = edited(options, keys);
    let compared = 0;
    actual.forEach((lp, j) => {
      if (Number.isNaN(lp)) return;
      compared++;
      expect(Math.abs(lp - Math.log(expected.get(j)!))).toBeLessThan(5e-6);
    });
    expect(compared).toBeGreaterThan(2);
  };
  const history = { prompt: Int32Array.of(3, 4, 5, 4, 129), output: Int32Array.of(7, 3, 7, 7) };
  const inPrompt = new Set(history.prompt);
  const inOutput = new Set(history.output);

  it('softcap, bias, bans, allowed tokens and bitmasks', () => {
    expectEdited({ softcap: 3 }, {}, (v) => 3 * Math.tanh(v / 3));
    expectEdited(
      {
        logitBias: new Map([
          [2, 1.5],
          [9, -2],
          [11, -Infinity],
        ]),
      },
      {},
      (v, j) => v + (j === 2 ? 1.5 : j === 9 ? -2 : j === 11 ? -Infinity : 0),
    );
    expectEdited({ bannedTokens: [1, 2, 100] }, {}, (v, j) => ([1, 2, 100].includes(j) ? -Infinity : v));
    expectEdited({ allowedTokens: [5, 40, 64, 129, 33] }, {}, (v, j) =>
      [5, 40, 64, 129, 33].includes(j) ? v : -Infinity,
    );
    // Three words for 130 tokens: what lies past the mask is banned.
    const bitmask = Int32Array.of(-1, 0x0f0f0f0f, 0);
    expectEdited({}, { bitmask }, (v, j) => (j < 64 && ((bitmask[j >> 5]! >>> (j & 31)) & 1) === 1 ? v : -Infinity));
    expectEdited({ allowedTokens: [1, 2, 33, 36, 70] }, { bitmask }, (v, j) =>
      [1, 2, 33].includes(j) ? v : -Infinity,
    );
  });

  it('repetition, presence and frequency penalties over prompt and output', () => {
    expectEdited({ repetitionPenalty: 1.3 }, { history }, (v, j) =>
      inPrompt.has(j) || inOutput.has(j) ? (v > 0 ? v / 1.3 : v * 1.3) : v,
    );
    expectEdited({ presencePenalty: 0.7 }, { history }, (v, j) => (inOutput.has(j) ? v - 0.7 : v));
    expectEdited(
      { frequencyPenalty: 0.4 },
      { history },
      (v, j) => v - 0.4 * history.output.filter((t) => t === j).length,
    );
  });

  it('minimum length, n-grams and DRY', () => {
    expectEdited({ minTokens: 5, stopTokens: [0, 9] }, { history }, (v, j) => (j === 0 || j === 9 ? -Infinity : v));
    expectEdited({ minTokens: 4, stopTokens: [0, 9] }, { history }, (v) => v);
    // ... 4 5 | 4 129 7 3 7 7: after "7", 3 and 7 have been seen; a bigram may not occur twice.
    expectEdited({ noRepeatNgram: 2 }, { history }, (v, j) => (j === 3 || j === 7 ? -Infinity : v));
    const loop = { prompt: Int32Array.of(10, 11, 12, 13, 10, 11, 12), output: Int32Array.of(50, 10, 11, 12) };
    // "10 11 12" came before twice: 13 would extend it (match 3), 50 too.
    expectEdited({ dry: { multiplier: 0.8, base: 1.75, allowedLength: 2 } }, { history: loop }, (v, j) =>
      j === 13 || j === 50 ? v - 0.8 * 1.75 : v,
    );
    expectEdited({ dry: { multiplier: 0.8, breakers: [11] } }, { history: loop }, (v) => v);
  });

  it('leave a row without a token when everything is banned', () => {
    const { tokens, status } = new SamplingPlan({ allowedTokens: [] }).sample(x, one);
    expect([tokens[0], status[0]]).toEqual([-1, rowStatus.allMasked]);
  });

  it('take lists per row', () => {
    const two = Float32Array.from([...x, ...x]);
    const keys = { seed: 1, sequences: range(2), positions: range(2) };
    const banned = { tokens: range(vocab).filter((j) => j !== 8), offsets: Int32Array.of(0, vocab - 1, vocab - 1) };
    const { tokens, logprobs } = new SamplingPlan({ bannedTokens: banned, topK: 1 }).sample(two, keys);
    expect(tokens[0]).toBe(8);
    expect(logprobs![0]).toBeCloseTo(0, 6);
    expect(tokens[1]).toBe(x.indexOf(Math.max(...x)));
  });
});

describe('outputs', () => {
  it('rank, entropy, top and chosen log-probs, kept set, support mass, several samples', () => {
    const [rows, vocab] = [3, 2600];
    const x = new Random(31).normals(rows * vocab, 3).map((v) => Math.round(v * 8) / 8);
    const keys = { seed: 4, sequences: range(rows), positions: range(rows), samples: 5 };
    const options: SamplingOptions = {
      ...{ temperature: 1.5, topK: 20, topP: 0.9, topLogprobs: 6, logprobTokens: [0, 2599, 9999] },
      outputs: ['token', 'logprob', 'rawLogprob', 'rank', 'entropy', 'supportMass', 'keptSet'],
    };
    const r = sameBits((threads) => new SamplingPlan({ ...options, threads }).sample(x, keys));
    expect(r.tokens).toHaveLength(15);
    for (let i = 0; i < rows; i++) {
      const row = x.subarray(i * vocab, (i + 1) * vocab);
      const order = Array.from(row.keys()).sort((a, b) => row[b]! - row[a]! || a - b);
      const raw = tokenLogprobs(row, Int32Array.of(order[0]!));
      expect(r.entropy![i]).toBe(raw.entropy![0]);
      expect(Array.from(r.topLogprobs!.tokens.subarray(i * 6, i * 6 + 6))).toEqual(order.slice(0, 6));
      expect(r.topLogprobs!.logprobs[i * 6]).toBe(raw.logprob[0]);
      expect(r.chosenLogprobs![i * 3 + 1]).toBe(tokenLogprobs(row, Int32Array.of(2599)).logprob[0]);
      expect(r.chosenLogprobs![i * 3 + 2]).toBeNaN();
      const kept = filterChain(row, ['temperature', 'topK', 'topP'], { temperature: 1.5, topK: 20, topP: 0.9 });
      const { offsets, tokens } = r.keptSet!;
      expect(Array.from(tokens.subarray(offsets[i], offsets[i + 1]))).toEqual(Array.from(kept.keys()));
      const full = filterChain(row, ['temperature'], { temperature: 1.5 });
      const support = Array.from(kept.keys()).reduce((sum, j) => sum + full.get(j)!, 0);
      expect(Math.abs(r.supportMass![i]! - support)).toBeLessThan(1e-6);
      for (let k = 0; k < 5; k++) {
        const token = r.tokens[i * 5 + k]!;
        expect(r.ranks![i * 5 + k]).toBe(order.indexOf(token) + 1);
        const single = new SamplingPlan(options).sample(row, {
          ...{ seed: 4, sequences: Int32Array.of(i), positions: Int32Array.of(i), sample: k },
        });
        expect(single.tokens[0]).toBe(token);
      }
    }
  });

  it('a row that no filter touched lists no kept tokens', () => {
    const { keptSet, supportMass } = new SamplingPlan({ outputs: ['keptSet', 'supportMass'] }).sample(
      new Float32Array(9),
      one,
    );
    expect(keptSet!.offsets).toEqual(Int32Array.of(0, 0));
    expect(supportMass![0]).toBe(1);
  });
});

it('names what is wrong with the new settings', () => {
  const field = (options: object): unknown => {
    try {
      new SamplingPlan(options);
    } catch (error) {
      return (error as { field: string }).field;
    }
    return 'no error';
  };
  expect(field({ minP: 2 })).toBe('options.minP');
  expect(field({ typicalP: 0 })).toBe('options.typicalP');
  expect(field({ topNSigma: -1 })).toBe('options.topNSigma');
  expect(field({ xtc: { probability: 2, threshold: 0.1 } })).toBe('options.xtc');
  expect(field({ order: 'hf' })).toBe('options.order');
  expect(field({ order: ['topK'] })).toBe('options.order');
  expect(field({ order: ['temperature', 'topQ'] })).toBe('options.order[1]');
  expect(field({ topPRule: 'x' })).toBe('options.topPRule');
  expect(field({ method: 'x' })).toBe('options.method');
  expect(field({ repetitionPenalty: 0 })).toBe('options.repetitionPenalty');
  expect(field({ logitBias: new Map([[1, Infinity]]) })).toBe('options.logitBias[1]');
  expect(field({ bannedTokens: undefined, allowedTokens: [-1] })).toBe('options.allowedTokens[0]');
  expect(field({ dry: { multiplier: -1 } })).toBe('options.dry.multiplier');
  const plan = new SamplingPlan({ bannedTokens: { tokens: range(3), offsets: Int32Array.of(0, 4) } });
  expect(() => plan.sample(new Float32Array(4), one)).toThrow('offsets[1]');
});
