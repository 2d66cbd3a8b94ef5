import { add, fromDecimal, multiply, powerOfTen, rational, subtract } from '../answers/rational.js';
import { negative, NotMath, type Expr } from './ast.js';
import type { Cursor } from './cursor.js';
import { parseAtom, parseSubscript } from './atom.js';
import { isUnitWord, reduceUnit } from '../answers/units.js';

/** Sums: `a + b - c ± d`. */
export function parseSum(c: Cursor): Expr {
  return c.nested(() => {
    const args: Expr[] = [parseProduct(c)];
    for (;;) {
      if (c.take('op', '+')) args.push(parseProduct(c));
      else if (c.take('op', '-')) args.push(negative(parseProduct(c)));
      else if (c.take('op', 'pm')) args.push({ k: 'pm', sign: 1, arg: parseProduct(c) });
      else if (c.take('op', 'mp')) args.push({ k: 'pm', sign: -1, arg: parseProduct(c) });
      else break;
    }
    const [only] = args;
    return args.length === 1 && only !== undefined ? only : { k: 'add', args };
  });
}

/** Products and quotients, written or implied, left to right. */
function parseProduct(c: Cursor): Expr {
  let left = parseSigned(c);
  for (;;) {
    if (c.take('op', '*')) left = times(left, parseSigned(c));
    else if (c.take('op', '/')) left = { k: 'div', left, right: parseSigned(c) };
    else if (c.is('op', 'mod')) left = parseModulo(c, left);
    else if (c.take('cmd', 'choose')) left = { k: 'fn', name: 'binomial', args: [left, parseSigned(c)] };
    else if (startsFactor(c)) left = implied(c, left);
    else return left;
  }
}

function parseModulo(c: Cursor, left: Expr): Expr {
  c.next();
  return { k: 'fn', name: 'mod', args: [left, parseSigned(c)] };
}

function times(left: Expr, right: Expr): Expr {
  return left.k === 'mul' ? { k: 'mul', args: [...left.args, right] } : { k: 'mul', args: [left, right] };
}

/** Two factors side by side: a mixed number, a value with its unit, or a product. */
function implied(c: Cursor, left: Expr): Expr {
  const token = c.peek;
  if (left.k === 'num' && left.value.d === 1n && left.decimals === null && left.value.n >= 0n) {
    const place = c.place;
    if (token.t === 'num' && token.spaced && c.look(1).v === '/' && c.look(2).t === 'num') {
      const fraction = rational(integer(c.next().v), (c.next(), integer(c.next().v)));
      return { k: 'num', value: rational(left.value.n * fraction.d + fraction.n, fraction.d), decimals: null };
    }
    if (token.t === 'cmd' && /^[dtc]?frac$/.test(token.v)) {
      const fraction = parsePower(c);
      if (isProperFraction(fraction)) return { k: 'add', args: [left, fraction] };
      c.goBack(place);
    }
  }
  if (token.t === 'num' && left.k === 'unit') return compound(c, left);
  if (token.t === 'num' && left.k === 'num' && token.spaced) {
    // `1 234 567`: groups of three after white space.
    if (/^\d{3}$/.test(token.v) && left.value.d === 1n && left.decimals === null && c.look(1).v !== '/') {
      c.next();
      return { k: 'num', value: rational(left.value.n * 1000n + BigInt(token.v)), decimals: null };
    }
    throw new NotMath('two numbers side by side');
  }
  return times(left, parsePower(c));
}

/** `5 feet 6 inches`, `2 h 30 min`: one quantity in the first unit. */
function compound(c: Cursor, left: Expr & { k: 'unit' }): Expr {
  const right = parsePower(c);
  const [a, b] = [reduceUnit(left.unit), right.k === 'unit' ? reduceUnit(right.unit) : null];
  if (
    right.k !== 'unit' ||
    a === null ||
    a.dimension !== b?.dimension ||
    left.arg.k !== 'num' ||
    right.arg.k !== 'num'
  ) {
    throw new NotMath('two numbers side by side');
  }
  // 12 inches to the foot, 60 minutes to the hour: the smaller unit divides the larger.
  const parts = BigInt(Math.round(a.factor / b.factor));
  if (parts < 1n || Math.abs(a.factor / b.factor - Number(parts)) > 1e-9) throw new NotMath('units of no whole ratio');
  const value = add(left.arg.value, rational(right.arg.value.n, right.arg.value.d * parts));
  return { k: 'unit', arg: { k: 'num', value, decimals: null }, unit: left.unit };
}

function integer(text: string): bigint {
  if (!/^\d+$/.test(text) || /^0+$/.test(text)) throw new NotMath('not a mixed number');
  return BigInt(text);
}

function isProperFraction(e: Expr): boolean {
  return e.k === 'div' && e.left.k === 'num' && e.right.k === 'num' && e.left.value.d === 1n && e.right.value.d === 1n;
}

/** What may follow a factor without an operator. */
function startsFactor(c: Cursor): boolean {
  const { t, v } = c.peek;
  if (t === 'op') return v === '|' && c.bars === 0;
  if (t === 'cmd') return !/^(?:end|choose|ldots|cdots|dots|hfill|tag|label)$/.test(v);
  return (
    t === 'num' ||
    t === 'sym' ||
    t === 'fn' ||
    t === 'word' ||
    (t === 'open' && v !== '\\{' && !(v === '[' && c.reversed))
  );
}

/** Unary plus, minus and ±. */
export function parseSigned(c: Cursor): Expr {
  if (c.take('op', '+')) return c.nested(() => parseSigned(c));
  if (c.take('op', '-')) return c.nested(() => negative(parseSigned(c)));
  if (c.take('op', 'pm')) return c.nested(() => ({ k: 'pm', sign: 1, arg: parseSigned(c) }));
  if (c.take('op', 'mp')) return c.nested(() => ({ k: 'pm', sign: -1, arg: parseSigned(c) }));
  return parsePower(c);
}

/** An atom with its postfixes: powers, factorials, percent, degrees, primes, units. */
export function parsePower(c: Cursor): Expr {
  return c.nested(() => {
    let base = parseAtom(c);
    for (;;) {
      if (c.take('op', '^')) base = raise(c, base);
      else if (c.take('op', '!')) base = { k: 'fn', name: 'factorial', args: [base] };
      else if (c.take('op', '%')) base = { k: 'percent', arg: base };
      else if (c.take('op', 'deg')) base = { k: 'unit', arg: base, unit: 'deg' };
      else if (c.is('op', "'") && base.k === 'sym') base = { k: 'sym', name: `${base.name}${c.next().v}` };
      else if (c.is('op', '_') && base.k === 'num') base = { k: 'unit', arg: base, unit: `base ${parseSubscript(c)}` };
      else if (c.is('cmd', 'pmod')) base = { k: 'unit', arg: base, unit: readModulus(c) };
      else if (base.k === 'num' && c.is('cmd') && /^(?:overline|bar|dot)$/.test(c.peek.v) && repeats(c))
        base = repeating(c, base);
      else if (isUnitHere(c, base)) base = { k: 'unit', arg: base, unit: readUnit(c) };
      else return base;
    }
  });
}

function raise(c: Cursor, base: Expr): Expr {
  if (c.is('op', 'deg') || (c.is('open', '{') && c.look(1).v === 'deg' && c.look(2).v === '}')) {
    const braced = c.take('open', '{');
    c.next();
    if (braced) c.expect('close', '}');
    return { k: 'unit', arg: base, unit: 'deg' };
  }
  if (c.is('op', "'") || c.is('op', '*')) {
    const mark = c.next().v;
    if (base.k !== 'sym') throw new NotMath('a mark on no symbol');
    return { k: 'sym', name: `${base.name}${mark}` };
  }
  const exponent = c.is('op', '-') || c.is('op', '+') ? parseSigned(c) : parseExponent(c);
  return { k: 'pow', left: base, right: exponent };
}

/** The exponent of `^`: in LaTeX one token or a group, in plain text a whole number too (`x^10`). */
function parseExponent(c: Cursor): Expr {
  const exponent = parseAtom(c);
  // a^b^c is a^(b^c).
  return c.take('op', '^') ? raise(c, exponent) : exponent;
}

function repeats(c: Cursor): boolean {
  return c.look(1).t === 'num' || (c.look(1).v === '{' && c.look(2).t === 'num' && c.look(3).v === '}');
}

/** `0.1\\overline{6}`: the digits under the bar repeat for ever. */
function repeating(c: Cursor, base: Expr & { k: 'num' }): Expr {
  c.next();
  const start = c.place;
  parseAtom(c);
  const digits = c.spelling(start).replace(/[{}]/g, '');
  if (!/^\d{1,40}$/.test(digits)) throw new NotMath('repeating decimal');
  const shift = 10n ** BigInt(base.decimals ?? 0);
  const part = rational(BigInt(digits), (10n ** BigInt(digits.length) - 1n) * shift);
  return { k: 'num', value: base.value.n < 0n ? subtract(base.value, part) : add(base.value, part), decimals: null };
}

function readModulus(c: Cursor): string {
  const start = c.place;
  c.next();
  parseAtom(c);
  return c.spelling(start).replace(/[{}]/g, ' ').replace('pmod', 'mod').trim();
}

/** Whether the next token is the unit of what was just read: upright text, or a unit's name after a number. */
function isUnitHere(c: Cursor, base: Expr): boolean {
  if (base.k === 'sym' && base.name.length === 1 && c.peek.t === 'text') return false;
  if (c.peek.t === 'text') return true;
  if (!endsInNumber(base)) return false;
  const { t, v, spaced } = c.peek;
  if (t === 'word') return isUnitWord(v) || (spaced && v.length > 2);
  return t === 'sym' && spaced && isUnitWord(v) && !continuesProduct(c);
}

function endsInNumber(e: Expr): boolean {
  return e.k === 'num' || (e.k === 'div' && e.right.k === 'num') || (e.k === 'pow' && e.right.k === 'num');
}

/** A single letter is a unit only where nothing but the end, a separator or another unit part follows. */
function continuesProduct(c: Cursor): boolean {
  const after = c.look(1);
  return after.t !== 'end' && after.v !== ',' && after.v !== '/' && after.v !== '^';
}

/** The spelling of a unit: words, `/`, powers. */
function readUnit(c: Cursor): string {
  let unit = c.next().v;
  for (;;) {
    const { t, v } = c.peek;
    if (t === 'text' || t === 'word' || (t === 'sym' && isUnitWord(v))) unit += ` ${c.next().v}`;
    else if (v === '/' && (c.look(1).t === 'text' || isUnitWord(c.look(1).v))) unit += `/${(c.next(), c.next().v)}`;
    else if (v === '*' && (c.look(1).t === 'text' || isUnitWord(c.look(1).v))) unit += ` ${(c.next(), c.next().v)}`;
    else if (v === '^' && /^[-{\d]/.test(c.look(1).v)) {
      c.next();
      const start = c.place;
      parseSigned(c);
      unit += `^${c.spelling(start).replace(/[{}]/g, '')}`;
    } else return unit;
  }
}

/** A number token as an expression. */
export function literal(text: string): Expr {
  if (text.length > 4000) throw new NotMath('number too long');
  const [mantissa = '', exponent] = text.toLowerCase().split('e');
  const point = mantissa.indexOf('.');
  const decimals = point < 0 || point === mantissa.length - 1 ? null : mantissa.length - point - 1;
  const value = fromDecimal(mantissa);
  if (exponent === undefined) return { k: 'num', value, decimals };
  const shift = Number(exponent);
  return {
    k: 'num',
    value: multiply(value, powerOfTen(shift)),
    decimals: decimals === null ? null : Math.max(0, decimals - shift),
  };
}
