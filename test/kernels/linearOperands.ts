import { type FloatType, type LogitsArray } from '../../lib/index.js';
import { fromBfloat16, Random, toBfloat16 } from './random.js';

export type LinearType = Extract<FloatType, 'float32' | 'bfloat16'>;
export const TYPES: LinearType[] = ['float32', 'bfloat16'];

/** `n` uniform numbers in [-scale, scale). */
export function uniforms(random: Random, n: number, scale: number): Float32Array {
  const x = new Float32Array(n);
  for (let i = 0; i < n; i++) x[i] = (2 * random.uniform() - 1) * scale;
  return x;
}

/** Random operands of one shape: as stored, and as numbers. */
export function operandsOf(type: LinearType, rows: number, depth: number, vocab: number, seed: number, scale = 2) {
  const random = new Random(seed);
  const stored = (x: Float32Array): LogitsArray => (type === 'float32' ? x : toBfloat16(x));
  const numbers = (x: LogitsArray): Float32Array => (x instanceof Float32Array ? x : fromBfloat16(x));
  const hidden = stored(uniforms(random, rows * depth, scale));
  const weight = stored(uniforms(random, vocab * depth, 2 / Math.sqrt(depth)));
  const tokens = Int32Array.from({ length: rows }, () => random.integer(vocab));
  const bias = uniforms(random, vocab, 2);
  const options = { dtype: type, hiddenSize: depth, rows };
  return { hidden, weight, tokens, bias, options, x: numbers(hidden), w: numbers(weight), random };
}

export const rowsOf = (x: Float32Array, i: number, n: number): Float32Array => x.subarray(i * n, (i + 1) * n);
