import { NotMath, type Expr } from './ast.js';
import type { Cursor } from './cursor.js';
import { parseRelation } from './parser.js';

const matrices = /^(?:[pbvBV]?matrix|smallmatrix|array)\*?$/;
const layouts = /^(?:align|aligned|equation|gather|gathered|split|cases|dcases|alignat|multline|eqnarray)\*?$/;

/** `\begin{…} … \end{…}`, its `\begin` already read: a matrix, or a layout that only arranges its lines. */
export function parseEnvironment(c: Cursor): Expr {
  const name = readName(c);
  if (name === 'array' && c.is('open', '{')) while (!c.take('close', '}')) advance(c);
  if (!matrices.test(name) && !layouts.test(name)) throw new NotMath(`environment ${name}`);
  const rows: Expr[][] = [[]];
  const bars = c.bars;
  c.bars = 0;
  while (!c.is('cmd', 'end')) {
    if (c.take('op', '\\\\')) rows.push([]);
    else if (c.take('op', '&') || (c.is('op', ',') && layouts.test(name) && c.take('op', ','))) continue;
    else if (c.is('end')) throw new NotMath(`unclosed ${name}`);
    else rows.at(-1)?.push(parseRelation(c));
  }
  c.bars = bars;
  c.next();
  if (readName(c) !== name) throw new NotMath(`${name} closed by another`);
  const filled = rows.filter((row) => row.length > 0);
  if (layouts.test(name)) {
    const items = filled.flat();
    const [only] = items;
    return items.length === 1 && only !== undefined ? only : { k: 'seq', open: '', close: '', items };
  }
  const width = filled[0]?.length ?? 0;
  if (width === 0 || filled.some((row) => row.length !== width)) throw new NotMath('ragged matrix');
  if (/^[vV]matrix/.test(name)) return { k: 'fn', name: 'det', args: [{ k: 'matrix', rows: filled }] };
  return { k: 'matrix', rows: filled };
}

function advance(c: Cursor): void {
  if (c.is('end')) throw new NotMath('unclosed argument');
  c.next();
}

/** `{name}` after `\begin` or `\end`. */
function readName(c: Cursor): string {
  c.expect('open', '{');
  const start = c.place;
  while (!c.is('close', '}')) advance(c);
  const name = c.spelling(start);
  c.next();
  return name;
}
