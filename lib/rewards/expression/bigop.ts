import { mapTree, NotMath, type Expr } from './ast.js';
import { parseArgument } from './atom.js';
import type { Cursor } from './cursor.js';
import { parsePower, parseSum } from './scalar.js';

/** `\sum_{k=1}^{n} body`: the body is a product, as in every textbook. */
export function parseBigOperator(c: Cursor, name: 'sum' | 'prod'): Expr {
  const start = c.place;
  let from: Expr | null = null;
  let to: Expr | null = null;
  let variable = '';
  for (;;) {
    if (c.take('op', '^')) to = parseArgument(c);
    else if (c.take('op', '_')) {
      c.expect('open', '{');
      const token = c.next();
      if (token.t !== 'sym' || !c.take('op', '=')) throw new NotMath('range of a sum');
      variable = token.v;
      from = parseSum(c);
      c.expect('close', '}');
    } else break;
  }
  const body = bindIndex(parseBody(c), variable);
  if (from === null || to === null) return { k: 'opaque', key: `${name}${c.spelling(start)}` };
  return { k: 'bigop', op: name, variable, from, to, body };
}

/** The index of a sum is a symbol, `i` and `e` too. */
function bindIndex(body: Expr, variable: string): Expr {
  if (variable !== 'i' && variable !== 'e') return body;
  return mapTree(body, (node) => (node.k === 'const' && node.name === variable ? { k: 'sym', name: variable } : node));
}

/** Factors up to the next sum sign or relation. */
function parseBody(c: Cursor): Expr {
  const args = [parsePower(c)];
  for (;;) {
    const { t, v } = c.peek;
    if (
      c.take('op', '*') ||
      t === 'num' ||
      t === 'sym' ||
      t === 'fn' ||
      t === 'word' ||
      (t === 'open' && v !== '\\{') ||
      (t === 'cmd' && v !== 'end')
    ) {
      args.push(parsePower(c));
    } else if (c.take('op', '/')) {
      const left: Expr = args.length === 1 && args[0] !== undefined ? args[0] : { k: 'mul', args: [...args] };
      args.splice(0, args.length, { k: 'div', left, right: parsePower(c) });
    } else break;
  }
  const [only] = args;
  return args.length === 1 && only !== undefined ? only : { k: 'mul', args };
}

/** Integrals are compared by their text alone. */
export function parseIntegral(c: Cursor, name: string): Expr {
  const start = c.place;
  while (c.take('op', '_') || c.take('op', '^')) parseArgument(c);
  parseSum(c);
  return { k: 'opaque', key: `${name}${c.spelling(start)}` };
}

/** Limits too. */
export function parseLimit(c: Cursor): Expr {
  const start = c.place;
  if (c.take('op', '_')) {
    let depth = 0;
    do {
      if (c.is('open', '{')) depth++;
      if (c.is('close', '}')) depth--;
      if (c.is('end')) throw new NotMath('limit');
      c.next();
    } while (depth > 0);
  }
  parseBody(c);
  return { k: 'opaque', key: `lim${c.spelling(start)}` };
}
