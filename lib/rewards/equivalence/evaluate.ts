import type { Budget } from '../budget.js';
import type { Rational } from '../answers/rational.js';
import { rational } from '../answers/rational.js';
import type { Expr } from '../expression/ast.js';
import { evaluateExactly, substitute } from './exact.js';
import type { Field } from './field.js';

/** Value of a scalar expression in a field at the point given by `assign`; null where undefined or out of range. */
export function evaluate<T>(
  e: Expr,
  field: Field<T>,
  assign: (name: string) => T,
  budget: Budget,
  cost: number,
): T | null {
  return new Evaluator(field, assign, budget, cost).run(e);
}

class Evaluator<T> {
  private readonly one: T;
  private readonly two: T;

  constructor(
    private readonly f: Field<T>,
    private readonly assign: (name: string) => T,
    private readonly budget: Budget,
    /** Steps one operation costs. */
    private readonly cost: number,
  ) {
    this.one = f.fromRational(rational(1n));
    this.two = f.fromRational(rational(2n));
  }

  run(e: Expr): T | null {
    this.budget.spend(this.cost);
    const { f } = this;
    switch (e.k) {
      case 'num':
        return f.fromRational(e.value);
      case 'const':
        return e.name === 'pi' ? f.pi() : e.name === 'i' ? f.i : e.name === 'e' ? f.exp(this.one) : null;
      case 'sym':
        return this.assign(e.name);
      case 'opaque':
        return this.assign(e.key);
      case 'add':
        return this.fold(e.args, (a, b) => f.add(a, b));
      case 'mul':
        return this.fold(e.args, (a, b) => f.multiply(a, b));
      case 'neg':
        return this.then(e.arg, (a) => f.negate(a));
      case 'div':
        return this.then(e.left, (a) => this.then(e.right, (b) => f.divide(a, b)));
      case 'pow':
        return this.power(e.left, e.right);
      case 'percent':
        return this.then(e.arg, (a) => f.divide(a, f.fromRational(rational(100n))));
      case 'unit':
        // At the top units are compared apart; inside a function degrees are angles.
        return this.then(e.arg, (a) =>
          e.unit === 'deg' ? f.divide(f.multiply(a, f.pi()), f.fromRational(rational(180n))) : a,
        );
      case 'fn':
        return this.apply(e.name, e.args, e);
      case 'bigop':
        return this.bigop(e);
      default:
        return null;
    }
  }

  private then(e: Expr, next: (value: T) => T | null): T | null {
    const value = this.run(e);
    return value === null ? null : next(value);
  }

  private fold(args: readonly Expr[], combine: (a: T, b: T) => T): T | null {
    let value: T | null = null;
    for (const arg of args) {
      const next = this.run(arg);
      if (next === null) return null;
      value = value === null ? next : combine(value, next);
    }
    return value;
  }

  private power(left: Expr, right: Expr): T | null {
    const { f } = this;
    const exponent = evaluateExactly(right, this.budget);
    if (exponent?.d === 1n && exponent.n >= -4096n && exponent.n <= 4096n) {
      return this.then(left, (base) => this.wholePower(base, exponent.n));
    }
    if (left.k === 'const' && left.name === 'e') return this.then(right, (value) => f.exp(value));
    if (exponent !== null && exponent.n === 1n) return this.then(left, (base) => this.root(base, exponent.d));
    return this.then(left, (base) => this.then(right, (value) => this.generalPower(base, value)));
  }

  /** On top of the one of every node: a series takes about three times as long as a product. */
  private spendSeries(): void {
    this.budget.spend(2 * this.cost);
  }

  private generalPower(base: T, exponent: T): T | null {
    this.spendSeries();
    const log = this.f.ln(base);
    return log === null ? null : this.f.exp(this.f.multiply(exponent, log));
  }

  private wholePower(base: T, exponent: bigint): T | null {
    const { f } = this;
    let result: T | null = null;
    let square = base;
    for (let n = exponent < 0n ? -exponent : exponent; n > 0n; n >>= 1n) {
      this.budget.spend(this.cost);
      if ((n & 1n) === 1n) result = result === null ? square : f.multiply(result, square);
      if (n > 1n) square = f.multiply(square, square);
    }
    if (result === null) return this.one;
    return exponent < 0n ? f.divide(this.one, result) : result;
  }

  /** Principal root; the real one for odd roots of negative reals. */
  private root(a: T, degree: bigint): T | null {
    const { f } = this;
    if (degree === 2n) return f.sqrt(a);
    if (degree < 1n || degree > 1000n) return null;
    if (f.isReal(a) && degree % 2n === 1n && f.sign(a) < 0) {
      const positive = this.generalPower(f.negate(a), f.fromRational(rational(1n, degree)));
      return positive === null ? null : f.negate(positive);
    }
    return this.generalPower(a, f.fromRational(rational(1n, degree)));
  }

  private apply(name: string, args: readonly Expr[], whole: Expr): T | null {
    this.spendSeries();
    const { f } = this;
    const [first, second] = args;
    if (first === undefined) return null;
    if (name === 'root') {
      const degree = second === undefined ? null : evaluateExactly(second, this.budget);
      if (degree?.d === 1n) return this.then(first, (a) => this.root(a, degree.n));
      if (second === undefined) return null;
      return this.then(first, (a) =>
        this.then(second, (n) => {
          const inverse = f.divide(this.one, n);
          return inverse === null ? null : this.generalPower(a, inverse);
        }),
      );
    }
    if (name === 'log' || name === 'lg') {
      if (second === undefined) return this.then(first, (a) => this.logarithm(a, name === 'lg' ? rational(10n) : null));
      return this.then(first, (a) => this.then(second, (b) => this.ratio(f.ln(a), f.ln(b))));
    }
    if (exactOnly.has(name)) {
      const value = evaluateExactly(whole, this.budget);
      return value === null ? this.selection(name, args) : f.fromRational(value);
    }
    return this.then(first, (a) => this.elementary(name, a));
  }

  /** `\log` without a base: the natural logarithm here and everywhere, so that both sides agree. */
  private logarithm(a: T, base: Rational | null): T | null {
    const { f } = this;
    return base === null ? f.ln(a) : this.ratio(f.ln(a), f.ln(f.fromRational(base)));
  }

  private ratio(a: T | null, b: T | null): T | null {
    return a === null || b === null ? null : this.f.divide(a, b);
  }

  /** max, min, floor and ceil of numbers that are not rational. */
  private selection(name: string, exprs: readonly Expr[]): T | null {
    const { f } = this;
    const values = exprs.map((expr) => this.run(expr));
    if (values.some((value) => value === null || !f.isReal(value))) return null;
    const reals = values as T[];
    const [first] = reals;
    if (first === undefined) return null;
    if (name === 'max' || name === 'min') {
      const wanted = name === 'max' ? 1 : -1;
      return reals.reduce((a, b) => (f.sign(f.add(b, f.negate(a))) === wanted ? b : a));
    }
    if (name === 'floor' || name === 'ceil') {
      const value = f.toDouble(first);
      if (!Number.isFinite(value) || Math.abs(value) > 2 ** 50 || Math.abs(value - Math.round(value)) < 1e-9)
        return null;
      return f.fromRational(rational(BigInt(name === 'floor' ? Math.floor(value) : Math.ceil(value))));
    }
    return null;
  }

  private elementary(name: string, a: T): T | null {
    const { f, one, two } = this;
    const half = (value: T | null): T | null => (value === null ? null : f.divide(value, two));
    const invert = (value: T | null): T | null => (value === null ? null : f.divide(one, value));
    const exponentials = (sign: 1 | -1): T | null => {
      const up = f.exp(a);
      const down = f.exp(f.negate(a));
      return up === null || down === null ? null : half(f.add(up, sign === 1 ? down : f.negate(down)));
    };
    switch (aliases[name] ?? name) {
      case 'sin':
        return f.sin(a);
      case 'cos':
        return f.cos(a);
      case 'tan':
        return this.ratio(f.sin(a), f.cos(a));
      case 'cot':
        return this.ratio(f.cos(a), f.sin(a));
      case 'sec':
        return invert(f.cos(a));
      case 'csc':
        return invert(f.sin(a));
      case 'sinh':
        return exponentials(-1);
      case 'cosh':
        return exponentials(1);
      case 'tanh':
        return this.ratio(exponentials(-1), exponentials(1));
      case 'coth':
        return this.ratio(exponentials(1), exponentials(-1));
      case 'sech':
        return invert(exponentials(1));
      case 'csch':
        return invert(exponentials(-1));
      case 'exp':
        return f.exp(a);
      case 'ln':
        return f.ln(a);
      case 'abs':
      case 'norm':
        return f.abs(a);
      case 'arcsin':
        return this.arcsine(a);
      case 'arccos': {
        const arcsine = this.arcsine(a);
        const quarter = half(f.pi());
        return arcsine === null || quarter === null ? null : f.add(quarter, f.negate(arcsine));
      }
      case 'arctan':
        return this.arctangent(a);
      case 'arccot': {
        const inverse = f.divide(one, a);
        return inverse === null ? half(f.pi()) : this.arctangent(inverse);
      }
      case 'arcsec':
      case 'arccsc': {
        const inverse = f.divide(one, a);
        return inverse === null ? null : this.elementary(name === 'arcsec' ? 'arccos' : 'arcsin', inverse);
      }
      case 'arcsinh': {
        const root = f.sqrt(f.add(f.multiply(a, a), one));
        return root === null ? null : f.ln(f.add(a, root));
      }
      case 'arccosh': {
        const root = f.sqrt(f.add(f.multiply(a, a), f.negate(one)));
        return root === null ? null : f.ln(f.add(a, root));
      }
      case 'arctanh': {
        const log = this.ratio(f.add(one, a), f.add(one, f.negate(a)));
        return half(log === null ? null : f.ln(log));
      }
      default:
        return null;
    }
  }

  /** arcsin z = -i ln(iz + sqrt(1 - z^2)); real for real z in [-1, 1]. */
  private arcsine(a: T): T | null {
    const { f } = this;
    const root = f.sqrt(f.add(this.one, f.negate(f.multiply(a, a))));
    if (root === null) return null;
    const log = f.ln(f.add(f.multiply(f.i, a), root));
    const value = log === null ? null : f.negate(f.multiply(f.i, log));
    return this.realWhere(value, f.isReal(a) && f.isReal(root));
  }

  /** arctan z = (i/2) (ln(1 - iz) - ln(1 + iz)); real for real z. */
  private arctangent(a: T): T | null {
    const { f } = this;
    const iz = f.multiply(f.i, a);
    const below = f.ln(f.add(this.one, f.negate(iz)));
    const above = f.ln(f.add(this.one, iz));
    if (below === null || above === null) return null;
    const value = f.divide(f.multiply(f.i, f.add(below, f.negate(above))), this.two);
    return this.realWhere(value, f.isReal(a));
  }

  /** Drops an imaginary part that is zero by theory. */
  private realWhere(value: T | null, real: boolean): T | null {
    return value === null || !real ? value : this.f.realPart(value);
  }

  private bigop(e: Expr & { k: 'bigop' }): T | null {
    const from = evaluateExactly(e.from, this.budget);
    const to = evaluateExactly(e.to, this.budget);
    if (from?.d !== 1n || to?.d !== 1n || to.n - from.n > 200n) return null;
    let value: T | null = this.f.fromRational(rational(e.op === 'sum' ? 0n : 1n));
    for (let i = from.n; i <= to.n && value !== null; i++) {
      const term = this.run(
        substitute(e.body, e.variable, { k: 'num', value: rational(i), decimals: null }, this.budget),
      );
      value = term === null ? null : e.op === 'sum' ? this.f.add(value, term) : this.f.multiply(value, term);
    }
    return value;
  }
}

const exactOnly: ReadonlySet<string> = new Set([
  'factorial',
  'binomial',
  'gcd',
  'lcm',
  'mod',
  'floor',
  'ceil',
  'max',
  'min',
]);

const aliases: Readonly<Record<string, string>> = {
  asin: 'arcsin',
  acos: 'arccos',
  atan: 'arctan',
  arsinh: 'arcsinh',
  arcosh: 'arccosh',
  artanh: 'arctanh',
  asinh: 'arcsinh',
  acosh: 'arccosh',
  atanh: 'arctanh',
  tg: 'tan',
  ctg: 'cot',
  arctg: 'arctan',
  cosec: 'csc',
};
