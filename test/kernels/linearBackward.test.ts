import fc from 'fast-check';

import {
  linearLogits,
  linearLogprobs,
  linearLogprobsBackward,
  linearLogprobsBackwardAsync,
  logprobBackward,
  type LinearGradients,
} from '../../lib/index.js';
import { sameBits } from './isas.js';
import { operandsOf, rowsOf, TYPES, uniforms } from './linearOperands.js';
import { softmaxGradient, softmaxRow } from './reference/logprob.js';

type Operands = ReturnType<typeof operandsOf>;

/** Logits of row n in float64. */
function logitsOf({ x, w, bias }: Operands, n: number, depth: number, biased: boolean): Float64Array {
  return Float64Array.from({ length: bias.length }, (_, v) => {
    let sum = biased ? bias[v]! : 0;
    for (let k = 0; k < depth; k++) sum += x[n * depth + k]! * w[v * depth + k]!;
    return sum;
  });
}

describe.each(TYPES)('linearLogprobsBackward of %s', (type) => {
  it.each([
    [1, 5, 9],
    [7, 33, 300],
    [13, 131, 2051],
    [270, 34, 40],
  ])('agrees with the analytic gradient in float64 for %i rows of %i, vocabulary %i', (rows, depth, vocab) => {
    const operands = operandsOf(type, rows, depth, vocab, 9);
    const { hidden, weight, tokens, bias, options, x, w, random } = operands;
    const gradients = { dLogprob: uniforms(random, rows, 2), dEntropy: uniforms(random, rows, 1) };
    const result = linearLogprobsBackward(hidden, weight, tokens, gradients, { ...options, bias, temperature: 0.8 });
    const expected = {
      dHidden: new Float64Array(rows * depth),
      dWeight: new Float64Array(vocab * depth),
      dBias: new Float64Array(vocab),
    };
    for (let n = 0; n < rows; n++) {
      const z = logitsOf(operands, n, depth, true);
      const d = softmaxGradient(z, tokens[n]!, gradients.dLogprob[n]!, gradients.dEntropy[n]!, 0.8);
      d.forEach((dz, v) => {
        expected.dBias[v]! += dz;
        for (let k = 0; k < depth; k++) {
          expected.dHidden[n * depth + k]! += dz * w[v * depth + k]!;
          expected.dWeight[v * depth + k]! += dz * x[n * depth + k]!;
        }
      });
    }
    for (const name of ['dHidden', 'dWeight', 'dBias'] as const) {
      const scale = expected[name].reduce((a, e) => Math.max(a, Math.abs(e)), 0);
      const error = expected[name].reduce((a, e, i) => Math.max(a, Math.abs(e - result[name]![i]!)), 0);
      expect(error / scale).toBeLessThan(3e-6);
    }
  });

  it('has the same bits on every instruction set, for any threads', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 3, 9, 40, 259),
        fc.integer({ min: 1, max: 150 }),
        fc.constantFrom(1, 17, 530, 2061),
        fc.integer({ min: 0, max: 2 ** 31 }),
        fc.boolean(),
        (rows, depth, vocab, seed, biased) => {
          const { hidden, weight, tokens, bias, options, random } = operandsOf(type, rows, depth, vocab, seed, 4);
          const temperature = Float32Array.from({ length: rows }, () => 0.25 + random.uniform());
          const dLogprob = uniforms(random, rows, 1).map((d) => (random.uniform() < 0.2 ? 0 : d));
          const dEntropy = biased ? uniforms(random, rows, 1) : undefined;
          const settings = { ...options, temperature, ...(biased && { bias }) };
          sameBits((threads) =>
            linearLogprobsBackward(hidden, weight, tokens, { dLogprob, dEntropy }, { ...settings, threads }),
          );
        },
      ),
      { numRuns: 8 },
    );
  });

  it('does not depend on the workspace, and gives a row of dHidden the same bits in any batch', () => {
    const [rows, depth, vocab] = [600, 40, 4500];
    const { hidden, weight, tokens, options, random } = operandsOf(type, rows, depth, vocab, 31);
    const dLogprob = uniforms(random, rows, 1);
    const all = linearLogprobsBackward(hidden, weight, tokens, { dLogprob }, options);
    for (const workspaceBytes of [0, 12 * 2 ** 20]) {
      expect(linearLogprobsBackward(hidden, weight, tokens, { dLogprob }, { ...options, workspaceBytes })).toEqual(all);
    }
    const part = linearLogprobsBackward(
      hidden.subarray(37 * depth, 45 * depth),
      weight,
      tokens.subarray(37, 45),
      { dLogprob: dLogprob.subarray(37, 45) },
      { ...options, out: { dWeight: false } },
    );
    expect(part.dHidden).toEqual(all.dHidden!.subarray(37 * depth, 45 * depth));
    expect(part.dWeight).toBeUndefined();
  });

  it('leaves out rows without a gradient, whatever they hold', () => {
    const [rows, depth, vocab] = [12, 21, 2070];
    const { hidden, weight, tokens, options, random } = operandsOf(type, rows, depth, vocab, 77);
    const dLogprob = uniforms(random, rows, 1);
    const kept = [0, 4, 5, 6, 7, 8, 9, 10, 11];
    const [nan, infinity] = type === 'float32' ? [NaN, Infinity] : [0x7fc0, 0x7f80];
    const bad = hidden.slice();
    bad[depth] = nan!;
    bad[2 * depth + 5] = infinity!;
    bad[3 * depth] = nan!; // Not asked for.
    const [t, d] = [tokens.slice(), dLogprob.slice()];
    d[3] = 0;
    const out = sameBits((threads) => linearLogprobsBackward(bad, weight, t, { dLogprob: d }, { ...options, threads }));
    const only = hidden.slice(0, kept.length * depth);
    kept.forEach((n, i) => {
      only.set(hidden.subarray(n * depth, (n + 1) * depth), i * depth);
    });
    const pick = <T extends Int32Array | Float32Array>(from: T): T => from.filter((_, n) => kept.includes(n)) as T;
    const expected = linearLogprobsBackward(only, weight, pick(tokens), { dLogprob: pick(dLogprob) }, options);
    expect(out.dWeight).toEqual(expected.dWeight);
    kept.forEach((n, i) => {
      expect(rowsOf(out.dHidden!, n, depth)).toEqual(rowsOf(expected.dHidden!, i, depth));
    });
    for (const n of [1, 2, 3]) expect(rowsOf(out.dHidden!, n, depth).every((v) => v === 0)).toBe(true);
  });

  it('goes through the softcap, and by the state of a merged vocabulary', () => {
    const [rows, depth, vocab] = [11, 15, 2200];
    const { hidden, weight, tokens, options, random } = operandsOf(type, rows, depth, vocab, 40, 6);
    const gradients = { dLogprob: uniforms(random, rows, 1), dEntropy: uniforms(random, rows, 1) };
    const settings = { ...options, softcap: 2, ignoreIndex: tokens[3]! };
    const { state } = linearLogprobs(hidden, weight, tokens, settings);
    const whole = sameBits((threads) =>
      linearLogprobsBackward(hidden, weight, tokens, { ...gradients, state }, { ...settings, threads }),
    );
    const logits = linearLogits(hidden, weight, options);
    const d = logprobBackward(logits, tokens, { ...gradients, state }, { vocab, softcap: 2, ignoreIndex: tokens[3]! });
    const expected = new Float64Array(vocab * depth);
    const { x } = operandsOf(type, rows, depth, vocab, 40, 6);
    for (let n = 0; n < rows; n++) {
      for (let v = 0; v < vocab; v++) {
        for (let k = 0; k < depth; k++) expected[v * depth + k]! += d[n * vocab + v]! * x[n * depth + k]!;
      }
    }
    const error = expected.reduce((a, e, i) => Math.max(a, Math.abs(e - whole.dWeight![i]!)), 0);
    expect(error).toBeLessThan(3e-6);
    expect(rowsOf(whole.dHidden!, 3, depth).every((v) => v === 0)).toBe(true);
    const at = 1000;
    const shard = { ...settings, vocabOffset: at };
    const part = linearLogprobsBackward(hidden, weight.subarray(at * depth), tokens, { ...gradients, state }, shard);
    expect(part.dWeight).toEqual(whole.dWeight!.subarray(at * depth));
  });

  it('adds up micro-batches', () => {
    const [rows, depth, vocab] = [10, 19, 60];
    const { hidden, weight, tokens, bias, options, random } = operandsOf(type, rows, depth, vocab, 4);
    const dLogprob = uniforms(random, rows, 1);
    const whole = linearLogprobsBackward(hidden, weight, tokens, { dLogprob }, { ...options, bias });
    const sums = { dWeight: new Float32Array(vocab * depth), dBias: new Float32Array(vocab) };
    const parts = [0, 5].map((begin) =>
      linearLogprobsBackward(
        hidden.subarray(begin * depth, (begin + 5) * depth),
        weight,
        tokens.subarray(begin, begin + 5),
        { dLogprob: dLogprob.subarray(begin, begin + 5) },
        { ...options, bias, accumulate: true, out: sums },
      ),
    );
    expect(parts[1]!.dWeight).toBe(sums.dWeight);
    for (const name of ['dWeight', 'dBias'] as const) {
      whole[name]!.forEach((v, i) => {
        expect(Math.abs(v - sums[name][i]!)).toBeLessThan(2e-6);
      });
    }
    const again = { dHidden: whole.dHidden!.slice() };
    linearLogprobsBackward(hidden, weight, tokens, { dLogprob }, { ...options, bias, accumulate: true, out: again });
    expect(again.dHidden).toEqual(whole.dHidden!.map((v) => 2 * v));
  });
});

it('agrees with finite differences of the forward pass', () => {
  const [rows, depth, vocab] = [2, 6, 11];
  const operands = operandsOf('float32', rows, depth, vocab, 12);
  const { hidden, weight, tokens, bias, options, x, w } = operands;
  const gradients = { dLogprob: Float32Array.of(0.7, -1.1), dEntropy: Float32Array.of(-0.4, 0.3) };
  const result = linearLogprobsBackward(hidden, weight, tokens, gradients, { ...options, bias, temperature: 1.3 });
  const loss = (): number => {
    let sum = 0;
    for (let n = 0; n < rows; n++) {
      const { logprobs, entropy } = softmaxRow(logitsOf(operands, n, depth, true), 1.3);
      sum += gradients.dLogprob[n]! * logprobs[tokens[n]!]! + gradients.dEntropy[n]! * entropy;
    }
    return sum;
  };
  const check = (values: Float32Array, gradient: Float32Array): void => {
    values.forEach((value, i) => {
      const h = 2 ** -9;
      values[i] = value + h;
      const up = loss();
      values[i] = value - h;
      const down = loss();
      values[i] = value;
      expect(Math.abs(gradient[i]! - (up - down) / (2 * h))).toBeLessThan(3e-5);
    });
  };
  check(x, result.dHidden!);
  check(w, result.dWeight!);
  check(bias, result.dBias!);
});

it('gives zeros where no row has a gradient, and NaN where one is beyond measure', () => {
  const { hidden, weight, tokens, bias, options } = operandsOf('float32', 3, 8, 20, 1);
  const out = { dHidden: new Float32Array(24).fill(7), dWeight: new Float32Array(160).fill(7) };
  const zero = { dLogprob: new Float32Array(3) };
  linearLogprobsBackward(hidden, weight, tokens, zero, { ...options, bias, out });
  expect([...out.dHidden, ...out.dWeight].every((v) => v === 0)).toBe(true);
  linearLogprobsBackward(hidden, weight, Int32Array.of(-1, 20, 99), { dLogprob: new Float32Array(3).fill(1) }, options);
  const huge = linearLogprobsBackward(hidden, weight, tokens, { dLogprob: Float32Array.of(1, NaN, 1) }, options);
  expect(rowsOf(huge.dHidden!, 0, 8).every(Number.isFinite)).toBe(true);
  expect(rowsOf(huge.dHidden!, 1, 8).every(Number.isNaN)).toBe(true);
});

it('runs asynchronously and stops when aborted', async () => {
  const { hidden, weight, tokens, options } = operandsOf('float32', 20, 64, 3000, 1);
  const dLogprob = new Float32Array(20).fill(1);
  const { state } = linearLogprobs(hidden, weight, tokens, options);
  const gradients = { dLogprob, state };
  const later: LinearGradients = await linearLogprobsBackwardAsync(hidden, weight, tokens, gradients, options);
  expect(later).toEqual(linearLogprobsBackward(hidden, weight, tokens, { dLogprob }, options));
  const [rows, depth, vocab] = [1024, 512, 16384];
  const args = [new Float32Array(rows * depth), new Float32Array(vocab * depth), new Int32Array(rows)] as const;
  const flat = { dLogprob: new Float32Array(rows).fill(1), state: new Float64Array(5 * rows).fill(1) };
  const controller = new AbortController();
  const reason = new Error('enough');
  const running = linearLogprobsBackwardAsync(...args, flat, { hiddenSize: depth, signal: controller.signal });
  controller.abort(reason);
  await expect(running).rejects.toBe(reason);
});

it('names what is wrong with its arguments', () => {
  const [x, w, t] = [new Float32Array(8), new Float32Array(20), Int32Array.of(0, 1)];
  const dLogprob = new Float32Array(2);
  const field = (f: () => unknown): unknown => {
    try {
      f();
    } catch (error) {
      return (error as { field: string }).field;
    }
    return 'no error';
  };
  const run = (gradients: object, options: object): unknown =>
    field(() => linearLogprobsBackward(x, w, t, { dLogprob, ...gradients }, options));
  expect(run({}, {})).toBe('no error');
  expect(run({ dLogprob: new Float32Array(1) }, {})).toBe('gradients.dLogprob');
  expect(run({ dEntropy: new Float32Array(1) }, {})).toBe('gradients.dEntropy');
  expect(run({ state: new Float64Array(2) }, {})).toBe('gradients.state');
  expect(run({}, { out: { dHidden: new Float32Array(7) } })).toBe('options.out.dHidden');
  expect(run({}, { out: { dWeight: new Float32Array(19) } })).toBe('options.out.dWeight');
  expect(run({}, { out: { dHidden: x } })).toBe('options.out.dHidden');
  const both = new Float32Array(20);
  expect(run({}, { out: { dHidden: both.subarray(0, 8), dWeight: both } })).toBe('options.out.dWeight');
  expect(run({ dLogprob: both.subarray(0, 2) }, { out: { dWeight: both } })).toBe('options.out.dWeight');
  expect(run({}, { out: { dBias: new Float32Array(4) } })).toBe('options.out.dBias');
});
