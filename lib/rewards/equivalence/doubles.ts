import { toNumber } from '../answers/rational.js';
import type { Field } from './field.js';

/** A complex double with a bound of its absolute error. */
export interface ComplexDouble {
  readonly re: number;
  readonly im: number;
  readonly err: number;
}

/** Four times the unit roundoff: covers the operation and the rounding of the bound itself. */
const u = 4 * 2 ** -53;

/** Relative error below which agreement counts as evidence of equality. */
const trusted = 1e-7;

function make(re: number, im: number, err: number): ComplexDouble {
  return { re, im, err: err + u * (Math.abs(re) + Math.abs(im)) };
}

function checked(value: ComplexDouble): ComplexDouble | null {
  return Number.isFinite(value.re) && Number.isFinite(value.im) && Number.isFinite(value.err) ? value : null;
}

const size = (a: ComplexDouble): number => Math.hypot(a.re, a.im);

export const doubles: Field<ComplexDouble> = {
  i: { re: 0, im: 1, err: 0 },
  pi: () => make(Math.PI, 0, 0),
  fromRational: (value) => make(toNumber(value), 0, 0),
  add: (a, b) => make(a.re + b.re, a.im + b.im, a.err + b.err),
  multiply: (a, b) =>
    make(
      a.re * b.re - a.im * b.im,
      a.re * b.im + a.im * b.re,
      size(a) * b.err + size(b) * a.err + a.err * b.err + u * size(a) * size(b),
    ),
  divide(a, b) {
    const n = size(b);
    if (n <= b.err * 2 || n === 0) return null;
    if (b.im === 0 && a.im === 0)
      return checked(make(a.re / b.re, 0, (a.err + (Math.abs(a.re) / n) * b.err) / (n - b.err)));
    const d = b.re * b.re + b.im * b.im;
    const re = (a.re * b.re + a.im * b.im) / d;
    const im = (a.im * b.re - a.re * b.im) / d;
    return checked(make(re, im, (a.err + Math.hypot(re, im) * b.err) / (n - b.err) + 4 * u * Math.hypot(re, im)));
  },
  negate: (a) => ({ re: -a.re, im: a.im === 0 ? 0 : -a.im, err: a.err }),
  exp(a) {
    const scale = Math.exp(a.re);
    if (a.err > 0.1) return null;
    if (a.im === 0) return checked(make(scale, 0, scale * (1.1 * a.err + u)));
    return checked(
      make(scale * Math.cos(a.im), scale * Math.sin(a.im), scale * (1.1 * a.err + 2 * u * (1 + Math.abs(a.im)))),
    );
  },
  ln(a) {
    const n = size(a);
    if (n <= 2 * a.err || n === 0) return null;
    // A negative real whose error might cross the cut keeps its branch: real inputs stay real.
    const im = a.im === 0 ? (a.re < 0 ? Math.PI : 0) : Math.atan2(a.im, a.re);
    return checked(make(Math.log(n), im, (1.5 * a.err) / n + u));
  },
  sqrt(a) {
    const n = size(a);
    if (n <= 2 * a.err) return make(0, 0, Math.sqrt(n + a.err));
    const err = a.err / Math.sqrt(n);
    if (a.im === 0) return a.re >= 0 ? make(Math.sqrt(a.re), 0, err) : make(0, Math.sqrt(-a.re), err);
    const re = Math.sqrt((n + a.re) / 2);
    const im = Math.sqrt(Math.max(0, (n - a.re) / 2)) * Math.sign(a.im);
    return checked(
      make(
        re,
        im,
        err + 1e-15 * Math.sqrt(n) * (1 + Math.sqrt(n / Math.max(1e-300, Math.min(re, Math.abs(im)))) * 1e-1),
      ),
    );
  },
  sin(a) {
    if (Math.abs(a.re) > 1e8) return null;
    if (a.im === 0) return make(Math.sin(a.re), 0, a.err + u * Math.abs(a.re));
    return checked(
      make(
        Math.sin(a.re) * Math.cosh(a.im),
        Math.cos(a.re) * Math.sinh(a.im),
        (a.err + 4 * u * (1 + Math.abs(a.re))) * Math.cosh(a.im),
      ),
    );
  },
  cos(a) {
    if (Math.abs(a.re) > 1e8) return null;
    if (a.im === 0) return make(Math.cos(a.re), 0, a.err + u * Math.abs(a.re));
    return checked(
      make(
        Math.cos(a.re) * Math.cosh(a.im),
        -Math.sin(a.re) * Math.sinh(a.im),
        (a.err + 4 * u * (1 + Math.abs(a.re))) * Math.cosh(a.im),
      ),
    );
  },
  abs: (a) => make(size(a), 0, a.err),
  realPart: (a) => ({ re: a.re, im: 0, err: a.err }),
  isReal: (a) => a.im === 0,
  sign: (a) => (Math.abs(a.re) <= a.err ? 0 : a.re > 0 ? 1 : -1),
  toDouble: (a) => a.re,
  compare(a, b) {
    const distance = Math.hypot(a.re - b.re, a.im - b.im);
    const err = a.err + b.err;
    if (distance > err) return 'different';
    const scale = Math.max(size(a), size(b));
    return err <= trusted * scale || (scale <= err && err < 1e-9) ? 'equal' : 'unknown';
  },
};
