import { mapTree, negative, some, type Expr, type RelationOp } from '../expression/ast.js';
import { sameScalar, type Context } from './scalar.js';

type Relation = Expr & { k: 'relation' };

/** A name for something: a symbol, f(x), `\overline{AB}`, a ratio or product of such (`\frac{NO}{BO}`), a tuple of symbols. */
export function isQuantity(e: Expr): boolean {
  switch (e.k) {
    case 'sym':
    case 'opaque':
    case 'text':
      return true;
    case 'const':
      return e.name === 'e' || e.name === 'i';
    case 'div':
      return isQuantity(e.left) && isQuantity(e.right);
    case 'mul':
    case 'ratio':
      return e.args.every(isQuantity);
    case 'unit':
      return isQuantity(e.arg);
    case 'fn':
      return (
        (e.name === 'abs' || e.name === 'norm' || e.name === 'det' || e.name === 'arg') && e.args.every(isQuantity)
      );
    case 'seq':
      return e.items.length > 1 && e.items.every((item) => item.k === 'sym');
    default:
      return false;
  }
}

/**
 * What a relation comes down to as a value: the right side of an assignment (`x = 5`, `f(x) = 2x`, `5 = x`), the last
 * part of a chain, the part before `\approx`, the set of a membership. Null where it is a statement of its own.
 */
export function valueOf(e: Relation): Expr | null {
  const { parts, ops } = trimApproximation(e);
  const [first, second] = parts;
  if (parts.length === 1) return first ?? null;
  if (first === undefined || second === undefined) return null;
  if (parts.length === 2 && ops[0] === 'in') return isQuantity(first) ? second : null;
  if (ops.some((op) => op !== '=')) return null;
  const last = parts.at(-1) ?? second;
  if (isQuantity(first) && !mentions(last, first)) return last;
  // A chain of equal values: `5 + 6 = 11`, `a + b = 7 = 11`: its end.
  if (parts.length > 2) return last;
  if (isQuantity(second) && !isQuantity(first) && !mentions(first, second)) return first;
  return !hasName(first) && !hasName(second) ? second : null;
}

const hasName = (e: Expr): boolean => some(e, ({ k }) => k === 'sym' || k === 'opaque');

function mentions(e: Expr, quantity: Expr): boolean {
  return quantity.k === 'sym' && some(e, (node) => node.k === 'sym' && node.name === quantity.name);
}

/** `a = b \approx 0.33`: without the approximation, unless nothing else is left (`x \approx 11`). */
function trimApproximation(e: Relation): { parts: readonly Expr[]; ops: readonly RelationOp[] } {
  const at = e.ops.indexOf('~');
  if (at < 0) return e;
  const before = e.parts.slice(0, at + 1);
  const useful = before.at(-1);
  if (useful !== undefined && !isQuantity(useful)) return { parts: before, ops: e.ops.slice(0, at) };
  return { parts: e.parts, ops: e.ops.map((op) => (op === '~' ? '=' : op)) };
}

const reversed: Readonly<Partial<Record<RelationOp, RelationOp>>> = { '<': '>', '>': '<', '<=': '>=', '>=': '<=' };

/**
 * Whether two statements say the same: part by part in either direction, or as `left - right` being proportional
 * (`2x = 4` and `x = 2`; `-x >= -1` and `x <= 1`).
 */
export function sameRelation(
  gold: Relation,
  answer: Relation,
  context: Context,
  same: (a: Expr, b: Expr) => boolean,
): boolean {
  const g = shorten(gold);
  const a = shorten(answer);
  if (g.parts.length === a.parts.length) {
    const forward = g.ops.every((op, i) => op === a.ops[i]);
    if (forward && g.parts.every((part, i) => matches(part, a.parts[i], same))) return true;
    const ops = [...a.ops].reverse().map((op) => reversed[op] ?? op);
    const parts = [...a.parts].reverse();
    if (g.ops.every((op, i) => op === ops[i]) && g.parts.every((part, i) => matches(part, parts[i], same))) return true;
  }
  return g.parts.length === 2 && a.parts.length === 2 && proportional(g, a, context);
}

function matches(a: Expr, b: Expr | undefined, same: (a: Expr, b: Expr) => boolean): boolean {
  return b !== undefined && same(a, b);
}

/** A chain of equalities as its first and last part. */
function shorten(e: Relation): Relation {
  const { parts, ops } = trimApproximation(e);
  const [first, last] = [parts[0], parts.at(-1)];
  if (parts.length <= 2 || ops.some((op) => op !== '=') || first === undefined || last === undefined)
    return { ...e, parts, ops };
  return { k: 'relation', parts: [first, last], ops: ['='] };
}

const comparable: ReadonlySet<Expr['k']> = new Set([
  'num',
  'sym',
  'const',
  'add',
  'mul',
  'div',
  'pow',
  'neg',
  'fn',
  'opaque',
  'bigop',
  'unit',
  'percent',
]);

function proportional(g: Relation, a: Relation, context: Context): boolean {
  const [op, other] = [g.ops[0], a.ops[0]];
  if (op === undefined || other === undefined || ![...g.parts, ...a.parts].every(({ k }) => comparable.has(k)))
    return false;
  const p = difference(g.parts);
  const q = difference(a.parts);
  if (!hasName(p) || !hasName(q)) return false;
  const zero: Expr = { k: 'num', value: { n: 0n, d: 1n }, decimals: null };
  const quotient: Expr = { k: 'div', left: p, right: q };
  // p/q is constant where it equals its own value at another point: p(x) q(y) = p(y) q(x), y a fresh set of names.
  const there = (e: Expr): Expr => renamed(e);
  const constant = sameScalar({ k: 'mul', args: [p, there(q)] }, { k: 'mul', args: [there(p), q] }, context);
  if (!constant || sameScalar(p, zero, context) || sameScalar(q, zero, context)) return false;
  if (op === other && (op === '=' || op === '!=')) return true;
  const positive = sameScalar({ k: 'fn', name: 'abs', args: [quotient] }, quotient, context);
  return positive ? op === other : reversed[op] === other;
}

function difference([left, right]: readonly Expr[]): Expr {
  if (left === undefined || right === undefined) throw new TypeError('a relation has two sides');
  return { k: 'add', args: [left, negative(right)] };
}

function renamed(e: Expr): Expr {
  return mapTree(e, (node) => {
    if (node.k === 'sym') return { ...node, name: `${node.name}\u2032` };
    return node.k === 'opaque' ? { ...node, key: `${node.key}\u2032` } : node;
  });
}
