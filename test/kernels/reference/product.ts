/** The matrix product of docs/linear.md, operation by operation, in plain JavaScript. */

const bits = new Float64Array(1);
const integer = new BigInt64Array(bits.buffer);

/** float32 fused multiply-add: the exact sum rounded to odd in float64, then once to float32. */
export function fma32(a: number, b: number, c: number): number {
  const product = a * b; // 48 bits at most: exact.
  const sum = product + c;
  const part = sum - product;
  const error = product - (sum - part) + (c - part);
  if (error === 0 || !Number.isFinite(sum)) return Math.fround(sum);
  bits[0] = sum;
  if (integer[0]! % 2n === 0n) integer[0]! += error > 0 === sum > 0 ? 1n : -1n;
  return Math.fround(bits[0]);
}

const flushed = (x: number): number => (Math.abs(x) < 2 ** -126 ? 0 : x);

function chain(x: ArrayLike<number>, w: ArrayLike<number>, begin: number, end: number, bfloat16: boolean): number {
  let sum = 0;
  for (let i = begin; i < end; i++) {
    const k = bfloat16 ? i ^ 1 : i; // The odd element of a pair comes first.
    const [a, b] = [x[k] ?? 0, w[k] ?? 0];
    sum = bfloat16 ? flushed(fma32(flushed(a), flushed(b), sum)) : fma32(a, b, sum);
  }
  return sum;
}

/** One element of the product: chains of 512 (float32) or 1024 (bfloat16) steps, added up in order. */
export function linearElement(x: ArrayLike<number>, w: ArrayLike<number>, bfloat16: boolean, bias?: number): number {
  const block = bfloat16 ? 1024 : 512;
  const steps = bfloat16 ? Math.ceil(x.length / 2) * 2 : x.length;
  const add = (a: number, b: number): number => {
    const sum = Math.fround(a + b);
    return bfloat16 ? flushed(sum) : sum;
  };
  let total = chain(x, w, 0, Math.min(block, steps), bfloat16);
  for (let k = block; k < steps; k += block) total = add(total, chain(x, w, k, Math.min(k + block, steps), bfloat16));
  return bias === undefined ? total : add(total, bias);
}
