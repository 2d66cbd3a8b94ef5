import { normaliseText } from '../answers/text.js';
import { isScalar, keyOf, mapTree, negative, some, type Expr } from '../expression/ast.js';
import { sameMeasured } from './measure.js';
import { isRegionLike, sameRegion, toRegion } from './region.js';
import { isQuantity, sameRelation, valueOf } from './relation.js';
import { sameScalar, type Context } from './scalar.js';

/** Most items of a list compared pairwise. */
const maximumItems = 100;

/** Whether two parsed answers are equal under the settings. Throws BudgetExceeded where the budget runs out. */
export function sameExpression(gold: Expr, answer: Expr, context: Context): boolean {
  context.budget.spend();
  if (keyOf(gold) === keyOf(answer)) return true;
  const g = expandSigns(gold);
  const a = expandSigns(answer);
  return compare(g, a, context);
}

function compare(gold: Expr, answer: Expr, context: Context): boolean {
  context.budget.spend();
  const recurse = (x: Expr, y: Expr): boolean => compare(x, y, context);
  if (isScalar(gold) && isScalar(answer)) return sameMeasured(gold, answer, context);
  if (gold.k === 'text' || answer.k === 'text') return spelled(gold) === spelled(answer);
  if (isRegionLike(gold) || isRegionLike(answer)) {
    if (sameAsRegions(gold, answer, context)) return true;
  }
  if (gold.k === 'relation' || answer.k === 'relation') return compareRelations(gold, answer, context);
  if (gold.k === 'ratio' || answer.k === 'ratio') return compareRatios(gold, answer, context);
  if (gold.k === 'matrix' || answer.k === 'matrix') return compareMatrices(gold, answer, recurse);
  if (gold.k === 'setop' && answer.k === 'setop') {
    return gold.op === answer.op && sameItems(gold.args, answer.args, gold.op !== 'difference', recurse);
  }
  return compareCollections(gold, answer, context, recurse);
}

function spelled(e: Expr): string {
  return normaliseText(e.k === 'text' ? e.text : keyOf(e));
}

function sameAsRegions(gold: Expr, answer: Expr, context: Context): boolean {
  const { intervals } = context.settings;
  if (intervals === 'as-written' && (gold.k === 'relation') !== (answer.k === 'relation')) return false;
  if (intervals === 'gold-inequality' && answer.k === 'relation' && answer.ops[0] !== 'in' && gold.k !== 'relation')
    return false;
  const a = toRegion(gold, context);
  const b = a === null ? null : toRegion(answer, context);
  return a !== null && b !== null && sameRegion(a, b, context);
}

function compareRelations(gold: Expr, answer: Expr, context: Context): boolean {
  const recurse = (x: Expr, y: Expr): boolean => compare(x, y, context);
  if (gold.k === 'relation' && answer.k === 'relation') {
    if (sameRelation(gold, answer, context, recurse)) return true;
    // `x \in S` against `D = S`, `f(x) = 2x` against `y = 2x`: the same value under different names of functions only.
    const [g, a] = [valueOf(gold), valueOf(answer)];
    const functions = isFunctionName(gold.parts[0]) && isFunctionName(answer.parts[0]);
    const memberships = gold.ops[0] === 'in' && answer.ops[0] === 'in';
    return g !== null && a !== null && (functions || memberships) && recurse(g, a);
  }
  const side = gold.k === 'relation' ? gold : answer;
  if (side.k !== 'relation') return false;
  const value = valueOf(side);
  if (value === null) return false;
  if (
    side === answer &&
    context.settings.assignments === 'gold-only' &&
    side.ops.length === 1 &&
    side.ops[0] !== '~' &&
    !isQuantity(side.parts[0] ?? side)
  ) {
    return false;
  }
  return side === gold ? recurse(value, answer) : recurse(gold, value);
}

/** `y` or `f(x)`: what a function is called. */
function isFunctionName(e: Expr | undefined): boolean {
  return e !== undefined && (e.k === 'opaque' || (e.k === 'sym' && e.name === 'y'));
}

/** `7:32` is a proportion, and equals the quotient. */
function compareRatios(gold: Expr, answer: Expr, context: Context): boolean {
  const parts = (e: Expr): readonly Expr[] => (e.k === 'ratio' ? e.args : e.k === 'div' ? [e.left, e.right] : [e]);
  const [g, a] = [parts(gold), parts(answer)];
  if (![...g, ...a].every(isScalar)) return false;
  if (g.length !== a.length) {
    const quotient = (args: readonly Expr[]): Expr | null =>
      args.length === 2 && args[0] !== undefined && args[1] !== undefined
        ? { k: 'div', left: args[0], right: args[1] }
        : null;
    const [x, y] = [g.length === 1 ? g[0] : quotient(g), a.length === 1 ? a[0] : quotient(a)];
    return x != null && y != null && sameScalar(x, y, context);
  }
  const [g0, a0] = [g[0], a[0]];
  if (g0 === undefined || a0 === undefined) return false;
  return g.every((part, i) => {
    const other = a[i];
    if (other === undefined) return false;
    return sameScalar({ k: 'mul', args: [part, a0] }, { k: 'mul', args: [other, g0] }, context);
  });
}

/** Entry by entry; a column or row is also the tuple of its entries. */
function compareMatrices(gold: Expr, answer: Expr, same: (a: Expr, b: Expr) => boolean): boolean {
  if (gold.k === 'matrix' && answer.k === 'matrix') {
    return (
      gold.rows.length === answer.rows.length &&
      gold.rows.every((row, i) => sameItems(row, answer.rows[i] ?? [], false, same))
    );
  }
  const vector = (e: Expr): readonly Expr[] | null => {
    if (e.k === 'seq' && e.open !== '') return e.items;
    if (e.k !== 'matrix' || (e.rows.length !== 1 && e.rows.some((row) => row.length !== 1))) return null;
    return e.rows.flat();
  };
  const [g, a] = [vector(gold), vector(answer)];
  return g !== null && a !== null && sameItems(g, a, false, same);
}

/** Tuples in order, sets and bare lists in any (bare lists in order where the settings say so). */
function compareCollections(gold: Expr, answer: Expr, context: Context, same: (a: Expr, b: Expr) => boolean): boolean {
  const g = collection(gold);
  const a = collection(answer);
  if (g === null || a === null) return false;
  if (g.kind === 'tuple' && a.kind === 'tuple') {
    const pair = g.items.length === 2 && a.items.length === 2;
    if (pair && gold.k === 'seq' && answer.k === 'seq' && (gold.open !== answer.open || gold.close !== answer.close))
      return false;
    return sameItems(g.items, a.items, false, same);
  }
  const kinds = `${g.kind} ${a.kind}`;
  if (kinds === 'tuple list' || kinds === 'list tuple')
    return sameItems(g.items.map(dropName), a.items.map(dropName), false, same);
  if (kinds === 'tuple set' || kinds === 'set tuple')
    return context.settings.tuples === 'as-sets' && sameItems(g.items, a.items, true, same);
  const ordered = context.settings.listOrder === 'same' && g.kind === 'list' && a.kind === 'list';
  const named = g.items.some((item) => item.k === 'relation') !== a.items.some((item) => item.k === 'relation');
  const drop = (items: readonly Expr[]): readonly Expr[] => (named ? items.map(dropName) : items);
  return sameItems(drop(g.items), drop(a.items), !ordered, same);
}

function dropName(e: Expr): Expr {
  return e.k === 'relation' ? (valueOf(e) ?? e) : e;
}

interface Collection {
  readonly kind: 'tuple' | 'set' | 'list' | 'single';
  readonly items: readonly Expr[];
}

function collection(e: Expr): Collection | null {
  if (e.k === 'seq')
    return e.open === '' ? { kind: 'list', items: flatten(e.items) } : { kind: 'tuple', items: e.items };
  if (e.k === 'set') return { kind: 'set', items: flatten(e.items) };
  return isScalar(e) ? { kind: 'single', items: [e] } : null;
}

function flatten(items: readonly Expr[]): readonly Expr[] {
  return items.flatMap((item) => (item.k === 'seq' && item.open === '' ? flatten(item.items) : [item]));
}

/** Item by item in order; or, as sets, every item of either side having an equal on the other. */
function sameItems(
  gold: readonly Expr[],
  answer: readonly Expr[],
  anyOrder: boolean,
  same: (a: Expr, b: Expr) => boolean,
): boolean {
  if (gold.length > maximumItems || answer.length > maximumItems) {
    const keys = (items: readonly Expr[]): string[] => items.map(keyOf);
    const [x, y] = [keys(gold), keys(answer)];
    if (anyOrder) return [...new Set(x)].sort().join() === [...new Set(y)].sort().join();
    return x.join() === y.join();
  }
  if (!anyOrder) {
    return (
      gold.length === answer.length &&
      gold.every((item, i) => {
        const other = answer[i];
        return other !== undefined && same(item, other);
      })
    );
  }
  const matched = new Set<number>();
  for (const item of gold) {
    const partners = answer.flatMap((other, i) => (same(item, other) ? [i] : []));
    if (partners.length === 0) return false;
    for (const i of partners) matched.add(i);
  }
  return matched.size === answer.length;
}

/** `a ± b` as the list `a + b, a - b`; `∓` takes the other sign. Inside lists the two values join the list. */
function expandSigns(e: Expr): Expr {
  if (!some(e, ({ k }) => k === 'pm')) return e;
  if (e.k === 'seq' && e.open === '') return { ...e, items: flatten(e.items.map(expandSigns)) };
  if (e.k === 'set') return { ...e, items: flatten(e.items.map(expandSigns)) };
  const choose = (sign: 1 | -1): Expr =>
    mapTree(e, (node) => (node.k === 'pm' ? (node.sign === sign ? node.arg : negative(node.arg)) : node));
  if (
    e.k === 'relation' &&
    e.parts.length === 2 &&
    e.parts[0] !== undefined &&
    e.parts[1] !== undefined &&
    e.ops[0] === '='
  ) {
    const right = expandSigns(e.parts[1]);
    if (right.k === 'seq' && isQuantity(e.parts[0])) {
      const left = e.parts[0];
      return { ...right, items: right.items.map((item) => ({ k: 'relation', parts: [left, item], ops: ['='] })) };
    }
  }
  return { k: 'seq', open: '', close: '', items: [choose(1), choose(-1)] };
}
