import fc from 'fast-check';

import {
  logprobBackward,
  mergeLogprobs,
  rowStatus,
  SamplingPlan,
  tokenLogprobs,
  type LogprobOptions,
} from '../../lib/index.js';
import { sameBits } from './isas.js';
import { Random, toBfloat16, toFloat16Grid } from './random.js';
import { softmaxGradient, softmaxRow } from './reference/logprob.js';

const [rows, vocab] = [4, 2300];
const random = new Random(41);
const x = random.normals(rows * vocab, 4);
const tokens = Int32Array.from({ length: rows }, () => random.integer(vocab));
const rowOf = (i: number): Float32Array => x.subarray(i * vocab, (i + 1) * vocab);
const gradients = { dLogprob: random.normals(rows), dEntropy: random.normals(rows) };

function largest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((m, v, i) => Math.max(m, Math.abs(v - b[i]!)), 0);
}

/** Forward and backward with the same bits everywhere, the gradient from a given state and from none. */
function both(options: LogprobOptions) {
  const forward = sameBits((threads) => tokenLogprobs(x, tokens, { ...options, sumSquares: true, threads }));
  const d = sameBits((threads) =>
    logprobBackward(x, tokens, { ...gradients, state: forward.state }, { ...options, threads }),
  );
  expect(logprobBackward(x, tokens, gradients, options)).toEqual(d);
  return { ...forward, d: d as Float32Array };
}

describe('tokenLogprobs options', () => {
  it('sum of squared probabilities', () => {
    const { sumSquares, logprob, entropy } = both({ temperature: 1.3 });
    for (let i = 0; i < rows; i++) {
      const expected = softmaxRow(rowOf(i), 1.3).probabilities.reduce((a, p) => a + p * p, 0);
      expect(Math.abs(sumSquares![i]! - expected)).toBeLessThan(1e-6 * expected + 1e-9);
    }
    const plain = tokenLogprobs(x, tokens, { temperature: 1.3 });
    expect([logprob, entropy]).toEqual([plain.logprob, plain.entropy]);
  });

  it('softcap, forward and backward', () => {
    const cap = 5;
    const temperature = 0.9;
    const { logprob, d } = both({ softcap: cap, temperature });
    for (let i = 0; i < rows; i++) {
      const capped = Float64Array.from(rowOf(i), (v) => cap * Math.tanh(v / cap));
      expect(Math.abs(logprob[i]! - softmaxRow(capped, temperature).logprobs[tokens[i]!]!)).toBeLessThan(4e-6);
      const expected = softmaxGradient(capped, tokens[i]!, gradients.dLogprob[i]!, gradients.dEntropy[i]!, temperature);
      const chained = expected.map((g, j) => g * (1 - (capped[j]! / cap) ** 2));
      expect(largest(d.subarray(i * vocab, (i + 1) * vocab), chained)).toBeLessThan(2e-6);
    }
  });

  it('rows of the ignore index are not read, whatever they hold', () => {
    const masked = Int32Array.from(tokens);
    masked[2] = -100;
    const rubbish = x.slice();
    rubbish.fill(NaN, 2 * vocab, 3 * vocab);
    const options = { ignoreIndex: -100, topK: 2, candidates: Int32Array.from(tokens) };
    const forward = sameBits((threads) => tokenLogprobs(rubbish, masked, { ...options, sumSquares: true, threads }));
    expect(forward.status[2]).toBe(rowStatus.ignored);
    for (const name of ['logprob', 'entropy', 'logsumexp', 'sumSquares'] as const) expect(forward[name]![2]).toBe(0);
    expect(Array.from(forward.topTokens!.subarray(4, 6))).toEqual([-1, -1]);
    expect(forward.candidateLogprobs![2]).toBeNaN();
    expect(forward.logprob[1]).toBe(tokenLogprobs(x, tokens).logprob[1]);
    const d = sameBits((threads) => logprobBackward(rubbish, masked, gradients, { ...options, threads }));
    expect(d.subarray(2 * vocab, 3 * vocab).every((v) => Object.is(v, 0))).toBe(true);
    expect(d.subarray(0, vocab).some((v) => v !== 0)).toBe(true);
  });

  it('top-k in order, ties to the lowest id, and the log-probs of given tokens', () => {
    for (const k of [1, 7, 300, 2300, 2400]) {
      const y = x.map((v) => Math.round(v)); // Ties in plenty.
      y.fill(-Infinity, vocab, vocab + 10);
      const { topTokens, topLogprobs } = sameBits((threads) =>
        tokenLogprobs(y, tokens, { topK: k, temperature: 0.7, entropy: false, threads }),
      );
      for (let i = 0; i < rows; i++) {
        const row = y.subarray(i * vocab, (i + 1) * vocab);
        const { logprobs } = softmaxRow(row, 0.7);
        const order = Array.from(row.keys()).sort((a, b) => row[b]! - row[a]! || a - b);
        const expected = order.filter((j) => row[j]! > -Infinity).slice(0, k);
        const padded = [...expected, ...new Array<number>(k - expected.length).fill(-1)];
        expect(Array.from(topTokens!.subarray(i * k, (i + 1) * k))).toEqual(padded);
        padded.forEach((j, at) => {
          const actual = topLogprobs![i * k + at]!;
          if (j < 0) expect(actual).toBeNaN();
          else expect(Math.abs(actual - logprobs[j]!)).toBeLessThan(4e-6);
        });
      }
      const student = sameBits((threads) =>
        tokenLogprobs(y, tokens, { candidates: topTokens!, temperature: 0.7, threads }),
      );
      expect(student.candidateLogprobs).toEqual(topLogprobs);
    }
    const outside = Int32Array.of(-1, vocab, 5, 2 ** 31 - 1);
    const { candidateLogprobs } = tokenLogprobs(x, tokens, { candidates: outside });
    expect(Array.from(candidateLogprobs!, (v) => Number.isNaN(v))).toEqual([true, true, false, true]);
  });

  it('kept sets of the sampler re-normalise to the log-probs it sampled with, and only they get a gradient', () => {
    const keys = { seed: 6, sequences: Int32Array.from(tokens), positions: new Int32Array(rows) };
    const settings = { temperature: 0.8, topK: 40, topP: 0.95 };
    const plan = new SamplingPlan({ ...settings, outputs: ['token', 'logprob', 'keptSet'] });
    const sampled = plan.sample(x, keys);
    const options = { temperature: 0.8, keptSet: sampled.keptSet! };
    const forward = sameBits((threads) => tokenLogprobs(x, sampled.tokens, { ...options, threads }));
    expect(largest(forward.logprob, sampled.logprobs!)).toBeLessThan(2e-6);
    const d = sameBits((threads) => logprobBackward(x, sampled.tokens, gradients, { ...options, threads }));
    const { offsets, tokens: kept } = sampled.keptSet!;
    for (let i = 0; i < rows; i++) {
      const columns = Array.from(kept.subarray(offsets[i], offsets[i + 1]));
      const values = columns.map((j) => rowOf(i)[j]!);
      const target = columns.indexOf(sampled.tokens[i]!);
      const expected = softmaxGradient(values, target, gradients.dLogprob[i]!, gradients.dEntropy[i]!, 0.8);
      const row = d.subarray(i * vocab, (i + 1) * vocab);
      expect(
        largest(
          columns.map((j) => row[j]!),
          expected,
        ),
      ).toBeLessThan(2e-6);
      expect(row.filter((v) => v !== 0).length).toBeLessThanOrEqual(columns.length);
    }
    const outside = sampled.tokens.map((token, i) => (i === 1 ? (token + 1) % vocab : token));
    const narrow = { tokens: sampled.tokens, offsets: Int32Array.of(0, 1, 2, 3, 4) };
    expect(tokenLogprobs(x, outside, { keptSet: narrow }).status[1]).toBe(rowStatus.targetOutOfRange);
    expect(largest(tokenLogprobs(x, sampled.tokens, { keptSet: narrow }).logprob, new Float32Array(rows))).toBeLessThan(
      2e-7,
    );
    const empty = { tokens: new Int32Array(0), offsets: new Int32Array(rows + 1) };
    expect(tokenLogprobs(x, tokens, { keptSet: empty })).toEqual(tokenLogprobs(x, tokens));
  });

  it('vocabulary shards merge into the whole, and the merged state gives each shard its gradient', () => {
    const whole = both({ temperature: 0.7 });
    const borders = [0, 900, 1700, vocab];
    const shards = [0, 1, 2].map((k) => {
      const [from, to] = [borders[k]!, borders[k + 1]!];
      const part = new Float32Array(rows * (to - from));
      for (let i = 0; i < rows; i++) part.set(rowOf(i).subarray(from, to), i * (to - from));
      return { from, to, part, options: { temperature: 0.7, vocabOffset: from } };
    });
    const states = shards.map(
      ({ part, options }) => tokenLogprobs(part, tokens, { ...options, sumSquares: true }).state,
    );
    const merged = sameBits(() => mergeLogprobs(states));
    expect(largest(merged.logprob, whole.logprob)).toBeLessThan(2e-6);
    expect(largest(merged.entropy, whole.entropy!)).toBeLessThan(2e-6);
    expect(largest(merged.sumSquares, whole.sumSquares!)).toBeLessThan(1e-6);
    expect(Array.from(merged.status)).toEqual([0, 0, 0, 0]);
    for (const { from, to, part, options } of shards) {
      const d = logprobBackward(part, tokens, { ...gradients, state: merged.state }, options);
      for (let i = 0; i < rows; i++) {
        const expected = whole.d.subarray(i * vocab + from, i * vocab + to);
        expect(largest(d.subarray(i * (to - from), (i + 1) * (to - from)), expected)).toBeLessThan(2e-6);
      }
    }
  });

  it('top-k of kept sets and of shards names tokens of the whole vocabulary', () => {
    const keptSet = { tokens: Int32Array.of(3, 9, 2299, 4, 5), offsets: Int32Array.of(0, 3, 3, 5, 5) };
    const { topTokens } = sameBits((threads) => tokenLogprobs(x, tokens, { keptSet, topK: 3, softcap: 6, threads }));
    expect(new Set(topTokens!.subarray(0, 3))).toEqual(new Set([3, 9, 2299]));
    expect(new Set(topTokens!.subarray(6, 9))).toEqual(new Set([4, 5, -1]));
    const whole = tokenLogprobs(x, tokens, { topK: 3 });
    expect(Array.from(topTokens!.subarray(3, 6))).toEqual(Array.from(whole.topTokens!.subarray(3, 6)));
    const shifted = tokenLogprobs(x, tokens, { topK: 3, vocabOffset: 1000, candidates: tokens });
    expect(shifted.topTokens).toEqual(whole.topTokens!.map((token) => token + 1000));
    expect(shifted.topLogprobs).toEqual(whole.topLogprobs);
  });

  it('ignored rows stay ignored in a merge', () => {
    const options = { ignoreIndex: 5 };
    const ids = Int32Array.of(5, 6);
    const states = [0, 1].map(
      (k) => tokenLogprobs(x.subarray(0, 2 * vocab), ids, { ...options, vocabOffset: k * vocab }).state,
    );
    const merged = sameBits(() => mergeLogprobs(states));
    expect(Array.from(merged.status)).toEqual([rowStatus.ignored, rowStatus.ok]);
    expect([merged.logprob[0], merged.entropy[0]]).toEqual([0, 0]);
    expect(merged.logprob[1]).toBeLessThan(tokenLogprobs(x, Int32Array.of(0, 6, 0, 0)).logprob[1]!);
  });

  it('the gradient through cap, kept set and shard is that of finite differences', () => {
    const [cap, temperature, n] = [3, 1.2, 30];
    const row = random.normals(n, 2);
    const kept = [1, 4, 7, 8, 20, 29];
    const target = 7;
    const loss = (z: Float32Array): number => {
      const capped = kept.map((j) => cap * Math.tanh(z[j]! / cap));
      const { logprobs, entropy } = softmaxRow(capped, temperature);
      return 0.7 * logprobs[kept.indexOf(target)]! - 0.4 * entropy;
    };
    const keptSet = { tokens: Int32Array.from(kept), offsets: Int32Array.of(0, kept.length) };
    const options = { softcap: cap, temperature, keptSet, vocabOffset: 100 };
    const given = { dLogprob: Float32Array.of(0.7), dEntropy: Float32Array.of(-0.4) };
    const d = sameBits((threads) => logprobBackward(row, Int32Array.of(100 + target), given, { ...options, threads }));
    for (let j = 0; j < n; j++) {
      const h = 2 ** -8;
      const up = loss(row.map((v, k) => (k === j ? v + h : v)));
      const down = loss(row.map((v, k) => (k === j ? v - h : v)));
      expect(Math.abs(d[j]! - (up - down) / (2 * h))).toBeLessThan(2e-5);
    }
  });

  it('any options, any type, any place in the batch: one set of bits, in place or not', () => {
    const type = fc.constantFrom('float32', 'bfloat16', 'float16');
    const scalars = fc.record({
      vocab: fc.integer({ min: 1, max: 5000 }),
      batch: fc.integer({ min: 1, max: 4 }),
      seed: fc.integer({ min: 0, max: 2 ** 31 }),
      type,
      capped: fc.boolean(),
      kept: fc.boolean(),
      sumSquares: fc.boolean(),
      topK: fc.integer({ min: 1, max: 40 }),
    });
    fc.assert(
      fc.property(scalars, ({ vocab, batch, seed, type, capped, kept, sumSquares, topK }) => {
        const r = new Random(seed);
        const values = r.normals(batch * vocab, 5).map((v) => (r.uniform() < 0.1 ? -Infinity : v));
        const data =
          type === 'float32' ? values : type === 'bfloat16' ? toBfloat16(values) : toFloat16Grid(values).halves;
        const ids = Int32Array.from({ length: batch }, () => r.integer(vocab));
        const lists = ids.map(() => Math.floor(r.uniform() * Math.min(vocab, 3000)));
        const offsets = new Int32Array(batch + 1);
        lists.forEach((length, i) => (offsets[i + 1] = offsets[i]! + length));
        const columns = Int32Array.from(
          Array.from(lists).flatMap((length, i) => {
            const all = new Set(length > 0 ? [ids[i]!] : []);
            while (all.size < length) all.add(r.integer(vocab));
            return Array.from(all).sort((a, b) => a - b);
          }),
        );
        const options = {
          dtype: type === 'float32' ? undefined : (type as 'bfloat16'),
          ...(capped && { softcap: 4 }),
          ...(kept && { keptSet: { tokens: columns, offsets } }),
        };
        const wanted = { sumSquares, topK, candidates: ids };
        const forward = sameBits((threads) => tokenLogprobs(data, ids, { ...options, ...wanted, threads }));
        expect(forward.candidateLogprobs).toEqual(forward.logprob);
        const upstream = { dLogprob: r.normals(batch), dEntropy: r.normals(batch), state: forward.state };
        const d = sameBits((threads) => logprobBackward(data, ids, upstream, { ...options, threads }));
        const inPlace = data.slice();
        expect(logprobBackward(inPlace, ids, upstream, { ...options, out: inPlace })).toEqual(d);
        if (kept) return;
        const i = batch - 1;
        const alone = tokenLogprobs(data.subarray(i * vocab), ids.subarray(i), {
          ...options,
          ...wanted,
          candidates: ids.subarray(i),
        });
        expect(alone.logprob[0]).toBe(forward.logprob[i]);
        expect(alone.sumSquares?.[0]).toBe(forward.sumSquares?.[i]);
        expect(alone.topTokens).toEqual(forward.topTokens!.subarray(i * topK));
      }),
      { numRuns: 40 },
    );
  });

  it('shards without mass add nothing; a NaN in one spoils its row and no other', () => {
    const parts = [x.slice(0, 2 * vocab), new Float32Array(2 * vocab).fill(-Infinity)];
    parts[1]![vocab] = NaN;
    const two = Int32Array.of(5, 6);
    const states = parts.map((part, k) => tokenLogprobs(part, two, { vocabOffset: k * vocab }).state);
    const merged = sameBits(() => mergeLogprobs(states));
    expect(Array.from(merged.status)).toEqual([rowStatus.ok, rowStatus.nan]);
    expect(merged.logprob[0]).toBe(tokenLogprobs(parts[0]!, two).logprob[0]);
    expect(merged.logprob[1]).toBeNaN();
  });

  it('names what is wrong', () => {
    const keptSet = { tokens: Int32Array.of(3, 3), offsets: Int32Array.of(0, 2, 2, 2, 2) };
    expect(() => tokenLogprobs(x, tokens, { keptSet })).toThrow('options.keptSet.tokens[1]');
    expect(() => tokenLogprobs(x, tokens, { keptSet: { ...keptSet, offsets: Int32Array.of(0, 2) } })).toThrow(
      'offsets',
    );
    expect(() => tokenLogprobs(x, tokens, { softcap: -1 })).toThrow('options.softcap');
    expect(() => tokenLogprobs(x, tokens, { ignoreIndex: 0.5 })).toThrow('options.ignoreIndex');
    expect(() => tokenLogprobs(x, tokens, { topK: 0 })).toThrow('options.topK');
    expect(() => tokenLogprobs(x, tokens, { candidates: new Int32Array(5) })).toThrow('options.candidates');
    expect(() => mergeLogprobs([new Float64Array(5), new Float64Array(10)])).toThrow('states[1]');
  });
});
