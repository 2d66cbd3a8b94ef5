import { isScalar, some, type Expr, type RelationOp } from '../expression/ast.js';
import { constantValue, sameScalar, type Context } from './scalar.js';

/** An interval of the real line; a point where both ends are one number. */
interface Span {
  readonly low: Expr;
  readonly high: Expr;
  readonly from: number;
  readonly to: number;
  readonly closedLow: boolean;
  readonly closedHigh: boolean;
}

const infinity: Expr = { k: 'const', name: 'oo' };
const minusInfinity: Expr = { k: 'neg', arg: infinity };

/**
 * The subset of the real line an expression means: intervals, unions, finite sets, `\mathbb{R} \setminus \{2\}`,
 * inequalities in one variable, `x \ne 2`. Null where it means none, or its ends are not constants.
 */
export function toRegion(e: Expr, context: Context): readonly Span[] | null {
  switch (e.k) {
    case 'seq':
      if (e.open === '') return union(e.items, context);
      return e.items.length === 2 ? interval(e, context) : null;
    case 'set':
      return points(e.items, context);
    case 'setop':
      return operation(e, context);
    case 'named':
      return e.name === 'R' ? line() : e.name === 'empty' ? [] : null;
    case 'relation':
      return fromRelation(e.parts, e.ops, context);
    default:
      return null;
  }
}

/** Whether an expression speaks of sets of numbers at all: what a bare pair of numbers alone does not. */
export function isRegionLike(e: Expr): boolean {
  if (e.k === 'setop' || e.k === 'named') return true;
  if (e.k === 'relation') return e.ops.some((op) => op !== '=' && op !== '~' && op !== 'equiv');
  if (e.k === 'seq' && e.open === '') return e.items.length > 0 && e.items.every(isRegionLike);
  return e.k === 'seq' && e.items.length === 2 && (e.open === '(') !== (e.close === ')');
}

function line(): Span[] {
  return [{ low: minusInfinity, high: infinity, from: -Infinity, to: Infinity, closedLow: false, closedHigh: false }];
}

function span(low: Expr, high: Expr, closedLow: boolean, closedHigh: boolean, context: Context): Span | null {
  const from = constantValue(low, context.budget);
  const to = constantValue(high, context.budget);
  if (from === null || to === null || Number.isNaN(from) || Number.isNaN(to)) return null;
  return { low, high, from, to, closedLow: closedLow && from !== -Infinity, closedHigh: closedHigh && to !== Infinity };
}

function interval(e: Expr & { k: 'seq' }, context: Context): Span[] | null {
  const [low, high] = e.items;
  if (low === undefined || high === undefined || !isScalar(low) || !isScalar(high)) return null;
  const one = span(low, high, e.open === '[', e.close === ']', context);
  return one === null || one.from > one.to ? null : [one];
}

function points(items: readonly Expr[], context: Context): Span[] | null {
  const all = items.map((item) => (isScalar(item) ? span(item, item, true, true, context) : null));
  return all.every((one) => one !== null) ? sorted(all, context) : null;
}

function union(items: readonly Expr[], context: Context): readonly Span[] | null {
  const regions = items.map((item) => (isScalar(item) ? points([item], context) : toRegion(item, context)));
  return regions.every((region) => region !== null) ? sorted(regions.flat(), context) : null;
}

function operation(e: Expr & { k: 'setop' }, context: Context): readonly Span[] | null {
  if (e.op === 'union') return union(e.args, context);
  const [left, right] = e.args;
  if (left === undefined || right === undefined) return null;
  const a = toRegion(left, context);
  const b = toRegion(right, context);
  if (a === null || b === null) return null;
  if (e.op === 'intersection') return e.args.length === 2 ? intersect(a, b) : null;
  const complement = complementOf(b);
  return intersect(a, complement);
}

function complementOf(region: readonly Span[]): Span[] {
  const gaps: Span[] = [];
  let low: Expr = minusInfinity;
  let from = -Infinity;
  let closed = false;
  for (const one of region) {
    if (from < one.from || (from === one.from && closed && !one.closedLow)) {
      gaps.push({
        low,
        high: one.low,
        from,
        to: one.from,
        closedLow: closed,
        closedHigh: !one.closedLow && one.from !== -Infinity,
      });
    }
    ({ high: low, to: from } = one);
    closed = !one.closedHigh;
  }
  if (from < Infinity) gaps.push({ low, high: infinity, from, to: Infinity, closedLow: closed, closedHigh: false });
  return gaps;
}

function intersect(a: readonly Span[], b: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const x of a) {
    for (const y of b) {
      const lower = x.from > y.from || (x.from === y.from && !x.closedLow) ? x : y;
      const upper = x.to < y.to || (x.to === y.to && !x.closedHigh) ? x : y;
      const { low, from, closedLow } = lower;
      const { high, to, closedHigh } = upper;
      if (from < to || (from === to && closedLow && closedHigh))
        result.push({ low, high, from, to, closedLow, closedHigh });
    }
  }
  return result;
}

/** In order, touching and overlapping spans joined. */
function sorted(spans: readonly Span[], context: Context): Span[] {
  const result: Span[] = [];
  for (const one of [...spans].sort((x, y) => x.from - y.from || Number(y.closedLow) - Number(x.closedLow))) {
    context.budget.spend();
    const last = result.at(-1);
    if (last !== undefined && (one.from < last.to || (one.from === last.to && (one.closedLow || last.closedHigh)))) {
      const further = one.to > last.to || (one.to === last.to && one.closedHigh);
      if (further) result[result.length - 1] = { ...last, high: one.high, to: one.to, closedHigh: one.closedHigh };
    } else result.push(one);
  }
  return result;
}

const isVariable = (e: Expr): boolean => e.k === 'sym' || e.k === 'opaque';

/** `a < x <= b`, `x > a`, `x \ne a`, `x \in S`. */
function fromRelation(parts: readonly Expr[], ops: readonly RelationOp[], context: Context): readonly Span[] | null {
  const [first, second, third] = parts;
  const [op, op2] = ops;
  if (first === undefined || second === undefined || op === undefined) return null;
  if (parts.length === 2) {
    if (op === 'in' && isVariable(first)) return toRegion(second, context);
    if (op === '=' && isVariable(first) && isScalar(second)) return points([second], context);
    if (isVariable(first)) return ray(op, second, context);
    return isVariable(second) ? ray(flip(op), first, context) : null;
  }
  if (parts.length !== 3 || third === undefined || op2 === undefined || !isVariable(second)) return null;
  const left = ray(flip(op), first, context);
  const right = ray(op2, third, context);
  return left === null || right === null ? null : intersect(left, right);
}

function flip(op: RelationOp): RelationOp {
  return ({ '<': '>', '>': '<', '<=': '>=', '>=': '<=' } as Partial<Record<RelationOp, RelationOp>>)[op] ?? op;
}

/** `x op bound` as a part of the line. */
function ray(op: RelationOp, bound: Expr, context: Context): readonly Span[] | null {
  if (!isScalar(bound) || some(bound, isVariable)) return null;
  if (op === '!=') {
    const point = points([bound], context);
    return point === null ? null : complementOf(point);
  }
  const up = op === '>' || op === '>=';
  if (!up && op !== '<' && op !== '<=') return null;
  const closed = op.length === 2;
  const one = up ? span(bound, infinity, closed, false, context) : span(minusInfinity, bound, false, closed, context);
  return one === null ? null : [one];
}

/** Equal ends, equally closed, span by span. */
export function sameRegion(a: readonly Span[], b: readonly Span[], context: Context): boolean {
  if (a.length !== b.length) return false;
  return a.every((x, i) => {
    const y = b[i];
    if (x.closedLow !== y?.closedLow || x.closedHigh !== y.closedHigh) return false;
    return sameEnd(x.low, y.low, x.from, y.from, context) && sameEnd(x.high, y.high, x.to, y.to, context);
  });
}

function sameEnd(a: Expr, b: Expr, x: number, y: number, context: Context): boolean {
  return Number.isFinite(x) && Number.isFinite(y) ? sameScalar(a, b, context) : x === y;
}
