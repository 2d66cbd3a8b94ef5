import { spawnSync } from 'node:child_process';
import path from 'node:path';

import {
  CudaStream,
  deviceLinearLogits,
  deviceLinearLogprobs,
  deviceLinearLogprobsBackward,
  deviceMemory,
  DeviceTensor,
  linearLogits,
  linearLogitsAsync,
  linearLogprobs,
  linearLogprobsAsync,
  linearLogprobsBackward,
  linearLogprobsBackwardAsync,
  logprobBackward,
  runtimeInfo,
  tokenLogprobs,
} from '../../lib/index.js';
import { digest } from '../kernels/isas.js';
import { fromBfloat16, Random, toBfloat16 } from '../kernels/random.js';

const cuda = runtimeInfo().cuda.available ? describe : describe.skip;

const random = new Random(31);
const [rows, vocab, depth] = [37, 2300, 48];
const bias = random.normals(vocab, 0.2);
const tokens = Int32Array.from({ length: rows }, (_, i) => (i === 5 ? -100 : random.integer(vocab)));
const dLogprob = random.normals(rows).map((x, i) => (i % 6 === 2 ? 0 : x));
const dEntropy = random.normals(rows, 0.1).map((x, i) => (i % 6 === 2 ? 0 : x));
const floats = { hidden: random.normals(rows * depth), weight: random.normals(vocab * depth, 0.3) };
const shape = { hidden: [rows, depth], weight: [vocab, depth] };
const options = { bias, temperature: 0.8, ignoreIndex: -100, softcap: 30 };

/** The operands as they are stored, and as numbers. */
function operands(dtype: 'float32' | 'bfloat16') {
  if (dtype === 'float32') return { ...floats, exact: floats };
  const [hidden, weight] = [toBfloat16(floats.hidden), toBfloat16(floats.weight)];
  return { hidden, weight, exact: { hidden: fromBfloat16(hidden), weight: fromBfloat16(weight) } };
}

/** a [m, k] b [k, n] in float64, and the same of absolute values. */
function product(a: Float32Array, b: Float32Array, m: number, k: number, n: number) {
  const [sum, size] = [new Float64Array(m * n), new Float64Array(m * n)];
  for (let i = 0; i < m; i++) {
    for (let p = 0; p < k; p++) {
      for (let j = 0; j < n; j++) {
        const term = a[i * k + p]! * b[p * n + j]!;
        sum[i * n + j] = sum[i * n + j]! + term;
        size[i * n + j] = size[i * n + j]! + Math.abs(term);
      }
    }
  }
  return { sum, size };
}

function transposed(x: Float32Array, columns: number): Float32Array {
  const height = x.length / columns;
  return Float32Array.from(x, (_, i) => x[(i % height) * columns + Math.floor(i / height)]!);
}

/** The largest difference to the exact product, as a part of the sum of absolute terms. */
function largestError(got: Float32Array, { sum, size }: ReturnType<typeof product>): number {
  return got.reduce((worst, x, i) => Math.max(worst, Math.abs(x - sum[i]!) / (size[i]! + 1e-6)), 0);
}

/** Twice the bound of a float32 sum of k terms in any order (docs/linear.md). */
const bound = (k: number): number => 2 * k * 2 ** -24;

cuda.each(['float32', 'bfloat16'] as const)('a linear head on CUDA, %s', (dtype) => {
  const { hidden, weight, exact } = operands(dtype);
  const host = { ...options, dtype };

  it('multiplies within the stated bound', async () => {
    const given = { dtype, bias, hiddenSize: depth, device: 'cuda' } as const;
    const logits = linearLogits(hidden, weight, given);
    const want = product(exact.hidden, transposed(exact.weight, depth), rows, depth, vocab);
    want.sum.forEach((x, i) => (want.sum[i] = x + bias[i % vocab]!));
    want.size.forEach((x, i) => (want.size[i] = x + Math.abs(bias[i % vocab]!)));
    expect(largestError(logits, want)).toBeLessThan(bound(depth + 1));
    expect(digest(await linearLogitsAsync(hidden, weight, given))).toBe(digest(logits));
  });

  it('has the log-probs of its logits, bit for bit, whatever the workspace', async () => {
    const logits = linearLogits(hidden, weight, { dtype, bias, hiddenSize: depth, device: 'cuda' });
    const row = { temperature: 0.8, ignoreIndex: -100, softcap: 30 };
    const expected = digest(tokenLogprobs(logits, tokens, { ...row, sumSquares: true }));
    for (const workspaceBytes of [undefined, 0, 5 * vocab * 4]) {
      const given = { ...host, sumSquares: true, workspaceBytes, device: 'cuda' } as const;
      expect(digest(linearLogprobs(hidden, weight, tokens, given))).toBe(expected);
      expect(digest(await linearLogprobsAsync(hidden, weight, tokens, given))).toBe(expected);
    }
    const cpu = linearLogprobs(hidden, weight, tokens, host);
    const { logprob } = linearLogprobs(hidden, weight, tokens, { ...host, device: 'cuda' });
    logprob.forEach((x, i) => {
      expect(Math.abs(x - cpu.logprob[i]!)).toBeLessThan(1e-3);
    });
  });

  it('has gradients within the stated bound, and none of rows that take no part', async () => {
    const bad = hidden.slice();
    bad.fill(dtype === 'float32' ? NaN : 0x7fc0, 2 * depth, 3 * depth); // dLogprob[2] is 0.
    const { state } = linearLogprobs(hidden, weight, tokens, { ...host, device: 'cuda' });
    const logits = linearLogits(hidden, weight, { dtype, bias, hiddenSize: depth, device: 'cuda' });
    const upstream = { dLogprob, dEntropy, state };
    const row = { temperature: 0.8, ignoreIndex: -100, softcap: 30 };
    const d = logprobBackward(logits, tokens, upstream, row) as Float32Array;
    expect(d.subarray(2 * vocab, 3 * vocab).every((x) => x === 0)).toBe(true);
    const clean = exact.hidden.slice();
    // What is rounded to bfloat16 on the way: each element of D, to 8 bits.
    const rounding = dtype === 'bfloat16' ? 2 ** -8 : 0;
    for (const workspaceBytes of [undefined, 9 * vocab * 6]) {
      const given = { ...host, workspaceBytes, device: 'cuda' } as const;
      const got = linearLogprobsBackward(bad, weight, tokens, upstream, given);
      const dHidden = product(d, exact.weight, rows, vocab, depth);
      expect(largestError(got.dHidden!, dHidden)).toBeLessThan(bound(vocab) + rounding);
      const dWeight = product(transposed(d, vocab), clean, vocab, rows, depth);
      expect(largestError(got.dWeight!, dWeight)).toBeLessThan(bound(rows) + rounding);
      const dBias = product(new Float32Array(rows).fill(1), d, 1, rows, vocab);
      expect(largestError(got.dBias!, dBias)).toBeLessThan(bound(rows));
      expect(got.dHidden!.subarray(5 * depth, 6 * depth).every((x) => x === 0)).toBe(true);

      const again = await linearLogprobsBackwardAsync(bad, weight, tokens, upstream, given);
      expect(digest(again)).toBe(digest(got));
      const out = { dHidden: false, dWeight: got.dWeight!.slice(), dBias: false } as const;
      const doubled = linearLogprobsBackward(bad, weight, tokens, upstream, { ...given, out, accumulate: true });
      expect(doubled.dHidden).toBeUndefined();
      expect(doubled.dWeight).toBe(out.dWeight);
      const off = doubled.dWeight!.filter((x, i) => !(Math.abs(x - 2 * got.dWeight![i]!) <= 1e-4 * (1 + Math.abs(x))));
      expect(off).toHaveLength(0);
    }
  });

  it('does the same on device tensors, strided, on a stream, and leaves nothing behind', () => {
    const before = deviceMemory();
    using stream = CudaStream.create();
    const stride = depth + 3;
    const padded = dtype === 'float32' ? new Float32Array(rows * stride) : new Uint16Array(rows * stride);
    for (let i = 0; i < rows; i++) padded.set(hidden.subarray(i * depth, (i + 1) * depth), i * stride);
    using memory = DeviceTensor.from(padded, { dtype, stream });
    using x = DeviceTensor.wrap({ address: memory.address, shape: shape.hidden, strides: [stride, 1], dtype, stream });
    using w = DeviceTensor.from(weight, { shape: shape.weight, dtype, stream });
    using ids = DeviceTensor.from(tokens, { stream });
    using b = DeviceTensor.from(bias, { stream });
    const given = { ...options, bias: b };
    const onCuda = { ...host, device: 'cuda' } as const;
    using logits = deviceLinearLogits(x, w, { bias: b });
    expect(logits.shape).toEqual([rows, vocab]);
    const product = { dtype, bias, hiddenSize: depth, device: 'cuda' } as const;
    expect(digest(logits.toHost())).toBe(digest(linearLogits(hidden, weight, product)));
    const forward = deviceLinearLogprobs(x, w, ids, given);
    const onHost = (tensors: object): object =>
      Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, (t as DeviceTensor).toHost()]));
    const expected = linearLogprobs(hidden, weight, tokens, onCuda);
    expect(digest(onHost(forward))).toBe(digest(expected));
    const gradients = { dLogprob, dEntropy, state: forward.state };
    const backward = deviceLinearLogprobsBackward(x, w, ids, gradients, given);
    const want = linearLogprobsBackward(hidden, weight, tokens, { ...gradients, state: expected.state }, onCuda);
    expect(digest(onHost(backward))).toBe(digest(want));
    const { dWeight } = backward;
    const more = { dWeight: dWeight!, dHidden: false, dBias: false };
    expect(deviceLinearLogprobsBackward(x, w, ids, gradients, { ...given, out: more, accumulate: true })).toEqual({
      dWeight,
    });
    expect(() => deviceLinearLogprobsBackward(x, w, ids, gradients, { accumulate: true })).toThrow('dHidden');
    expect(() => deviceLinearLogprobs(x, ids, tokens)).toThrow('weight');
    expect(() => deviceLinearLogits(x, x.shape.length === 2 ? memory : w)).toThrow('weight');
    for (const tensors of [forward, backward]) {
      for (const tensor of Object.values(tensors) as DeviceTensor[]) tensor.dispose();
    }
    expect(deviceMemory().tensors).toBe(before.tensors + 5);
  });
});

cuda('a linear head on CUDA', () => {
  it('without rows writes zeros', () => {
    const none = new Int32Array(0);
    const empty = { hiddenSize: 4, device: 'cuda' } as const;
    const head = Float32Array.of(1, 2, 3, 4);
    expect(linearLogprobs(new Float32Array(0), head, none, empty).logprob).toHaveLength(0);
    const upstream = { dLogprob: new Float32Array(0), state: new Float64Array(0) };
    const got = linearLogprobsBackward(new Float32Array(0), head, none, upstream, empty);
    expect(got.dWeight).toEqual(new Float32Array(4));
  });

  it('names what was looked for where there is no cuBLAS', () => {
    const program = `
      const { linearLogits } = require(${JSON.stringify(path.resolve(__dirname, '../../lib/index.ts'))});
      try {
        linearLogits(new Float32Array(4), new Float32Array(4), { hiddenSize: 4, device: 'cuda' });
      } catch (error) {
        console.log(error.code, error.message);
      }`;
    const run = (file: string | undefined): string =>
      spawnSync(process.execPath, ['--require', 'tsx/cjs', '-e', program], {
        cwd: path.resolve(__dirname, '../..'),
        encoding: 'utf8',
        env: { ...process.env, CROSSTHINK_CUBLAS: file },
      }).stdout;
    expect(run('/nowhere/libcublas.so')).toMatch(
      /^ERR_CUDA_UNAVAILABLE .*cuBLAS not found: looked for \/nowhere\/libcublas\.so \(CROSSTHINK_CUBLAS\)/,
    );
  });
});
