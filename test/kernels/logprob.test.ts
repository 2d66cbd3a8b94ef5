import fc from 'fast-check';

import { logprobBackward, rowStatus, tokenLogprobs } from '../../lib/index.js';
import { sameBits } from './isas.js';
import { fromBfloat16, Random, toBfloat16, toFloat16Grid } from './random.js';
import { softmaxGradient, softmaxRow } from './reference/logprob.js';

const VOCABS = [1, 2, 7, 16, 255, 256, 257, 2047, 2048, 2049, 5000, 50257];

function rowOf(x: Float32Array, i: number, vocab: number): Float32Array {
  return x.subarray(i * vocab, (i + 1) * vocab);
}

describe('tokenLogprobs', () => {
  it.each(VOCABS)('agrees with float64 for a vocabulary of %i', (vocab) => {
    const random = new Random(vocab);
    const rows = 3;
    const x = random.normals(rows * vocab, 4, 2);
    const tokens = Int32Array.from({ length: rows }, () => random.integer(vocab));
    for (const temperature of [1, 0.7, 3]) {
      const result = tokenLogprobs(x, tokens, { temperature });
      for (let i = 0; i < rows; i++) {
        const reference = softmaxRow(rowOf(x, i, vocab), temperature);
        expect(Math.abs(result.logprob[i]! - reference.logprobs[tokens[i]!]!)).toBeLessThan(3e-6);
        expect(Math.abs(result.entropy![i]! - reference.entropy)).toBeLessThan(3e-6);
        expect(Math.abs(result.logsumexp[i]! - reference.logsumexp)).toBeLessThan(3e-6);
        expect(result.status[i]).toBe(rowStatus.ok);
      }
    }
  });

  it('holds on hard inputs: offsets of 1e4, prefixes of -inf, rising and falling rows, mask fills', () => {
    const vocab = 5000;
    const random = new Random(7);
    const rows: Record<string, Float32Array> = {
      'offset +1e4': random.normals(vocab, 1, 1e4),
      'offset -1e4': random.normals(vocab, 1, -1e4),
      '-inf prefix': random.normals(vocab).map((v, j) => (j < 2100 ? -Infinity : v - 1000)),
      'all but one -inf': new Float32Array(vocab).fill(-Infinity).fill(3, 4321, 4322),
      rising: new Float32Array(vocab).map((_, j) => j / 10),
      falling: new Float32Array(vocab).map((_, j) => -j / 10),
      '-3.4e38 fill': random.normals(vocab).map((v, j) => (j % 3 === 0 ? v : -3.4e38)),
      subnormals: new Float32Array(vocab).fill(1e-40),
      'one peak late': random.normals(vocab).map((v, j) => (j === 1900 ? 90 : v)),
      '-0 and 0': new Float32Array(vocab).map((_, j) => (j % 2 === 0 ? -0 : 0)),
    };
    for (const [name, x] of Object.entries(rows)) {
      const reference = softmaxRow(x);
      const tokens = [0, 1900, 4321, 4999];
      const stacked = Float32Array.from(tokens.flatMap(() => Array.from(x)));
      const result = tokenLogprobs(stacked, Int32Array.from(tokens));
      tokens.forEach((token, i) => {
        const expected = reference.logprobs[token]!;
        const masked = expected === -Infinity || x[token]! < -3e38;
        expect([name, result.status[i]]).toEqual([name, masked ? rowStatus.targetMasked : rowStatus.ok]);
        if (masked) expect(result.logprob[i]).toBe(-Infinity);
        else expect(Math.abs(result.logprob[i]! - expected)).toBeLessThan(1e-6 + 3e-7 * Math.abs(expected));
        expect(Math.abs(result.entropy![i]! - reference.entropy)).toBeLessThan(2e-6);
      });
    }
  });

  it('gives every bad row a status of its own and leaves its neighbours alone', () => {
    const vocab = 300;
    const good = new Random(1).normals(vocab);
    const bad: [name: keyof typeof rowStatus, row: Float32Array, token: number][] = [
      ['nan', good.map((v, j) => (j === 299 ? NaN : v)), 0],
      ['nan', good.map((v, j) => (j === 3 ? NaN : j === 4 ? Infinity : v)), 0],
      ['positiveInfinity', good.map((v, j) => (j === 280 ? Infinity : v)), 0],
      ['positiveInfinity', good.map((v, j) => (j === 280 ? 3e38 : v)), 0],
      ['allMasked', good.map(() => -Infinity), 0],
      ['targetMasked', good.map((v, j) => (j === 5 ? -Infinity : v)), 5],
      ['targetOutOfRange', good, 300],
      ['targetOutOfRange', good, -1],
    ];
    for (const [name, row, token] of bad) {
      const x = Float32Array.from([...good, ...row, ...good]);
      const tokens = Int32Array.of(2, token, 2);
      const result = sameBits((threads) => tokenLogprobs(x, tokens, { threads }));
      expect(result.status[1]).toBe(rowStatus[name]);
      expect(result.logprob[1]).toBe(name === 'targetMasked' ? -Infinity : NaN);
      const alone = tokenLogprobs(good, Int32Array.of(2));
      expect([result.logprob[0], result.logprob[2]]).toEqual([alone.logprob[0], alone.logprob[0]]);
      const dLogprob = Float32Array.of(1, 1, 1);
      const d = sameBits((threads) => logprobBackward(x, tokens, { dLogprob, dEntropy: dLogprob }, { threads }));
      expect(rowOf(d as Float32Array, 1, vocab).every((v) => v === 0)).toBe(true);
      expect(d[2]).not.toBe(0);
    }
  });

  it('reads halves, strides and padding columns', () => {
    const random = new Random(11);
    const [rows, vocab, stride] = [4, 3001, 3010];
    const x = random.normals(rows * stride, 3);
    const tokens = Int32Array.from({ length: rows }, () => random.integer(vocab));
    const dense = (data: Float32Array): Float32Array =>
      Float32Array.from(
        Array.from({ length: rows }, (_, i) => Array.from(data.subarray(i * stride, i * stride + vocab))).flat(),
      );
    const expected = tokenLogprobs(dense(x), tokens);
    expect(tokenLogprobs(x, tokens, { vocab, stride })).toEqual(expected);
    const halves = toBfloat16(x);
    expect(tokenLogprobs(halves, tokens, { vocab, stride, dtype: 'bfloat16' })).toEqual(
      tokenLogprobs(dense(fromBfloat16(halves)), tokens),
    );
    const half = toFloat16Grid(x);
    expect(tokenLogprobs(half.halves, tokens, { vocab, stride, dtype: 'float16' })).toEqual(
      tokenLogprobs(dense(half.values), tokens),
    );
  });

  it('has the same bits on every instruction set, for any threads, batch size and place in the batch', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6000 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 2 ** 31 }),
        fc.constantFrom(0.1, 1, 5, 40),
        fc.boolean(),
        (vocab, rows, seed, scale, entropy) => {
          const random = new Random(seed);
          const x = random.normals(rows * vocab, scale).map((v) => (random.uniform() < 0.05 ? -Infinity : v));
          const tokens = Int32Array.from({ length: rows }, () => random.integer(vocab));
          const temperature = Float32Array.from({ length: rows }, () => 0.25 + random.uniform());
          const batch = sameBits((threads) => tokenLogprobs(x, tokens, { temperature, entropy, threads }));
          for (let i = 0; i < rows; i++) {
            const alone = tokenLogprobs(rowOf(x, i, vocab), tokens.subarray(i, i + 1), {
              temperature: temperature[i]!,
              entropy,
            });
            expect(alone.logprob[0]).toBe(batch.logprob[i]);
            expect(alone.entropy?.[0]).toBe(batch.entropy?.[i]);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('does not change the log-prob when the entropy is asked for', () => {
    const x = new Random(5).normals(4 * 9000, 10);
    const tokens = Int32Array.of(1, 2, 3, 8999);
    expect(tokenLogprobs(x, tokens, { entropy: false }).logprob).toEqual(tokenLogprobs(x, tokens).logprob);
  });

  it('writes into arrays that are passed in, and accepts an empty batch', () => {
    const logprob = new Float32Array(2);
    const result = tokenLogprobs(Float32Array.of(1, 2, 3, 4), Int32Array.of(0, 1), { out: { logprob } });
    expect(result.logprob).toBe(logprob);
    expect(logprob[0]).toBeCloseTo(-1.3132617, 6);
    expect(tokenLogprobs(new Float32Array(0), new Int32Array(0)).logprob).toHaveLength(0);
  });

  it('names what is wrong with its arguments', () => {
    const x = new Float32Array(6);
    const t = Int32Array.of(0, 1);
    const code = (f: () => unknown): unknown => {
      try {
        f();
      } catch (error) {
        const { code, field } = error as { code: string; field: string };
        return `${code} ${field}`;
      }
      return 'no error';
    };
    expect(code(() => tokenLogprobs(new Float64Array(6) as never, t))).toBe('ERR_INVALID_ARG_TYPE logits');
    expect(code(() => tokenLogprobs(x, [0, 1] as never))).toBe('ERR_INVALID_ARG_TYPE tokens');
    expect(code(() => tokenLogprobs(new Float32Array(0), t))).toBe('ERR_INVALID_ARG_VALUE logits');
    expect(code(() => tokenLogprobs(new Float32Array(7), t))).toBe('ERR_INVALID_ARG_VALUE logits');
    expect(code(() => tokenLogprobs(x, t, { vocab: 0 }))).toBe('ERR_INVALID_ARG_VALUE options.stride');
    expect(code(() => tokenLogprobs(x, t, { vocab: 4 }))).toBe('ERR_INVALID_ARG_VALUE logits');
    expect(code(() => tokenLogprobs(x, t, { vocab: 4, stride: 3 }))).toBe('ERR_INVALID_ARG_VALUE options.vocab');
    expect(code(() => tokenLogprobs(x, t, { temperature: 0 }))).toBe('ERR_INVALID_ARG_VALUE options.temperature');
    expect(code(() => tokenLogprobs(x, t, { temperature: Float32Array.of(1, NaN) }))).toBe(
      'ERR_INVALID_ARG_VALUE options.temperature[1]',
    );
    expect(code(() => tokenLogprobs(new Uint16Array(6), t))).toBe('ERR_INVALID_ARG_VALUE options.dtype');
    expect(code(() => tokenLogprobs(x, t, { threads: -1 }))).toBe('ERR_INVALID_ARG_VALUE options.threads');
    expect(code(() => tokenLogprobs(x, t, { out: { status: new Uint8Array(1) } }))).toBe(
      'ERR_INVALID_ARG_VALUE options.out.status',
    );
    expect(code(() => logprobBackward(x, t, { dLogprob: new Float32Array(3) }))).toBe(
      'ERR_INVALID_ARG_VALUE gradients.dLogprob',
    );
  });
});

describe('logprobBackward', () => {
  it.each(VOCABS)('agrees with the analytic gradient in float64 for a vocabulary of %i', (vocab) => {
    const random = new Random(vocab + 1);
    const rows = 2;
    const x = random.normals(rows * vocab, 3);
    const tokens = Int32Array.from({ length: rows }, () => random.integer(vocab));
    const dLogprob = random.normals(rows);
    const dEntropy = random.normals(rows);
    const temperature = 0.8;
    const { state } = tokenLogprobs(x, tokens, { temperature });
    const d = logprobBackward(x, tokens, { dLogprob, dEntropy, state }, { temperature });
    for (let i = 0; i < rows; i++) {
      const expected = softmaxGradient(rowOf(x, i, vocab), tokens[i]!, dLogprob[i]!, dEntropy[i]!, temperature);
      expected.forEach((e, j) => {
        expect(Math.abs(d[i * vocab + j]! - e)).toBeLessThan(1e-6 + 1e-6 * Math.abs(e));
      });
    }
  });

  it('agrees with finite differences of the forward pass', () => {
    const vocab = 40;
    const x = new Random(3).normals(vocab, 2);
    const token = Int32Array.of(17);
    const loss = (row: Float32Array): number => {
      const { logprobs, entropy } = softmaxRow(row, 1.3);
      return 0.7 * logprobs[17]! - 0.4 * entropy;
    };
    const gradients = { dLogprob: Float32Array.of(0.7), dEntropy: Float32Array.of(-0.4) };
    const d = logprobBackward(x, token, gradients, { temperature: 1.3 });
    for (let j = 0; j < vocab; j++) {
      const h = 2 ** -9;
      const up = loss(x.map((v, k) => (k === j ? v + h : v)));
      const down = loss(x.map((v, k) => (k === j ? v - h : v)));
      expect(Math.abs(d[j]! - (up - down) / (2 * h))).toBeLessThan(2e-5);
    }
  });

  it('writes in place, into halves, and past the size that streams, with the same bits', () => {
    const random = new Random(9);
    const [rows, vocab] = [140, 32000]; // 17.9 MB: non-temporal stores.
    const x = random.normals(vocab, 4);
    const many = new Float32Array(rows * vocab);
    for (let i = 0; i < rows; i++) many.set(x, i * vocab);
    const tokens = new Int32Array(rows).fill(77);
    const dLogprob = new Float32Array(rows).fill(0.5);
    const one = logprobBackward(x, Int32Array.of(77), { dLogprob: Float32Array.of(0.5) });
    const streamed = logprobBackward(many, tokens, { dLogprob });
    expect(Buffer.compare(Buffer.from(streamed.buffer, 0, vocab * 4), Buffer.from(one.buffer))).toBe(0);
    expect(Buffer.compare(Buffer.from(streamed.buffer, 139 * vocab * 4), Buffer.from(one.buffer))).toBe(0);
    const inPlace = x.slice();
    expect(logprobBackward(inPlace, Int32Array.of(77), { dLogprob: Float32Array.of(0.5) }, { out: inPlace })).toBe(
      inPlace,
    );
    expect(inPlace).toEqual(one);

    const halves = toBfloat16(x);
    const options = { dtype: 'bfloat16' } as const;
    const inFloat = logprobBackward(
      halves,
      Int32Array.of(77),
      { dLogprob: Float32Array.of(0.5) },
      { ...options, outDtype: 'float32' },
    );
    const inHalf = logprobBackward(halves, Int32Array.of(77), { dLogprob: Float32Array.of(0.5) }, options);
    const rounded = fromBfloat16(inHalf as Uint16Array);
    inFloat.forEach((v, j) => {
      expect(Math.abs(rounded[j]! - v)).toBeLessThanOrEqual(Math.abs(v) * 2 ** -8);
    });
  });

  it('has the same bits on every instruction set and for any number of threads', () => {
    for (const vocab of [3, 100, 2049, 4444]) {
      const random = new Random(vocab);
      const rows = 3;
      const x = random.normals(rows * vocab, 6).map((v) => (random.uniform() < 0.1 ? -Infinity : v));
      const tokens = Int32Array.from({ length: rows }, () => random.integer(vocab));
      const [dLogprob, dEntropy] = [random.normals(rows), random.normals(rows)];
      for (const gradients of [{ dLogprob }, { dLogprob, dEntropy }]) {
        const d = sameBits((threads) => logprobBackward(x, tokens, gradients, { threads }));
        x.forEach((v, j) => {
          if (v === -Infinity) expect(Object.is(d[j], 0)).toBe(true);
        });
        for (const dtype of ['bfloat16', 'float16'] as const) {
          const halves = dtype === 'bfloat16' ? toBfloat16(x) : toFloat16Grid(x).halves;
          sameBits((threads) => logprobBackward(halves, tokens, gradients, { dtype, threads }));
        }
      }
    }
  });
});
