import fc from 'fast-check';

import {
  linearLogits,
  linearLogitsAsync,
  linearLogprobs,
  linearLogprobsAsync,
  mergeLogprobs,
  rowStatus,
  tokenLogprobs,
  type LogitsArray,
} from '../../lib/index.js';
import { sameBits } from './isas.js';
import { operandsOf, rowsOf, TYPES } from './linearOperands.js';
import { fromBfloat16, toBfloat16 } from './random.js';
import { softmaxRow } from './reference/logprob.js';
import { linearElement } from './reference/product.js';

describe.each(TYPES)('linearLogits of %s', (type) => {
  it.each([
    [1, 1, 1],
    [3, 37, 19],
    [2, 1537, 5],
    [8, 2049, 3],
    [9, 1025, 17],
    [33, 70, 13],
    [12, 2050, 7],
  ])('is the specified chain for %i rows of %i, vocabulary %i', (rows, depth, vocab) => {
    const { hidden, weight, bias, options, x, w } = operandsOf(type, rows, depth, vocab, depth);
    for (const added of [undefined, bias]) {
      const logits = sameBits((threads) => linearLogits(hidden, weight, { ...options, bias: added, threads }));
      const expected = Float32Array.from({ length: rows * vocab }, (_, i) => {
        const [n, v] = [Math.floor(i / vocab), i % vocab];
        return linearElement(rowsOf(x, n, depth), rowsOf(w, v, depth), type === 'bfloat16', added?.[v]);
      });
      expect(logits).toEqual(expected);
    }
  });

  it.each([1, 8])('has the same bits wherever the weights start, for %i rows', (rows) => {
    const [depth, vocab] = [2144, 19]; // Whole vectors, beyond two blocks.
    const { hidden, weight, options } = operandsOf(type, rows, depth, vocab, 3);
    const expected = linearLogits(hidden, weight, options);
    for (let shift = 1; shift <= 33; shift++) {
      const shifted = new (type === 'float32' ? Float32Array : Uint16Array)(weight.length + shift).subarray(shift);
      shifted.set(weight);
      expect(sameBits((threads) => linearLogits(hidden, shifted, { ...options, threads }))).toEqual(expected);
    }
  });

  it('handles subnormals as specified', () => {
    const [rows, depth, vocab] = [10, 35, 18];
    const { hidden, weight, options, x, w } = operandsOf(type, rows, depth, vocab, 5);
    const tiny = (values: LogitsArray, numbers: Float32Array, by: number): LogitsArray => {
      numbers.forEach((v, i) => (numbers[i] = v * by));
      return values instanceof Float32Array ? numbers : toBfloat16(numbers);
    };
    const hiddenTiny = tiny(hidden, x, 2 ** -60);
    const weightTiny = tiny(weight, w, 2 ** -65);
    const [a, b] = type === 'bfloat16' ? [toBfloat16(x), toBfloat16(w)].map(fromBfloat16) : [x, w];
    const logits = sameBits((threads) => linearLogits(hiddenTiny, weightTiny, { ...options, threads }));
    for (let i = 0; i < rows * vocab; i++) {
      const [n, v] = [Math.floor(i / vocab), i % vocab];
      const expected = linearElement(rowsOf(a!, n, depth), rowsOf(b!, v, depth), type === 'bfloat16');
      expect(logits[i]).toBeCloseTo(expected, 50);
      if (type === 'bfloat16') expect(logits[i] === 0).toBe(expected === 0);
    }
    expect(logits.some((v) => v !== 0)).toBe(true);
  });
});

describe.each(TYPES)('linearLogprobs of %s', (type) => {
  it('equals tokenLogprobs of the product, bit for bit, on every instruction set, for any threads and shape', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2, 7, 8, 9, 16, 31, 33, 65),
        fc.integer({ min: 1, max: 150 }),
        fc.constantFrom(1, 15, 97, 300, 2048, 2061, 4100),
        fc.integer({ min: 0, max: 2 ** 31 }),
        fc.boolean(),
        fc.boolean(),
        (rows, depth, vocab, seed, entropy, biased) => {
          const { hidden, weight, tokens, bias, options, random } = operandsOf(type, rows, depth, vocab, seed, 4);
          const temperature = Float32Array.from({ length: rows }, () => 0.25 + random.uniform());
          const settings = { ...options, temperature, entropy, ...(biased && { bias }) };
          const fused = sameBits((threads) => linearLogprobs(hidden, weight, tokens, { ...settings, threads }));
          const logits = linearLogits(hidden, weight, settings);
          expect(fused).toEqual(tokenLogprobs(logits, tokens, { vocab, temperature, entropy }));
        },
      ),
      { numRuns: 25 },
    );
  });

  it('agrees with float64', () => {
    const [rows, depth, vocab] = [5, 301, 2500];
    const { hidden, weight, tokens, bias, options, x, w } = operandsOf(type, rows, depth, vocab, 3);
    const result = linearLogprobs(hidden, weight, tokens, { ...options, bias, temperature: 0.7 });
    for (let n = 0; n < rows; n++) {
      const row = Float64Array.from({ length: vocab }, (_, v) => {
        let sum = 0;
        for (let k = 0; k < depth; k++) sum += x[n * depth + k]! * w[v * depth + k]!;
        return sum + bias[v]!;
      });
      const expected = softmaxRow(row, 0.7);
      expect(Math.abs(result.logprob[n]! - expected.logprobs[tokens[n]!]!)).toBeLessThan(1e-5);
      expect(Math.abs(result.entropy![n]! - expected.entropy)).toBeLessThan(1e-5);
      expect(Math.abs(result.logsumexp[n]! - expected.logsumexp)).toBeLessThan(1e-5);
    }
  });

  it('gives a row the same bits in any batch and with any workspace', () => {
    const [rows, depth, vocab] = [300, 33, 2100];
    const { hidden, weight, tokens, options } = operandsOf(type, rows, depth, vocab, 8, 3);
    const batch = linearLogprobs(hidden, weight, tokens, options);
    expect(linearLogprobs(hidden, weight, tokens, { ...options, workspaceBytes: 0 })).toEqual(batch);
    expect(linearLogprobs(hidden, weight, tokens, { ...options, workspaceBytes: 2 ** 20 })).toEqual(batch);
    for (const [begin, end] of [
      [0, 1],
      [7, 14],
      [40, 140],
      [299, 300],
    ] as const) {
      const part = hidden.subarray(begin * depth, end * depth);
      const alone = linearLogprobs(part, weight, tokens.subarray(begin, end), options);
      expect(alone.logprob).toEqual(batch.logprob.subarray(begin, end));
      expect(alone.state).toEqual(batch.state.subarray(begin * 5, end * 5));
    }
  });

  it('takes the options of tokenLogprobs: softcap, ignored rows, sum of squares, vocabulary shards', () => {
    const [depth, vocab] = [24, 2300];
    for (const rows of [5, 20]) {
      const { hidden, weight, tokens, bias, options } = operandsOf(type, rows, depth, vocab, 13, 6);
      tokens[2] = -100;
      const settings = { softcap: 3, ignoreIndex: -100, sumSquares: true, temperature: 0.9 };
      const given = { ...options, ...settings, bias };
      const whole = sameBits((threads) => linearLogprobs(hidden, weight, tokens, { ...given, threads }));
      const logits = linearLogits(hidden, weight, { ...options, bias });
      expect(whole).toEqual(tokenLogprobs(logits, tokens, { vocab, ...settings }));
      expect(whole.status[2]).toBe(rowStatus.ignored);
      const at = 2048; // A border of tiles: the merged sums are then those of the whole row.
      const shards = [
        { weight: weight.subarray(0, at * depth), bias: bias.subarray(0, at), vocabOffset: 0 },
        { weight: weight.subarray(at * depth), bias: bias.subarray(at), vocabOffset: at },
      ];
      const states = shards.map((shard) => linearLogprobs(hidden, shard.weight, tokens, { ...given, ...shard }).state);
      expect(mergeLogprobs(states).logprob).toEqual(whole.logprob);
    }
  });

  it('reads strides', () => {
    const [rows, depth, vocab] = [12, 31, 50];
    const [hiddenStride, weightStride] = [37, 43];
    const { hidden, weight, tokens, options } = operandsOf(type, rows, depth, vocab, 21);
    const spread = (data: LogitsArray, n: number, stride: number): LogitsArray => {
      const filler = type === 'float32' ? NaN : 0x7fc0;
      const length = (n - 1) * stride + depth; // The last row is not padded.
      const out = data instanceof Float32Array ? new Float32Array(length) : new Uint16Array(length);
      out.fill(filler);
      for (let i = 0; i < n; i++) out.set(data.subarray(i * depth, (i + 1) * depth), i * stride);
      return out;
    };
    for (const count of [3, rows]) {
      const t = tokens.subarray(0, count);
      const h = hidden.subarray(0, count * depth);
      const spaced = { ...options, vocab, hiddenStride, weightStride };
      const args = [spread(h, count, hiddenStride), spread(weight, vocab, weightStride)] as const;
      const expected = linearLogprobs(h, weight, t, options);
      expect(sameBits((threads) => linearLogprobs(...args, t, { ...spaced, threads }))).toEqual(expected);
    }
  });

  it('keeps bad rows to themselves', () => {
    const [depth, vocab] = [20, 2100];
    for (const rows of [4, 12]) {
      const { hidden, weight, tokens, options } = operandsOf(type, rows, depth, vocab, 17);
      const good = linearLogprobs(hidden, weight, tokens, options);
      const bits = type === 'float32' ? [NaN, Infinity] : [0x7fc0, 0x7f80];
      const bad = hidden.slice();
      bad[depth + 3] = bits[0]!;
      bad[2 * depth] = bits[1]!; // inf times weights of both signs.
      const t = tokens.slice();
      t[3] = vocab;
      const result = sameBits((threads) => linearLogprobs(bad, weight, t, { ...options, threads }));
      expect(Array.from(result.status.subarray(0, 4))).toEqual([
        rowStatus.ok,
        rowStatus.nan,
        rowStatus.positiveInfinity,
        rowStatus.targetOutOfRange,
      ]);
      expect(result.logprob[0]).toBe(good.logprob[0]);
      expect(result.logprob.subarray(1, 4).every(Number.isNaN)).toBe(true);
      expect(result.logprob.subarray(4)).toEqual(good.logprob.subarray(4));
      expect(result.logsumexp[3]).toBe(good.logsumexp[3]);
    }
  });

  it('masks by a bias of -inf', () => {
    const [rows, depth, vocab] = [9, 10, 2060];
    const { hidden, weight, options } = operandsOf(type, rows, depth, vocab, 2);
    const bias = new Float32Array(vocab).map((_, v) => (v < 2050 ? -Infinity : 0));
    const tokens = new Int32Array(rows).fill(2055).fill(7, 0, 1);
    const result = linearLogprobs(hidden, weight, tokens, { ...options, bias });
    expect(result.status[0]).toBe(rowStatus.targetMasked);
    expect(result.logprob[0]).toBe(-Infinity);
    expect(result.status.subarray(1).every((s) => s === rowStatus.ok)).toBe(true);
    expect(result.logsumexp.every(Number.isFinite)).toBe(true);
    const none = linearLogprobs(hidden, weight, tokens, { ...options, bias: bias.fill(-Infinity) });
    expect(none.status.every((s) => s === rowStatus.allMasked)).toBe(true);
  });
});

describe('the asynchronous forms', () => {
  it('give the same results', async () => {
    const { hidden, weight, tokens, options } = operandsOf('float32', 40, 64, 5000, 1);
    const { signal } = new AbortController();
    expect(await linearLogprobsAsync(hidden, weight, tokens, { ...options, signal })).toEqual(
      linearLogprobs(hidden, weight, tokens, options),
    );
    expect(await linearLogitsAsync(hidden, weight, options)).toEqual(linearLogits(hidden, weight, options));
  });

  it('stop when aborted, before and during the work', async () => {
    const [rows, depth, vocab] = [2048, 512, 32768]; // A tenth of a second or more.
    const options = { dtype: 'bfloat16', hiddenSize: depth, rows } as const;
    const args = [new Uint16Array(rows * depth), new Uint16Array(vocab * depth), new Int32Array(rows)] as const;
    const reason = new Error('enough');
    const late = new AbortController();
    const running = linearLogprobsAsync(...args, { ...options, signal: late.signal });
    late.abort(reason);
    await expect(running).rejects.toBe(reason);
    const early = AbortSignal.abort(reason);
    await expect(linearLogitsAsync(args[0], args[1], { ...options, signal: early })).rejects.toBe(reason);
  });
});

it('accepts an empty batch and arrays to write into', () => {
  const weight = new Float32Array(12).fill(1);
  expect(linearLogprobs(new Float32Array(0), weight, new Int32Array(0), { hiddenSize: 4 }).logprob).toHaveLength(0);
  const out = new Float32Array(3);
  expect(linearLogits(Float32Array.of(1, 2, 3, 4), weight, { hiddenSize: 4, out })).toBe(out);
  expect(Array.from(out)).toEqual([10, 10, 10]);
  const logprob = new Float32Array(1);
  const result = linearLogprobs(Float32Array.of(1, 2, 3, 4), weight, Int32Array.of(1), { out: { logprob } });
  expect(result.logprob).toBe(logprob);
  expect(logprob[0]).toBeCloseTo(-Math.log(3), 6);
});

it('names what is wrong with its arguments', () => {
  const x = new Float32Array(8);
  const w = new Float32Array(20);
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
  expect(code(() => linearLogprobs(x, w, t))).toBe('no error');
  expect(code(() => linearLogprobs([1] as never, w, t))).toBe('ERR_INVALID_ARG_TYPE hidden');
  expect(code(() => linearLogprobs(x, new Uint16Array(20), t))).toBe('ERR_INVALID_ARG_VALUE options.dtype');
  expect(code(() => linearLogprobs(new Uint16Array(8), w, t, { dtype: 'bfloat16' }))).toBe(
    'ERR_INVALID_ARG_VALUE options.dtype',
  );
  expect(code(() => linearLogprobs(new Uint16Array(8), new Uint16Array(20), t, { dtype: 'float16' }))).toBe(
    'ERR_INVALID_ARG_VALUE options.dtype',
  );
  expect(code(() => linearLogprobs(x, w, [0] as never))).toBe('ERR_INVALID_ARG_TYPE tokens');
  expect(code(() => linearLogprobs(new Float32Array(7), w, t))).toBe('ERR_INVALID_ARG_VALUE hidden');
  expect(code(() => linearLogprobs(x, new Float32Array(21), t))).toBe('ERR_INVALID_ARG_VALUE weight');
  expect(code(() => linearLogprobs(x, w, t, { vocab: 6 }))).toBe('ERR_INVALID_ARG_VALUE weight');
  expect(code(() => linearLogprobs(x, w, t, { hiddenSize: 5, vocab: 4 }))).toBe('ERR_INVALID_ARG_VALUE hidden');
  expect(code(() => linearLogprobs(x, w, t, { hiddenSize: 4, weightStride: 3 }))).toBe(
    'ERR_INVALID_ARG_VALUE options.weightStride',
  );
  expect(code(() => linearLogprobs(x, w, t, { hiddenSize: 0 }))).toBe('ERR_INVALID_ARG_VALUE options.hiddenSize');
  expect(code(() => linearLogprobs(x, w, t, { bias: new Float32Array(4) }))).toBe('ERR_INVALID_ARG_VALUE options.bias');
  expect(code(() => linearLogprobs(x, w, t, { temperature: -1 }))).toBe('ERR_INVALID_ARG_VALUE options.temperature');
  expect(code(() => linearLogprobs(x, w, t, { threads: 0.5 }))).toBe('ERR_INVALID_ARG_VALUE options.threads');
  expect(code(() => linearLogprobs(x, w, t, { workspaceBytes: -1 }))).toBe(
    'ERR_INVALID_ARG_VALUE options.workspaceBytes',
  );
  expect(code(() => linearLogits(x, w))).toBe('ERR_INVALID_ARG_VALUE options.hiddenSize');
  expect(code(() => linearLogits(x, w, { hiddenSize: 4, out: new Float32Array(3) }))).toBe(
    'ERR_INVALID_ARG_VALUE options.out',
  );
});
