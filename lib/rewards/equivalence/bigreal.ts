/**
 * Real balls: `m * 2^e`, off by at most `2^r`. Working precision is `bits`; what is lost to cancellation shows in `r`.
 */
export interface BigReal {
  readonly m: bigint;
  readonly e: number;
  readonly r: number;
}

/** Working precision. 10^-77: constants that agree to that are the same for anyone's purpose. */
export const bits = 256;

const exact = -1e9;

export function bitLength(n: bigint): number {
  const a = n < 0n ? -n : n;
  return a === 0n ? 0 : a.toString(16).length * 4 - leading(a);
}

function leading(a: bigint): number {
  const first = Number.parseInt(a.toString(16)[0] ?? '1', 16);
  return Math.clz32(first) - 28;
}

/** `|a| < 2^magnitude(a)`. */
export const magnitude = (a: BigReal): number => (a.m === 0n ? exact : bitLength(a.m) + a.e);

export function normal(m: bigint, e: number, r: number): BigReal {
  const excess = bitLength(m) - bits;
  if (excess <= 0) return { m, e, r };
  return { m: m >> BigInt(excess), e: e + excess, r: Math.max(r, e + excess) + 1 };
}

export const fromInteger = (n: bigint): BigReal => normal(n, 0, exact);
export const negate = (a: BigReal): BigReal => ({ ...a, m: -a.m });

export function add(a: BigReal, b: BigReal): BigReal {
  if (a.m === 0n && a.r <= exact) return b;
  if (b.m === 0n && b.r <= exact) return a;
  const r = Math.max(a.r, b.r) + (a.r <= exact || b.r <= exact ? 0 : 1);
  const gap = a.e - b.e;
  // Far apart: the smaller number is below the error of the larger.
  if (gap > 4 * bits) return { m: a.m, e: a.e, r: Math.max(r, magnitude(b)) + 1 };
  if (gap < -4 * bits) return { m: b.m, e: b.e, r: Math.max(r, magnitude(a)) + 1 };
  const e = Math.min(a.e, b.e);
  return normal((a.m << BigInt(a.e - e)) + (b.m << BigInt(b.e - e)), e, r);
}

export function multiply(a: BigReal, b: BigReal): BigReal {
  const r = Math.max(magnitude(a) + b.r, magnitude(b) + a.r, a.r + b.r);
  return normal(a.m * b.m, a.e + b.e, Math.max(exact, r + 2));
}

/** Null where the divisor may be zero. */
export function divide(a: BigReal, b: BigReal): BigReal | null {
  if (b.m === 0n || magnitude(b) - 1 <= b.r + 1) return null;
  const shift = Math.max(0, bits + 8 - bitLength(a.m) + bitLength(b.m));
  const m = (a.m << BigInt(shift)) / b.m;
  const e = a.e - b.e - shift;
  const quotient = magnitude({ m, e, r: 0 });
  const r = Math.max(a.r - magnitude(b) + 2, quotient + b.r - magnitude(b) + 2, e + 1);
  return normal(m, e, r);
}

function integerSqrt(n: bigint): bigint {
  if (n < 2n) return n;
  let x = 1n << BigInt((bitLength(n) >> 1) + 1);
  for (;;) {
    const next = (x + n / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}

/** Null for a number that may be negative. */
export function sqrt(a: BigReal): BigReal | null {
  if (a.m < 0n) return null;
  if (magnitude(a) - 1 <= a.r + 1) return { m: 0n, e: 0, r: Math.max(exact, (Math.max(magnitude(a), a.r) >> 1) + 2) };
  let shift = Math.max(0, 2 * bits + 16 - bitLength(a.m));
  if (((a.e - shift) & 1) !== 0) shift++;
  const m = integerSqrt(a.m << BigInt(shift));
  const e = (a.e - shift) / 2;
  return normal(m, e, Math.max(a.r - (magnitude(a) >> 1) + 1, e + 1));
}

/** Fixed point with `bits + guard` fraction bits. */
const guard = 64;
const fraction = bits + guard;
const unit = 1n << BigInt(fraction);

function toFixed(a: BigReal): bigint {
  const shift = a.e + fraction;
  return shift >= 0 ? a.m << BigInt(shift) : a.m >> BigInt(-shift);
}

/** arctan(1/n), fixed point. */
function inverseTangent(n: bigint): bigint {
  let power = unit / n;
  let sum = power;
  for (let k = 3n, sign = -1n; power !== 0n; k += 2n, sign = -sign) {
    power /= n * n;
    sum += (sign * power) / k;
  }
  return sum;
}

// Machin: pi/4 = 4 arctan(1/5) - arctan(1/239). ln 2 = 2 artanh(1/3).
const piFixed = 4n * (4n * inverseTangent(5n) - inverseTangent(239n));
const ln2Fixed = ((): bigint => {
  let power = unit / 3n;
  let sum = 0n;
  for (let k = 1n; power !== 0n; k += 2n, power /= 9n) sum += power / k;
  return 2n * sum;
})();

export const pi: BigReal = normal(piFixed, -fraction, -fraction + 12);

/** e^t for |t| <= 1, fixed point: Taylor of t/256, squared eight times. */
function expFixed(t: bigint): bigint {
  const small = t >> 8n;
  let term = unit;
  let sum = unit;
  for (let k = 1n; term !== 0n && k < 200n; k++) {
    term = (term * small) / (unit * k);
    sum += term;
    if (term === -1n) break;
  }
  for (let i = 0; i < 8; i++) sum = (sum * sum) >> BigInt(fraction);
  return sum;
}

/** Null where the exponent is beyond 2^16, or too inexact. */
export function exp(a: BigReal): BigReal | null {
  if (magnitude(a) > 16 || a.r > -4) return null;
  const x = toFixed(a);
  const k = x / ln2Fixed;
  const m = expFixed(x - k * ln2Fixed);
  const e = Number(k) - fraction;
  const size = bitLength(m) + e;
  return normal(m, e, size + Math.max(a.r, -bits) + 2);
}

/** Null where the number may not be positive. */
export function ln(a: BigReal): BigReal | null {
  if (a.m <= 0n || magnitude(a) - 1 <= a.r + 1) return null;
  // a = f * 2^k with f in [1/2, 1).
  const k = magnitude(a);
  const f = toFixed({ m: a.m, e: a.e - k, r: 0 });
  let y = BigInt(Math.round(Math.log(Number(f >> BigInt(fraction - 53)) / 2 ** 53) * 2 ** 50)) << BigInt(fraction - 50);
  // Halley: y += 2 (f - e^y) / (f + e^y) triples the digits.
  for (let round = 0; round < 3; round++) {
    const z = expFixed(y);
    y += (2n * (f - z) * unit) / (f + z);
  }
  return normal(y + BigInt(k) * ln2Fixed, -fraction, Math.max(a.r - magnitude(a) + 2, -bits - guard / 2));
}

/** sine and cosine; null where the angle is beyond 2^32, or too inexact. */
export function sinCos(a: BigReal): { readonly sin: BigReal; readonly cos: BigReal } | null {
  if (magnitude(a) > 32 || a.r > -4) return null;
  const full = 2n * piFixed;
  let x = toFixed(a) % full;
  if (x > piFixed) x -= full;
  if (x < -piFixed) x += full;
  const square = (x * x) >> BigInt(fraction);
  const series = (first: bigint, start: bigint): bigint => {
    let term = first;
    let sum = first;
    for (let k = start; term !== 0n && k < 400n; k += 2n) {
      term = -((term * square) >> BigInt(fraction)) / (k * (k + 1n));
      sum += term;
    }
    return sum;
  };
  const r = Math.max(a.r, -fraction + Math.max(0, magnitude(a)) + 12) + 1;
  return { sin: normal(series(x, 2n), -fraction, r), cos: normal(series(unit, 1n), -fraction, r) };
}

/** The angle of (x, y) in (-pi, pi]: Newton on sine and cosine from the double. */
export function arctangent2(y: BigReal, x: BigReal): BigReal | null {
  const angle = Math.atan2(approximate(y), approximate(x));
  if (!Number.isFinite(angle)) return null;
  let t: BigReal = normal(BigInt(Math.round(angle * 2 ** 50)), -50, exact);
  const length = sqrt(add(multiply(x, x), multiply(y, y)));
  if (length === null) return null;
  for (let round = 0; round < 4; round++) {
    const at = sinCos({ ...t, r: exact });
    if (at === null) return null;
    // sin(angle - t) = (y cos t - x sin t) / |(x, y)|, and angle - t is that to third order.
    const delta = divide(add(multiply(y, at.cos), negate(multiply(x, at.sin))), length);
    if (delta === null) return null;
    t = add(t, delta);
  }
  return t;
}

/** Nearest double, scaled down where out of range: only ratios and signs are used. */
export function approximate(a: BigReal): number {
  const length = bitLength(a.m);
  const head =
    length > 60
      ? Number(a.m >> BigInt(length - 60)) * 2 ** Math.min(1000, Math.max(-1000, a.e + length - 60))
      : Number(a.m) * 2 ** Math.min(1000, Math.max(-1000, a.e));
  return head;
}
