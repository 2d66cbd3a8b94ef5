import * as real from './bigreal.js';
import type { BigReal } from './bigreal.js';
import type { Field } from './field.js';

/** A complex ball; `im` null where the number is exactly real. */
export interface BigComplex {
  readonly re: BigReal;
  readonly im: BigReal | null;
}

const zero = real.fromInteger(0n);
const one = real.fromInteger(1n);
const two = real.fromInteger(2n);
const imaginary = (a: BigComplex): BigReal => a.im ?? zero;

function sumOfSquares(a: BigComplex): BigReal {
  const re = real.multiply(a.re, a.re);
  return a.im === null ? re : real.add(re, real.multiply(a.im, a.im));
}

function signOf(a: BigReal): -1 | 0 | 1 {
  if (a.m === 0n || real.magnitude(a) - 1 <= a.r) return 0;
  return a.m > 0n ? 1 : -1;
}

const complex = (re: BigReal | null, im: BigReal | null): BigComplex | null => (re === null ? null : { re, im });

export const bigs: Field<BigComplex> = {
  i: { re: zero, im: one },
  pi: () => ({ re: real.pi, im: null }),
  fromRational(value) {
    const n = real.fromInteger(value.n);
    return { re: value.d === 1n ? n : (real.divide(n, real.fromInteger(value.d)) ?? n), im: null };
  },
  add: (a, b) => ({
    re: real.add(a.re, b.re),
    im: a.im === null ? b.im : b.im === null ? a.im : real.add(a.im, b.im),
  }),
  multiply(a, b) {
    if (a.im === null && b.im === null) return { re: real.multiply(a.re, b.re), im: null };
    const [ai, bi] = [imaginary(a), imaginary(b)];
    return {
      re: real.add(real.multiply(a.re, b.re), real.negate(real.multiply(ai, bi))),
      im: real.add(real.multiply(a.re, bi), real.multiply(ai, b.re)),
    };
  },
  divide(a, b) {
    if (b.im === null) {
      const re = real.divide(a.re, b.re);
      if (re === null || a.im === null) return complex(re, null);
      const im = real.divide(a.im, b.re);
      return im === null ? null : { re, im };
    }
    const product = bigs.multiply(a, { re: b.re, im: real.negate(b.im) });
    const square = sumOfSquares(b);
    const re = real.divide(product.re, square);
    const im = real.divide(imaginary(product), square);
    return re === null || im === null ? null : { re, im };
  },
  negate: (a) => ({ re: real.negate(a.re), im: a.im === null ? null : real.negate(a.im) }),
  exp(a) {
    const scale = real.exp(a.re);
    if (scale === null || a.im === null) return complex(scale, null);
    const at = real.sinCos(a.im);
    return at === null ? null : { re: real.multiply(scale, at.cos), im: real.multiply(scale, at.sin) };
  },
  ln(a) {
    if (a.im === null) {
      const positive = signOf(a.re);
      const size = real.ln(positive < 0 ? real.negate(a.re) : a.re);
      return positive === 0 ? null : complex(size, positive < 0 ? real.pi : null);
    }
    const square = real.ln(sumOfSquares(a));
    const angle = real.arctangent2(a.im, a.re);
    return square === null || angle === null ? null : { re: real.divide(square, two) ?? square, im: angle };
  },
  sqrt(a) {
    if (a.im === null) {
      if (signOf(a.re) < 0) {
        const root = real.sqrt(real.negate(a.re));
        return root === null ? null : { re: zero, im: root };
      }
      return complex(real.sqrt(a.re.m < 0n ? { ...a.re, m: 0n } : a.re), null);
    }
    const log = bigs.ln(a);
    return log === null
      ? null
      : bigs.exp({ re: real.divide(log.re, two) ?? log.re, im: real.divide(imaginary(log), two) ?? zero });
  },
  sin: (a) => circular(a, 'sin'),
  cos: (a) => circular(a, 'cos'),
  abs(a) {
    if (a.im === null) return { re: a.re.m < 0n ? real.negate(a.re) : a.re, im: null };
    return complex(real.sqrt(sumOfSquares(a)), null);
  },
  realPart: (a) => ({ re: a.re, im: null }),
  isReal: (a) => a.im === null,
  sign: (a) => signOf(a.re),
  toDouble: (a) => real.approximate(a.re),
  compare(a, b) {
    const parts = [compareReal(a.re, b.re), compareReal(imaginary(a), imaginary(b))];
    if (parts.includes('different')) return 'different';
    // The error of a part that is zero is measured against the whole.
    const scale = Math.max(...[a.re, imaginary(a), b.re, imaginary(b)].map(real.magnitude));
    const error = Math.max(...[a.re, imaginary(a), b.re, imaginary(b)].map(({ r }) => r));
    return error < scale - 80 || (scale <= error + 1 && error < -100) || error < -1e8 ? 'equal' : 'unknown';
  },
};

/** sin and cos of real numbers directly, of complex ones through e^(iz). */
function circular(a: BigComplex, which: 'sin' | 'cos'): BigComplex | null {
  if (a.im === null) {
    const at = real.sinCos(a.re);
    return at === null ? null : { re: at[which], im: null };
  }
  const forward = bigs.exp(bigs.multiply(bigs.i, a));
  const backward = bigs.exp(bigs.negate(bigs.multiply(bigs.i, a)));
  if (forward === null || backward === null) return null;
  if (which === 'cos') return bigs.divide(bigs.add(forward, backward), { re: two, im: null });
  return bigs.divide(bigs.add(forward, bigs.negate(backward)), { re: zero, im: two });
}

function compareReal(a: BigReal, b: BigReal): 'within' | 'different' {
  const difference = real.add(a, real.negate(b));
  return real.magnitude(difference) - 1 > Math.max(a.r, b.r) + 1 ? 'different' : 'within';
}
