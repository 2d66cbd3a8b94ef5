import {
  logprobBackward,
  mergeLogprobs,
  rowStatus,
  SamplingPlan,
  tokenLogprobs,
  type LogprobOptions,
} from '../../lib/index.js';
import { sameBits } from './isas.js';
import { Random } from './random.js';
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

  it('ignore index', () => {
    const masked = Int32Array.from(tokens);
    masked[2] = -100;
    const options = { ignoreIndex: -100 };
    const forward = tokenLogprobs(x, masked, options);
    expect([forward.logprob[2], forward.status[2]]).toEqual([0, rowStatus.ignored]);
    const d = logprobBackward(x, masked, gradients, options);
    expect(d.subarray(2 * vocab, 3 * vocab).every((v) => v === 0)).toBe(true);
    expect(d.subarray(0, vocab).some((v) => v !== 0)).toBe(true);
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
    const merged = mergeLogprobs(states);
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

  it('shards without mass add nothing; a NaN in one spoils its row and no other', () => {
    const parts = [x.slice(0, 2 * vocab), new Float32Array(2 * vocab).fill(-Infinity)];
    parts[1]![vocab] = NaN;
    const two = Int32Array.of(5, 6);
    const states = parts.map((part, k) => tokenLogprobs(part, two, { vocabOffset: k * vocab }).state);
    const merged = mergeLogprobs(states);
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
    expect(() => mergeLogprobs([new Float64Array(5), new Float64Array(10)])).toThrow('states[1]');
  });
});
