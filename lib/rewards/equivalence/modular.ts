import type { Budget } from '../budget.js';
import { children, type Expr } from '../expression/ast.js';
import { evaluateExactly } from './exact.js';

/** Two primes near 2^61: a non-zero rational function of small degree vanishes at a random point modulo both with probability below 1e-30. */
export const primes = [2305843009213693951n, 2305843009213693921n] as const;

/** Thrown where a value is undefined modulo the prime (division by zero). */
class Undefined extends Error {}

/** Whether an expression is a rational function with rational coefficients: only `+ - * /`, whole powers, constants of exact value. */
export function isRationalFunction(e: Expr): boolean {
  switch (e.k) {
    case 'num':
    case 'sym':
    case 'opaque':
      return true;
    case 'add':
    case 'mul':
    case 'neg':
    case 'div':
      return children(e).every(isRationalFunction);
    case 'pow':
      return isRationalFunction(e.left) && e.right.k === 'num' && e.right.value.d === 1n;
    case 'fn':
      return (e.name === 'factorial' || e.name === 'binomial') && e.args.every(({ k }) => k === 'num');
    default:
      return false;
  }
}

function power(base: bigint, exponent: bigint, p: bigint): bigint {
  let result = 1n;
  let square = base % p;
  for (let n = exponent; n > 0n; n >>= 1n) {
    if ((n & 1n) === 1n) result = (result * square) % p;
    square = (square * square) % p;
  }
  return result;
}

function inverse(a: bigint, p: bigint): bigint {
  if (a % p === 0n) throw new Undefined();
  return power(a, p - 2n, p);
}

/** Value modulo `p` at the point given by `assign`; null where undefined there. The tree must be a rational function. */
export function evaluateModulo(e: Expr, p: bigint, assign: (name: string) => bigint, budget: Budget): bigint | null {
  const run = (node: Expr): bigint => {
    budget.spend();
    switch (node.k) {
      case 'num':
        return node.value.d === 1n
          ? positive(node.value.n, p)
          : (positive(node.value.n, p) * inverse(node.value.d, p)) % p;
      case 'sym':
        return assign(node.name);
      case 'opaque':
        return assign(node.key);
      case 'add':
        return node.args.reduce((sum, arg) => (sum + run(arg)) % p, 0n);
      case 'mul':
        return node.args.reduce((product, arg) => (product * run(arg)) % p, 1n);
      case 'neg':
        return positive(-run(node.arg), p);
      case 'div':
        budget.spend(10);
        return (run(node.left) * inverse(run(node.right), p)) % p;
      case 'pow': {
        const exponent = node.right.k === 'num' ? node.right.value.n : 0n;
        const base = run(node.left);
        budget.spend(20);
        if (exponent === 0n && base === 0n) throw new Undefined();
        // Fermat: exponents count modulo p - 1, so towers of digits cost nothing.
        const reduced = (exponent < 0n ? -exponent : exponent) % (p - 1n);
        return exponent < 0n ? inverse(power(base, reduced, p), p) : power(base, reduced, p);
      }
      default: {
        const value = evaluateExactly(node, budget);
        if (value === null) throw new Undefined();
        return (positive(value.n, p) * inverse(value.d, p)) % p;
      }
    }
  };
  try {
    return run(e);
  } catch (error) {
    if (error instanceof Undefined) return null;
    throw error;
  }
}

function positive(n: bigint, p: bigint): bigint {
  const r = n % p;
  return r < 0n ? r + p : r;
}
