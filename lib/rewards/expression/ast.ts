import type { Rational } from '../answers/rational.js';
import { rational } from '../answers/rational.js';

/** Brackets of a sequence as written; `''` is a bare, comma-separated list. */
export type Bracket = '(' | ')' | '[' | ']' | '<' | '>' | '';

/**
 * What an answer string means. Scalars first, then structures of scalars. Percent signs, units and tolerances stay in
 * the tree: what they mean is a setting of the comparison, not of the parser.
 */
export type Expr =
  | { readonly k: 'num'; readonly value: Rational; readonly decimals: number | null }
  | { readonly k: 'sym'; readonly name: string }
  | { readonly k: 'const'; readonly name: 'pi' | 'e' | 'i' | 'oo' }
  | { readonly k: 'add' | 'mul'; readonly args: readonly Expr[] }
  | { readonly k: 'div' | 'pow'; readonly left: Expr; readonly right: Expr }
  | { readonly k: 'neg'; readonly arg: Expr }
  /** `± arg` (sign 1) or `∓ arg` (sign -1): one expression that stands for two. */
  | { readonly k: 'pm'; readonly sign: 1 | -1; readonly arg: Expr }
  | { readonly k: 'fn'; readonly name: string; readonly args: readonly Expr[] }
  | {
      readonly k: 'bigop';
      readonly op: 'sum' | 'prod';
      readonly variable: string;
      readonly from: Expr;
      readonly to: Expr;
      readonly body: Expr;
    }
  /** Something only comparable as a whole: integrals, limits, f(x). `key` is its canonical text. */
  | { readonly k: 'opaque'; readonly key: string }
  | { readonly k: 'percent'; readonly arg: Expr }
  | { readonly k: 'unit'; readonly arg: Expr; readonly unit: string }
  | { readonly k: 'seq'; readonly open: Bracket; readonly close: Bracket; readonly items: readonly Expr[] }
  | { readonly k: 'set'; readonly items: readonly Expr[] }
  | { readonly k: 'setop'; readonly op: 'union' | 'intersection' | 'difference'; readonly args: readonly Expr[] }
  | { readonly k: 'relation'; readonly parts: readonly Expr[]; readonly ops: readonly RelationOp[] }
  | { readonly k: 'matrix'; readonly rows: readonly (readonly Expr[])[] }
  | { readonly k: 'ratio'; readonly args: readonly Expr[] }
  | { readonly k: 'named'; readonly name: 'R' | 'Z' | 'N' | 'Q' | 'C' | 'empty' }
  | { readonly k: 'text'; readonly text: string };

export type RelationOp = '=' | '<' | '>' | '<=' | '>=' | '!=' | '~' | 'in' | 'notin' | 'equiv' | 'subset' | 'to';

/** Thrown by the parser where a string is no mathematics it knows; callers compare such strings as text. */
export class NotMath extends Error {
  override readonly name = 'NotMath';
}

export const number = (value: bigint | number): Expr => ({ k: 'num', value: rational(BigInt(value)), decimals: null });
export const negative = (arg: Expr): Expr =>
  arg.k === 'num' ? { ...arg, value: { n: -arg.value.n, d: arg.value.d } } : { k: 'neg', arg };

/** All direct children. */
export function children(e: Expr): readonly Expr[] {
  switch (e.k) {
    case 'add':
    case 'mul':
    case 'fn':
    case 'setop':
    case 'ratio':
      return e.args;
    case 'div':
    case 'pow':
      return [e.left, e.right];
    case 'neg':
    case 'pm':
    case 'percent':
    case 'unit':
      return [e.arg];
    case 'bigop':
      return [e.from, e.to, e.body];
    case 'seq':
    case 'set':
      return e.items;
    case 'relation':
      return e.parts;
    case 'matrix':
      return e.rows.flat();
    default:
      return [];
  }
}

/** Whether any node of the tree satisfies the test. */
export function some(e: Expr, test: (node: Expr) => boolean): boolean {
  return test(e) || children(e).some((child) => some(child, test));
}

/** A number, a symbol, or anything built of them that has one value: no list, set, relation or text. */
export function isScalar(e: Expr): boolean {
  return !some(e, ({ k }) => structures.has(k));
}

const structures: ReadonlySet<Expr['k']> = new Set([
  'seq',
  'set',
  'setop',
  'relation',
  'matrix',
  'ratio',
  'named',
  'text',
]);

/** The same tree with every node passed through `change`, children first. */
export function mapTree(e: Expr, change: (node: Expr) => Expr): Expr {
  const inner = (node: Expr): Expr => mapTree(node, change);
  switch (e.k) {
    case 'add':
    case 'mul':
    case 'fn':
    case 'setop':
    case 'ratio':
      return change({ ...e, args: e.args.map(inner) });
    case 'div':
    case 'pow':
      return change({ ...e, left: inner(e.left), right: inner(e.right) });
    case 'neg':
    case 'pm':
    case 'percent':
    case 'unit':
      return change({ ...e, arg: inner(e.arg) });
    case 'bigop':
      return change({ ...e, from: inner(e.from), to: inner(e.to), body: inner(e.body) });
    case 'seq':
    case 'set':
      return change({ ...e, items: e.items.map(inner) });
    case 'relation':
      return change({ ...e, parts: e.parts.map(inner) });
    case 'matrix':
      return change({ ...e, rows: e.rows.map((row) => row.map(inner)) });
    default:
      return change(e);
  }
}

/**
 * Canonical text of a tree: sums and products sorted, brackets kept. Equal keys mean equal expressions; the reverse does
 * not hold.
 */
export function keyOf(e: Expr): string {
  switch (e.k) {
    case 'num':
      return e.value.d === 1n ? String(e.value.n) : `${e.value.n}/${e.value.d}`;
    case 'sym':
      return e.name;
    case 'const':
      return `\\${e.name}`;
    case 'add':
      return `(${e.args.map(keyOf).sort().join('+')})`;
    case 'mul':
      return `(${e.args.map(keyOf).sort().join('*')})`;
    case 'div':
      return `(${keyOf(e.left)}/${keyOf(e.right)})`;
    case 'pow':
      return `(${keyOf(e.left)}^${keyOf(e.right)})`;
    case 'neg':
      return `(-${keyOf(e.arg)})`;
    case 'pm':
      return `(${e.sign === 1 ? '±' : '∓'}${keyOf(e.arg)})`;
    case 'fn':
      return `${e.name}(${e.args.map(keyOf).join(',')})`;
    case 'bigop':
      return `${e.op}[${e.variable}=${keyOf(e.from)}..${keyOf(e.to)}]${keyOf(e.body)}`;
    case 'opaque':
      return `{${e.key}}`;
    case 'percent':
      return `${keyOf(e.arg)}%`;
    case 'unit':
      return `${keyOf(e.arg)}'${e.unit}'`;
    case 'seq':
      return `${e.open}${e.items.map(keyOf).join(',')}${e.close}`;
    case 'set':
      return `{${[...new Set(e.items.map(keyOf))].sort().join(',')}}`;
    case 'setop':
      return `${e.op}(${(e.op === 'difference' ? e.args.map(keyOf) : e.args.map(keyOf).sort()).join(',')})`;
    case 'relation':
      return e.parts.map((part, i) => `${keyOf(part)}${e.ops[i] ?? ''}`).join('');
    case 'matrix':
      return `[${e.rows.map((row) => row.map(keyOf).join(',')).join(';')}]`;
    case 'ratio':
      return e.args.map(keyOf).join(':');
    case 'named':
      return `\\${e.name}`;
    case 'text':
      return `"${e.text}"`;
  }
}
