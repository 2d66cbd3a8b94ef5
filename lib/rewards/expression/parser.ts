import { Budget } from '../budget.js';
import { children, NotMath, some, type Expr, type RelationOp } from './ast.js';
import { Cursor } from './cursor.js';
import { tokenise } from './lexer.js';
import { parseSum } from './scalar.js';

/**
 * Parses an answer: LaTeX or plain text, with or without delimiters. The grammar, loosest first: list (`,` `;` `and`
 * `or` `\quad`), relation chain, ratio, set operation, sum, product, power, atom. Throws NotMath where the string is not
 * mathematics, BudgetExceeded where it is longer than the budget allows.
 */
export function parseExpression(source: string, budget = new Budget(100_000), thousands = true): Expr {
  const cursor = new Cursor(tokenise(source, budget, thousands), source, budget);
  while (cursor.take('op', '\\\\')) {
    // A leading line break means nothing.
  }
  if (cursor.is('end')) throw new NotMath('empty');
  const list = parseList(cursor, (c) => c.is('end'));
  if (!cursor.is('end')) throw new NotMath(`unexpected ${cursor.peek.v}`);
  if (list.some(hasWordsInside)) throw new NotMath('words inside a formula');
  const [only] = list;
  return list.length === 1 && only !== undefined ? only : { k: 'seq', open: '', close: '', items: list };
}

const arithmetic: ReadonlySet<Expr['k']> = new Set(['add', 'mul', 'div', 'pow', 'neg', 'pm', 'fn', 'percent', 'unit']);

/** Words stand alone, or in lists, tuples and relations; not as terms or factors. */
function hasWordsInside(e: Expr): boolean {
  return some(e, (node) => arithmetic.has(node.k) && children(node).some(({ k }) => k === 'text'));
}

/** Items up to a closing token; empty items at the ends (`, 3`, `3,`) and doubled separators are dropped. */
export function parseList(c: Cursor, closed: (c: Cursor) => boolean): Expr[] {
  const items: Expr[] = [];
  while (!closed(c)) {
    if (c.take('op', ',') || c.take('op', '\\\\')) continue;
    if (c.is('end')) break;
    items.push(parseRelation(c));
    if (!closed(c) && !c.is('op', ',') && !c.is('op', '\\\\') && !c.is('end'))
      throw new NotMath(`unexpected ${c.peek.v}`);
  }
  return items;
}

const relationOps: ReadonlySet<string> = new Set([
  '=',
  '<',
  '>',
  '<=',
  '>=',
  '!=',
  '~',
  'in',
  'notin',
  'equiv',
  'subset',
  'to',
]);

/** `a`, `a = b`, `a < b <= c`, `x \in S`. */
export function parseRelation(c: Cursor): Expr {
  return c.nested(() => {
    const parts: Expr[] = [];
    const ops: RelationOp[] = [];
    // `\approx 3.14` alone: the value is what follows.
    if (c.is('op', '~') || c.is('op', '=') || c.is('op', 'to')) c.next();
    parts.push(parseSetOperation(c));
    while (c.is('op')) {
      const negated = c.is('op', 'not') ? c.next() : null;
      if (!relationOps.has(c.peek.v)) {
        if (negated !== null) throw new NotMath('not');
        break;
      }
      const op = c.next().v as RelationOp;
      // `x =` with nothing after it.
      if (c.is('end')) break;
      ops.push(negated === null ? op : negate(op));
      parts.push(parseSetOperation(c));
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { k: 'relation', parts, ops };
  });
}

function negate(op: RelationOp): RelationOp {
  return opposites[op] ?? '!=';
}

const opposites: Readonly<Partial<Record<RelationOp, RelationOp>>> = {
  '=': '!=',
  in: 'notin',
  '<': '>=',
  '>': '<=',
  '<=': '>',
  '>=': '<',
};

const setOps = { cup: 'union', cap: 'intersection', setminus: 'difference' } as const;

function parseSetOperation(c: Cursor): Expr {
  let left = parseRatio(c);
  for (;;) {
    const name = c.peek.t === 'op' ? setOps[c.peek.v as keyof typeof setOps] : undefined;
    if ((name as string | undefined) === undefined) return left;
    c.next();
    const right = parseRatio(c);
    const op = name as 'union';
    left =
      left.k === 'setop' && left.op === op && op !== ('difference' as string)
        ? { k: 'setop', op, args: [...left.args, right] }
        : { k: 'setop', op, args: [left, right] };
  }
}

function parseRatio(c: Cursor): Expr {
  const first = parseSum(c);
  if (!c.is('op', ':')) return first;
  const args = [first];
  while (c.take('op', ':')) args.push(parseSum(c));
  return { k: 'ratio', args };
}
