import { absolute, compare, multiply, rational, subtract, toNumber, type Rational } from '../answers/rational.js';
import type { Budget } from '../budget.js';
import { keyOf, some, type Expr } from '../expression/ast.js';
import type { ResolvedSettings } from '../settings.js';
import { bigs } from './bigs.js';
import { doubles, type ComplexDouble } from './doubles.js';
import { evaluate } from './evaluate.js';
import { evaluateExactly } from './exact.js';
import type { Field } from './field.js';
import { evaluateModulo, isRationalFunction, primes } from './modular.js';

/** What a comparison needs besides its two sides. */
export interface Context {
  readonly settings: ResolvedSettings;
  readonly budget: Budget;
  /** Relative tolerance of the question, where it states one. */
  readonly tolerance?: number;
}

export const hasDecimal = (e: Expr): boolean => some(e, (node) => node.k === 'num' && node.decimals !== null);
const hasSymbol = (e: Expr): boolean => some(e, ({ k }) => k === 'sym' || k === 'opaque');
const hasImaginary = (e: Expr): boolean => some(e, (node) => node.k === 'const' && node.name === 'i');

/**
 * Whether two scalar expressions are equal: by canonical text; exactly, where both have an exact value; modulo two
 * primes at random points, where both are rational functions; else numerically at random points, first in doubles, which
 * refute, then in 256-bit balls, which confirm. Decimals are compared with the tolerance of the settings.
 */
export function sameScalar(gold: Expr, answer: Expr, context: Context): boolean {
  if (keyOf(gold) === keyOf(answer)) return true;
  const { budget } = context;
  const approximate = hasDecimal(gold) || hasDecimal(answer);
  const symbols = hasSymbol(gold) || hasSymbol(answer);
  if (!symbols) {
    const a = evaluateExactly(gold, budget);
    const b = a === null ? null : evaluateExactly(answer, budget);
    if (a !== null && b !== null) {
      return (a.n === b.n && a.d === b.d) || (approximate && closeRationals(a, b, context, decimalsOf(gold, answer)));
    }
  }
  if (approximate) return numericallyClose(gold, answer, context);
  if (isRationalFunction(gold) && isRationalFunction(answer)) return sameModulo(gold, answer, budget);
  return sameAtPoints(gold, answer, budget);
}

/** Digits after the point of the less precise decimal literal. */
function decimalsOf(...sides: readonly Expr[]): number | null {
  const places = sides.flatMap((side) => (side.k === 'num' && side.decimals !== null ? [side.decimals] : []));
  return places.length === 0 ? null : Math.min(...places);
}

/** The tolerance of the settings, exactly: relative, or rounding to a number of decimal places, or to the gold's own. */
export function closeRationals(a: Rational, b: Rational, context: Context, decimals: number | null = null): boolean {
  const { decimalPlaces, roundToPrecision } = context.settings;
  const tolerance = context.tolerance ?? context.settings.tolerance;
  const distance = absolute(subtract(a, b));
  if (decimalPlaces !== null && compare(distance, rational(1n, 2n * 10n ** BigInt(decimalPlaces))) <= 0) return true;
  if (roundToPrecision && decimals !== null && compare(distance, rational(1n, 2n * 10n ** BigInt(decimals))) <= 0)
    return true;
  if (tolerance <= 0) return false;
  const larger = compare(absolute(a), absolute(b)) > 0 ? absolute(a) : absolute(b);
  const scale = rational(BigInt(Math.round(tolerance * 1e15)), 10n ** 15n);
  return compare(distance, multiply(scale, larger)) <= 0;
}

function closeDoubles(a: ComplexDouble, b: ComplexDouble, context: Context, decimals: number | null): boolean {
  const { decimalPlaces, roundToPrecision, tolerance: usual } = context.settings;
  const distance = Math.hypot(a.re - b.re, a.im - b.im);
  const scale = Math.max(Math.hypot(a.re, a.im), Math.hypot(b.re, b.im));
  if (decimalPlaces !== null && distance <= 0.5 * 10 ** -decimalPlaces) return true;
  if (roundToPrecision && decimals !== null && distance <= 0.5 * 10 ** -decimals) return true;
  return distance <= (context.tolerance ?? usual) * scale * (1 + 1e-9) + Math.min(a.err + b.err, 1e-9 * scale);
}

function numericallyClose(gold: Expr, answer: Expr, context: Context): boolean {
  const decimals = decimalsOf(gold, answer);
  const pairs = [...sample(gold, answer, doubles, context.budget, toComplex, 1)];
  return pairs.length > 0 && pairs.every(([a, b]) => closeDoubles(a, b, context, decimals));
}

function sameModulo(gold: Expr, answer: Expr, budget: Budget): boolean {
  const seed = seedOf(gold, answer);
  let compared = 0;
  for (const [index, p] of primes.entries()) {
    for (let attempt = 0; attempt < 3; attempt++) {
      const assign = (name: string): bigint => bigRandom(hash(`${name}|${index}|${attempt}`, seed)) % p;
      const a = evaluateModulo(gold, p, assign, budget);
      const b = evaluateModulo(answer, p, assign, budget);
      if (a === null && b === null) continue;
      if (a === null || b === null || a !== b) return false;
      compared++;
      break;
    }
  }
  return compared === primes.length;
}

function sameAtPoints(gold: Expr, answer: Expr, budget: Budget): boolean {
  const rough = [...sample(gold, answer, doubles, budget, toComplex, 1)];
  if (rough.some(([a, b]) => doubles.compare(a, b) === 'different')) return false;
  // No point in reach of doubles (overflow): the big balls decide alone.
  let confirmed = 0;
  for (const [a, b] of sample(gold, answer, bigs, budget, (point) => bigs.fromRational(point), 60, 2)) {
    if (bigs.compare(a, b) !== 'equal') return false;
    confirmed++;
  }
  return confirmed > 0;
}

const toComplex = (value: Rational): ComplexDouble => doubles.fromRational(value);

/** Domains sampled in turn: small positive, larger positive, either sign. */
const domains: readonly (readonly [number, number])[] = [
  [0.2, 1.8],
  [0.2, 1.8],
  [1.2, 4.5],
  [-3, 3],
  [-3, 3],
  [-1, 1],
];

/**
 * Values of both sides at seeded random points. Points where a side is undefined or not real are passed over, as school
 * mathematics does; where no real point is left, or `i` occurs, the points are complex. Symbol-free pairs have one point.
 */
function* sample<T>(
  gold: Expr,
  answer: Expr,
  field: Field<T>,
  budget: Budget,
  lift: (value: Rational) => T,
  cost: number,
  limit = domains.length,
): Generator<readonly [T, T]> {
  const seed = seedOf(gold, answer);
  const symbols = hasSymbol(gold) || hasSymbol(answer);
  const wantsReal = !hasImaginary(gold) && !hasImaginary(answer);
  let found = 0;
  for (const [index, [low, high]] of (symbols ? domains : domains.slice(0, 1)).entries()) {
    if (found >= limit) return;
    const assign = (name: string): T => lift(realPoint(hash(`${name}|${index}`, seed), low, high));
    const pair = both(gold, answer, field, assign, budget, cost);
    if (pair === null || (symbols && wantsReal && !(field.isReal(pair[0]) && field.isReal(pair[1])))) continue;
    found++;
    yield pair;
  }
  if (found > 0 || !symbols) return;
  for (let index = 0; index < 3 && found < limit; index++) {
    const assign = (name: string): T =>
      field.add(
        lift(realPoint(hash(`${name}|re|${index}`, seed), 0.3, 1.7)),
        field.multiply(field.i, lift(realPoint(hash(`${name}|im|${index}`, seed), 0.2, 1.1))),
      );
    const pair = both(gold, answer, field, assign, budget, cost);
    if (pair === null) continue;
    found++;
    yield pair;
  }
}

function both<T>(
  gold: Expr,
  answer: Expr,
  field: Field<T>,
  assign: (name: string) => T,
  budget: Budget,
  cost: number,
): readonly [T, T] | null {
  const a = evaluate(gold, field, assign, budget, cost);
  const b = a === null ? null : evaluate(answer, field, assign, budget, cost);
  return a === null || b === null ? null : [a, b];
}

/** A dyadic rational in [low, high], exact in every field. */
function realPoint(h: number, low: number, high: number): Rational {
  const value = low + ((high - low) * (h >>> 0)) / 2 ** 32;
  return rational(BigInt(Math.round(value * 2 ** 30)), 2n ** 30n);
}

function seedOf(gold: Expr, answer: Expr): number {
  return hash(keyOf(gold), hash(keyOf(answer), 0x9e3779b9)) ^ hash(keyOf(answer), hash(keyOf(gold), 0x9e3779b9));
}

/** FNV-1a with a final avalanche (murmur3's). */
function hash(text: string, seed: number): number {
  let h = seed ^ 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function bigRandom(h: number): bigint {
  const low = BigInt(hash('low', h));
  return (BigInt(h) << 32n) | low;
}

/** A constant's double, for ordering; null where it has none. */
export function constantValue(e: Expr, budget: Budget): number | null {
  if (hasSymbol(e)) return null;
  if (e.k === 'const' && e.name === 'oo') return Infinity;
  if (e.k === 'neg' && e.arg.k === 'const' && e.arg.name === 'oo') return -Infinity;
  const exact = evaluateExactly(e, budget);
  if (exact !== null) return toNumber(exact);
  const value = evaluate(e, doubles, () => doubles.i, budget, 1);
  return value?.im === 0 ? value.re : null;
}
