import type { Budget } from '../budget.js';
import { mapTree, type Expr } from '../expression/ast.js';
import {
  absolute,
  add,
  compare,
  divide,
  multiply,
  negate,
  one,
  rational,
  zero,
  type Rational,
} from '../answers/rational.js';

/** Largest number kept exactly, in bits of numerator and denominator together. */
const maximumBits = 40_000;

/**
 * The exact value of an expression without symbols and irrational parts; null where it has none, or it would be larger
 * than `maximumBits`.
 */
export function evaluateExactly(e: Expr, budget: Budget): Rational | null {
  budget.spend();
  switch (e.k) {
    case 'num':
      return e.value;
    case 'neg': {
      const arg = evaluateExactly(e.arg, budget);
      return arg === null ? null : negate(arg);
    }
    case 'add':
      return fold(e.args, add, zero, budget);
    case 'mul':
      return fold(e.args, multiply, one, budget);
    case 'div': {
      const left = evaluateExactly(e.left, budget);
      const right = left === null ? null : evaluateExactly(e.right, budget);
      return left === null || right === null || right.n === 0n ? null : divide(left, right);
    }
    case 'pow': {
      const base = evaluateExactly(e.left, budget);
      const exponent = base === null ? null : evaluateExactly(e.right, budget);
      return base === null || exponent === null ? null : power(base, exponent, budget);
    }
    case 'fn':
      return applyExactly(e.name, e.args, budget);
    case 'percent': {
      const arg = evaluateExactly(e.arg, budget);
      return arg === null ? null : divide(arg, rational(100n));
    }
    case 'bigop':
      return finite(e, budget);
    default:
      return null;
  }
}

function bits(a: Rational): number {
  return sizeOf(a.n) + sizeOf(a.d);
}

/** Steps a fraction of this size costs: reducing it to lowest terms is quadratic in its length. */
function arithmeticCost(size: number): number {
  return Math.floor((size * size) / 2 ** 15);
}

function sizeOf(n: bigint): number {
  return n.toString(16).length * 4;
}

function fold(
  args: readonly Expr[],
  combine: (a: Rational, b: Rational) => Rational,
  start: Rational,
  budget: Budget,
): Rational | null {
  let value = start;
  for (const arg of args) {
    const next = evaluateExactly(arg, budget);
    if (next === null) return null;
    value = combine(value, next);
    const size = bits(value);
    budget.spend(arithmeticCost(size));
    if (size > maximumBits) return null;
  }
  return value;
}

function power(base: Rational, exponent: Rational, budget: Budget): Rational | null {
  if (exponent.d !== 1n) return exponent.d > 64n ? null : rootPower(base, exponent, budget);
  if (exponent.n === 0n) return base.n === 0n ? null : one;
  const size = exponent.n < 0n ? -exponent.n : exponent.n;
  if (equalsOne(base)) return base.n > 0n || size % 2n === 0n ? one : negate(one);
  if (base.n === 0n) return exponent.n > 0n ? zero : null;
  if (size > BigInt(maximumBits) || bits(base) * Number(size) > maximumBits) return null;
  budget.spend(Number(size) >> 4);
  return exponent.n > 0n ? rational(base.n ** size, base.d ** size) : rational(base.d ** size, base.n ** size);
}

function equalsOne(a: Rational): boolean {
  return a.d === 1n && (a.n === 1n || a.n === -1n);
}

/** `(a/b)^(p/q)` where a and b are perfect q-th powers. */
function rootPower(base: Rational, exponent: Rational, budget: Budget): Rational | null {
  const degree = Number(exponent.d);
  const root = exactRoot(base, degree);
  return root === null ? null : power(root, rational(exponent.n), budget);
}

/** The rational q-th root, if there is one; real root for odd degrees. */
export function exactRoot(a: Rational, degree: number): Rational | null {
  if (a.n < 0n) {
    const positive = degree % 2 === 1 ? exactRoot(negate(a), degree) : null;
    return positive === null ? null : negate(positive);
  }
  if (bits(a) > 4000) return null;
  const n = integerRoot(a.n, degree);
  const d = integerRoot(a.d, degree);
  return n === null || d === null ? null : rational(n, d);
}

function integerRoot(n: bigint, degree: number): bigint | null {
  if (n < 2n) return n;
  const k = BigInt(degree);
  let low = 1n;
  let high = 1n << BigInt(Math.ceil(sizeOf(n) / degree) + 1);
  while (low < high) {
    const middle = (low + high + 1n) >> 1n;
    if (middle ** k <= n) low = middle;
    else high = middle - 1n;
  }
  return low ** k === n ? low : null;
}

function applyExactly(name: string, exprs: readonly Expr[], budget: Budget): Rational | null {
  const args: Rational[] = [];
  for (const expr of exprs) {
    const value = evaluateExactly(expr, budget);
    if (value === null) return null;
    args.push(value);
  }
  const [a, b] = args;
  if (a === undefined) return null;
  switch (name) {
    case 'abs':
      return absolute(a);
    case 'floor':
      return rational(floor(a));
    case 'ceil':
      return rational(-floor(negate(a)));
    case 'factorial':
      return factorial(a, budget);
    case 'root':
      return b?.d === 1n && b.n > 1n && b.n < 65n ? exactRoot(a, Number(b.n)) : null;
    case 'max':
      return args.reduce((x, y) => (compare(x, y) >= 0 ? x : y));
    case 'min':
      return args.reduce((x, y) => (compare(x, y) <= 0 ? x : y));
    case 'binomial':
      return b === undefined ? null : binomial(a, b, budget);
    case 'gcd':
    case 'lcm':
      return integersOnly(args, name === 'gcd' ? gcd : (x, y) => (x === 0n || y === 0n ? 0n : (x * y) / gcd(x, y)));
    case 'mod':
      return a.d === 1n && b?.d === 1n && b.n !== 0n ? rational(((a.n % b.n) + b.n) % b.n) : null;
    default:
      return null;
  }
}

function floor(a: Rational): bigint {
  const quotient = a.n / a.d;
  return a.n < 0n && quotient * a.d !== a.n ? quotient - 1n : quotient;
}

function factorial(a: Rational, budget: Budget): Rational | null {
  if (a.d !== 1n || a.n < 0n || a.n > 3000n) return null;
  let product = 1n;
  for (let i = 2n; i <= a.n; i++) product *= i;
  budget.spend(Number(a.n));
  return rational(product);
}

function binomial(n: Rational, k: Rational, budget: Budget): Rational | null {
  if (n.d !== 1n || k.d !== 1n || k.n < 0n || n.n < 0n || n.n > 3000n) return null;
  if (k.n > n.n) return zero;
  const small = k.n * 2n > n.n ? n.n - k.n : k.n;
  let product = 1n;
  for (let i = 1n; i <= small; i++) product = (product * (n.n - small + i)) / i;
  budget.spend(Number(small) + 1);
  return rational(product);
}

function gcd(a: bigint, b: bigint): bigint {
  let x = a < 0n ? -a : a;
  let y = b < 0n ? -b : b;
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

function integersOnly(args: readonly Rational[], combine: (a: bigint, b: bigint) => bigint): Rational | null {
  if (args.some(({ d }) => d !== 1n)) return null;
  return rational(args.map(({ n }) => n).reduce(combine));
}

/** A sum or product over a range of at most 2,000 whole numbers. */
function finite(e: Expr & { k: 'bigop' }, budget: Budget): Rational | null {
  const from = evaluateExactly(e.from, budget);
  const to = evaluateExactly(e.to, budget);
  if (from?.d !== 1n || to?.d !== 1n || to.n - from.n > 2000n) return null;
  let value = e.op === 'sum' ? zero : one;
  for (let i = from.n; i <= to.n; i++) {
    const term = evaluateExactly(
      substitute(e.body, e.variable, { k: 'num', value: rational(i), decimals: null }, budget),
      budget,
    );
    if (term === null) return null;
    value = e.op === 'sum' ? add(value, term) : multiply(value, term);
    const size = bits(value);
    budget.spend(arithmeticCost(size) + 1);
    if (size > maximumBits) return null;
  }
  return value;
}

/** The tree with a symbol replaced. */
export function substitute(e: Expr, name: string, value: Expr, budget: Budget): Expr {
  return mapTree(e, (node) => {
    budget.spend(8);
    return node.k === 'sym' && node.name === name ? value : node;
  });
}
