import type { Rational } from '../answers/rational.js';

/**
 * Complex arithmetic in which every number carries a bound of its own error. Two of them exist: doubles, fast, which
 * tell most unequal expressions apart; and big floats, which confirm equality. `null` means undefined, or too inexact to say.
 */
export interface Field<T> {
  readonly i: T;
  pi(): T;
  fromRational(value: Rational): T;
  add(a: T, b: T): T;
  multiply(a: T, b: T): T;
  divide(a: T, b: T): T | null;
  negate(a: T): T;
  exp(a: T): T | null;
  /** Principal branch. */
  ln(a: T): T | null;
  /** Principal branch. */
  sqrt(a: T): T | null;
  sin(a: T): T | null;
  cos(a: T): T | null;
  /** Modulus, as a real number. */
  abs(a: T): T | null;
  /** The real part, as an exactly real number. */
  realPart(a: T): T;
  /** Whether the imaginary part is exactly zero. */
  isReal(a: T): boolean;
  /** Sign of a real number beyond its error; 0 where the error hides it. */
  sign(a: T): -1 | 0 | 1;
  /** Nearest double of the real part. */
  toDouble(a: T): number;
  /** `'equal'` where the difference is within the errors and the errors are small; `'unknown'` where they are not. */
  compare(a: T, b: T): 'equal' | 'different' | 'unknown';
}
