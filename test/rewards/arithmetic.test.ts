import * as fc from 'fast-check';
import { rational, toNumber, fromDecimal } from '../../lib/rewards/answers/rational.js';
import { Budget, BudgetExceeded } from '../../lib/rewards/budget.js';
import * as real from '../../lib/rewards/equivalence/bigreal.js';
import { bigs } from '../../lib/rewards/equivalence/bigs.js';
import { doubles } from '../../lib/rewards/equivalence/doubles.js';
import { evaluate } from '../../lib/rewards/equivalence/evaluate.js';
import { evaluateExactly } from '../../lib/rewards/equivalence/exact.js';
import { evaluateModulo, primes } from '../../lib/rewards/equivalence/modular.js';
import { parseExpression } from '../../lib/rewards/expression/parser.js';

/** Digits of constants from published tables (Abramowitz and Stegun, table 1.1; OEIS A000796, A001113, A002162). */
const digits = {
  pi: '3.14159265358979323846264338327950288419716939937510582097494',
  e: '2.71828182845904523536028747135266249775724709369995957496697',
  ln2: '0.69314718055994530941723212145817656807550013436025525412068',
};

/** |value - literal| < 10^-58. */
function matches(value: real.BigReal | null, literal: string): boolean {
  if (value === null) return false;
  const exact = fromDecimal(literal);
  const scaled = value.e >= 0 ? value.m << BigInt(value.e) : value.m;
  const divisor = value.e >= 0 ? 1n : 1n << BigInt(-value.e);
  const difference = scaled * exact.d - exact.n * divisor;
  return (difference < 0n ? -difference : difference) * 10n ** 58n < divisor * exact.d;
}

describe('big balls', () => {
  const integer = real.fromInteger;

  it('know the constants', () => {
    expect(matches(real.pi, digits.pi)).toBe(true);
    expect(matches(real.exp(integer(1n)), digits.e)).toBe(true);
    expect(matches(real.ln(integer(2n)), digits.ln2)).toBe(true);
    expect(matches(real.sqrt(integer(2n)), '1.41421356237309504880168872420969807856967187537694807317668')).toBe(true);
    expect(
      matches(real.sinCos(integer(1n))?.sin ?? null, '0.84147098480789650665250232163029899962256306079837106567275'),
    ).toBe(true);
  });

  it('invert what they compute', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 10_000 }), (n, d) => {
        const x = bigs.fromRational(rational(BigInt(n), BigInt(d)));
        const log = bigs.ln(x);
        expect(log === null ? null : bigs.compare(bigs.exp(log) ?? x, x)).toBe('equal');
        const root = bigs.sqrt(x);
        expect(root === null ? null : bigs.compare(bigs.multiply(root, root), x)).toBe('equal');
      }),
      { numRuns: 40 },
    );
  });

  it('notice that a divisor may be zero', () => {
    const third = bigs.fromRational(rational(1n, 3n));
    const nothing = bigs.add(third, bigs.negate(third));
    expect(bigs.divide(third, nothing)).toBeNull();
  });
});

describe('doubles', () => {
  it('bound their own error: the big ball of the same expression lies within', () => {
    const expressions = [
      '\\sqrt{2}+\\sqrt{3}-\\sqrt{5+2\\sqrt{6}}',
      '\\frac{e^{10}-e^{-10}}{e^{10}+e^{-10}}-1',
      '\\sin(1000)+\\ln(7)\\cos(3)',
      '(1+\\sqrt{2})^{40}-(1-\\sqrt{2})^{40}',
      '\\arctan(2)+\\arcsin(1/3)',
      '\\frac{1}{\\pi-3.14159265}',
    ];
    for (const text of expressions) {
      const e = parseExpression(text);
      const budget = new Budget(1e7);
      const rough = evaluate(e, doubles, () => doubles.i, budget, 1);
      const fine = evaluate(e, bigs, () => bigs.i, budget, 1);
      expect(rough).not.toBeNull();
      expect(fine).not.toBeNull();
      if (rough === null || fine === null) continue;
      expect(Math.abs(rough.re - bigs.toDouble(fine))).toBeLessThanOrEqual(rough.err);
    }
  });
});

describe('exact and modular values', () => {
  it('agree with plain arithmetic', () => {
    const term = fc.integer({ min: -50, max: 50 });
    fc.assert(
      fc.property(term, term, term, fc.integer({ min: 0, max: 6 }), (a, b, c, n) => {
        const e = parseExpression(`(${a})(${b}) - (${c})^{${n}} + ${a}`);
        const expected = BigInt(a * b + a) - BigInt(c) ** BigInt(n);
        if (c === 0 && n === 0) return;
        expect(evaluateExactly(e, new Budget(1e5))).toEqual({ n: expected, d: 1n });
        const p = primes[0];
        expect(evaluateModulo(e, p, () => 0n, new Budget(1e5))).toBe(((expected % p) + p) % p);
      }),
    );
  });

  it('stop at the budget', () => {
    const e = parseExpression('\\sum_{i=1}^{2000}\\sum_{j=1}^{2000} i j');
    expect(() => evaluateExactly(e, new Budget(10_000))).toThrow(BudgetExceeded);
  });

  it('turn rationals into the nearest double at any size', () => {
    expect(toNumber(rational(1n, 3n))).toBe(1 / 3);
    expect(toNumber(rational(10n ** 400n, 10n ** 399n * 3n))).toBeCloseTo(10 / 3, 14);
  });
});
