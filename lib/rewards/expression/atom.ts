import { lookup } from '../lookup.js';
import { NotMath, number, type Bracket, type Expr } from './ast.js';
import { parseBigOperator, parseIntegral, parseLimit } from './bigop.js';
import type { Cursor } from './cursor.js';
import { parseEnvironment } from './matrix.js';
import { parseList } from './parser.js';
import { literal, parsePower, parseSigned, parseSum } from './scalar.js';

/** The smallest complete expression: a number, symbol, function, bracket, fraction, root, matrix, … */
export function parseAtom(c: Cursor): Expr {
  const { t, v } = c.peek;
  switch (t) {
    case 'num':
      c.next();
      return literal(v);
    case 'sym':
      c.next();
      return parseSymbol(c, v);
    case 'word':
      return parseWord(c);
    case 'text':
      return parseText(c);
    case 'fn':
      c.next();
      return parseFunction(c, v);
    case 'open':
      return parseBracket(c);
    case 'close':
      if (v === ']' || v === ')') return parseReversed(c);
      break;
    case 'cmd':
      c.next();
      return parseCommand(c, v);
    case 'op':
      if (v === '|' || v === '||') return parseBars(c, v);
      break;
    default:
  }
  throw new NotMath(`unexpected ${v === '' ? 'end' : v}`);
}

const constants = lookup<Expr>({
  '\\pi': { k: 'const', name: 'pi' },
  π: { k: 'const', name: 'pi' },
  '\\infty': { k: 'const', name: 'oo' },
  '\\oo': { k: 'const', name: 'oo' },
  e: { k: 'const', name: 'e' },
  i: { k: 'const', name: 'i' },
});

/** A symbol with its primes and subscripts; `f(x)`, `g(x)`, `h(x)` are applications, known by their text alone. */
function parseSymbol(c: Cursor, first: string): Expr {
  let name = first;
  while (c.is('op', "'")) name += c.next().v;
  if (c.is('op', '_')) name += `_${parseSubscript(c)}`;
  while (c.is('op', "'")) name += c.next().v;
  if (/^[fgh](?![a-z])/.test(name) && c.is('open', '(')) {
    const start = c.place;
    parseBracket(c);
    return { k: 'opaque', key: `${name}${c.spelling(start)}` };
  }
  if (name === first) return constants.get(name) ?? { k: 'sym', name };
  return { k: 'sym', name };
}

/** The spelling of what follows `_`, without braces. */
export function parseSubscript(c: Cursor): string {
  c.expect('op', '_');
  const start = c.place;
  if (!c.is('open', '{')) {
    if (c.is('num')) return c.takeDigit();
    c.next();
    return c.spelling(start);
  }
  let depth = 0;
  do {
    if (c.is('open', '{')) depth++;
    if (c.is('close', '}')) depth--;
    if (c.is('end')) throw new NotMath('unclosed subscript');
    c.next();
  } while (depth > 0);
  return c.spelling(start).slice(1, -1);
}

/** Short English words: prose, not products of symbols. */
const commonWords: ReadonlySet<string> = new Set(
  'is so we the get got of to in it be as at by an are was for not has had his her she he its you my no yes if then than i.e on do did all any one two six ten can may our but who how why out up us me'.split(
    ' ',
  ),
);

/** Letters side by side are a product of symbols if they are few; more are a word, and words are no mathematics. */
function parseWord(c: Cursor): Expr {
  const { v, spaced } = c.next();
  if (commonWords.has(/^[A-Z][a-z]/.test(v) ? v.toLowerCase() : v) || (spaced && c.is('word')))
    throw new NotMath(`word ${v}`);
  if (v.length > 3 && !/^[A-Z]{2,5}$/.test(v)) throw new NotMath(`word ${v}`);
  if (/^[A-Z]{2,5}$/.test(v)) return parseSymbol(c, v);
  const letters = Array.from(v, (letter): Expr => constants.get(letter) ?? { k: 'sym', name: letter });
  const last = letters.at(-1);
  if (last?.k === 'sym') letters[letters.length - 1] = parseSymbol(c, last.name);
  return { k: 'mul', args: letters };
}

/** Text before an expression is a currency or a label (`\text{Area} = 5`); text alone is an answer in words. */
function parseText(c: Cursor): Expr {
  const { v } = c.next();
  if (/^(?:[$€£¥₹]|USD|EUR|Rs\.?)$/.test(v)) return { k: 'unit', arg: parsePower(c), unit: v };
  if (c.is('op', '_')) return { k: 'sym', name: `${v}_${parseSubscript(c)}` };
  if (c.is('op', '=') || c.is('op', '~')) return { k: 'sym', name: v };
  return { k: 'text', text: v };
}

/** `\sin x`, `\sin^2 x`, `\log_2 8`, `\sin^{-1} x`, `max(a, b)`. */
function parseFunction(c: Cursor, name: string): Expr {
  let power: Expr | null = null;
  let base: Expr | null = null;
  for (;;) {
    if (power === null && c.take('op', '^')) power = c.is('op', '-') ? parseSigned(c) : parseAtom(c);
    else if (base === null && c.take('op', '_')) base = parseAtom(c);
    else break;
  }
  const args = parseArguments(c);
  const inverse =
    power?.k === 'num' &&
    power.value.n === -1n &&
    power.value.d === 1n &&
    /^(?:sin|cos|tan|cot|sec|csc|sinh|cosh|tanh)$/.test(name);
  const applied: Expr = { k: 'fn', name: inverse ? `arc${name}` : name, args: base === null ? args : [...args, base] };
  return power === null || inverse ? applied : { k: 'pow', left: applied, right: power };
}

/** Arguments in brackets, or the product that follows up to the next function, sum or relation. */
function parseArguments(c: Cursor): Expr[] {
  if (c.is('open', '(') || c.is('open', '[')) {
    const bracket = parseBracket(c);
    return bracket.k === 'seq' ? [...bracket.items] : [bracket];
  }
  if (c.is('open', '{')) {
    const group = parsePower(c);
    return group.k === 'seq' ? [...group.items] : [group];
  }
  let arg = parseSigned(c);
  for (;;) {
    const { t, v } = c.peek;
    const factor =
      t === 'num' ||
      (t === 'sym' && !c.peek.spaced) ||
      (t === 'sym' && arg.k === 'num') ||
      (t === 'cmd' && /^[dtc]?frac$|^sqrt$/.test(v));
    if (factor) arg = { k: 'mul', args: [arg, parsePower(c)] };
    else if (c.take('op', '/')) arg = { k: 'div', left: arg, right: parsePower(c) };
    else return [arg];
  }
}

const closers: Readonly<Record<string, string>> = {
  '(': ')',
  '[': ']',
  '{': '}',
  '\\{': '\\}',
  '<': '>',
  floor: 'floor',
  ceil: 'ceil',
  abs: 'abs',
};

function parseBracket(c: Cursor): Expr {
  const open = c.next().v;
  const bars = c.bars;
  c.bars = open === '\\{' ? 1 : 0;
  const body = c.nested(() => readBracket(c, open));
  c.bars = bars;
  return body;
}

function readBracket(c: Cursor, open: string): Expr {
  const start = c.place;
  const conditional = (cursor: Cursor): boolean =>
    cursor.place > start && (cursor.is('op', '|') || cursor.is('op', ':'));
  const items = parseList(c, (cursor) => cursor.is('close') || (open === '\\{' && conditional(cursor)));
  if (open === '\\{' && (c.is('op', '|') || c.is('op', ':'))) return parseBuilder(c, items);
  const close = c.next();
  if (close.t !== 'close') throw new NotMath(`unclosed ${open}`);
  const [only] = items;
  const single = items.length === 1 && only !== undefined ? only : null;
  if (open === '\\{') {
    if (close.v !== '\\}') throw new NotMath('unclosed set');
    return { k: 'set', items };
  }
  const half =
    (open === '(' && close.v === ']') ||
    (open === '[' && close.v === ')') ||
    ((open === '[' || open === ']') && (close.v === '[' || close.v === ']'));
  if (close.v !== closers[open] && !(half && items.length === 2)) throw new NotMath(`${open} closed by ${close.v}`);
  if (open === 'floor' || open === 'ceil' || open === 'abs') {
    if (single === null) throw new NotMath(open);
    return { k: 'fn', name: open, args: [single] };
  }
  if (items.length === 0) throw new NotMath('empty brackets');
  if (open === '{') return single ?? { k: 'seq', open: '', close: '', items };
  if (single !== null && open !== '<')
    return single.k === 'seq' && single.open === ''
      ? { ...single, open: open as Bracket, close: close.v as Bracket }
      : single;
  return { k: 'seq', open: open as Bracket, close: close.v as Bracket, items };
}

/** `\{x : x > 0\}` stands for its condition; `\{x \in A : …\}` too. */
function parseBuilder(c: Cursor, items: readonly Expr[]): Expr {
  c.next();
  const conditions = parseList(c, (cursor) => cursor.is('close', '\\}'));
  c.expect('close', '\\}');
  const [only] = conditions;
  if (items.length !== 1 || conditions.length !== 1 || only === undefined) throw new NotMath('set builder');
  return only;
}

/** `]a, b[`, the French open interval. */
function parseReversed(c: Cursor): Expr {
  c.next();
  c.reversed = true;
  const items = parseList(c, (cursor) => cursor.is('open', '[') || cursor.is('close'));
  c.reversed = false;
  const close = c.next();
  if (items.length !== 2 || !['[', ']', '('].includes(close.v)) throw new NotMath('unexpected ]');
  return { k: 'seq', open: '(', close: close.v === '[' || close.v === '(' ? ')' : ']', items };
}

function parseBars(c: Cursor, bar: string): Expr {
  c.next();
  const bars = c.bars;
  c.bars = bars + 1;
  const body = parseSum(c);
  c.bars = bars;
  c.expect('op', bar);
  return { k: 'fn', name: bar === '|' ? 'abs' : 'norm', args: [body] };
}

/** One argument of a LaTeX command: a group, or a single token. */
export function parseArgument(c: Cursor): Expr {
  if (c.is('num')) return literal(c.takeDigit());
  if (c.is('op', '-')) return parseSigned(c);
  return parseAtom(c);
}

const named = lookup<Expr>({
  emptyset: { k: 'named', name: 'empty' },
  varnothing: { k: 'named', name: 'empty' },
  empty: { k: 'named', name: 'empty' },
  R: { k: 'named', name: 'R' },
  Reals: { k: 'named', name: 'R' },
});

function parseCommand(c: Cursor, name: string): Expr {
  if (/^[dtc]?frac$/.test(name)) {
    const left = parseArgument(c);
    return { k: 'div', left, right: parseArgument(c) };
  }
  const known = named.get(name);
  if (known !== undefined) return known;
  switch (name) {
    case 'sqrt':
      return parseRoot(c);
    case 'cbrt':
      return { k: 'fn', name: 'root', args: [parseArgument(c), number(3)] };
    case 'choose':
    case 'binom':
    case 'dbinom':
    case 'tbinom':
      return { k: 'fn', name: 'binomial', args: [parseArgument(c), parseArgument(c)] };
    case 'mathbb':
    case 'mathcal':
    case 'mathfrak':
    case 'mathscr':
      return parseBlackboard(c, name);
    case 'begin':
      return parseEnvironment(c);
    case 'sum':
    case 'prod':
      return parseBigOperator(c, name);
    case 'int':
    case 'iint':
    case 'oint':
      return parseIntegral(c, name);
    case 'lim':
      return parseLimit(c);
    case 'boxed':
    case 'fbox':
    case 'ensuremath':
    case 'underline':
    case 'displaylines':
    case 'not':
      return parseArgument(c);
    case 'overline':
    case 'bar':
    case 'hat':
    case 'vec':
    case 'overrightarrow':
    case 'widehat':
    case 'tilde':
    case 'dot':
    case 'overarc':
    case 'mathring':
      return parseDecorated(c, name);
    case 'bmod':
      throw new NotMath('bmod');
    default:
      // An unknown command alone is a symbol of its own; with an argument it is something we do not know.
      if (c.is('open', '{')) throw new NotMath(`\\${name}`);
      return { k: 'sym', name: `\\${name}` };
  }
}

function parseRoot(c: Cursor): Expr {
  let degree: Expr = number(2);
  if (c.is('open', '[')) {
    c.next();
    degree = parseSum(c);
    c.expect('close', ']');
  }
  const arg = c.is('num') ? literal(c.next().v) : parseArgument(c);
  return { k: 'fn', name: 'root', args: [arg, degree] };
}

function parseBlackboard(c: Cursor, style: string): Expr {
  const argument = parseArgument(c);
  if (argument.k !== 'sym') throw new NotMath(style);
  if (style === 'mathbb' && /^[RZNQC]$/.test(argument.name)) return { k: 'named', name: argument.name as 'R' };
  return argument;
}

/** `\overline{AB}`, `\vec{v}`: symbols with a mark; `0.\overline{3}` is handled by the caller of the number before it. */
function parseDecorated(c: Cursor, name: string): Expr {
  const start = c.place;
  parseArgument(c);
  const subscript = c.is('op', '_') ? `_${parseSubscript(c)}` : '';
  const spelling = c.spelling(start).replace(/[{}]/g, '').replace(/_.*$/, subscript);
  return { k: 'sym', name: `${name === 'overrightarrow' ? 'vec' : name}(${spelling})` };
}
