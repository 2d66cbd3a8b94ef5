/** Share of the LaTeX parse cases that our parser accepts or refuses as their suites do: `npx tsx bench/rewards/parse.ts [--list]`. */
import { resolve } from 'node:path';
import { NotMath } from '../../lib/rewards/expression/ast.js';
import { parseExpression } from '../../lib/rewards/expression/parser.js';
import { readSuites } from './suites.js';

const list = process.argv.includes('--list');
const folder = resolve(__dirname, '../../../shared/data/C_suites');
const cells = new Map<string, [number, number]>();
const why = new Map<string, number>();
for (const row of readSuites(folder)) {
  if (row.kind !== 'parse') continue;
  const raises = typeof row.expected === 'object' && row.expected !== null && 'raises' in row.expected;
  let refused: string | null = null;
  try {
    parseExpression(String(row.input));
  } catch (error) {
    if (!(error instanceof NotMath)) throw error;
    refused = error.message;
  }
  const key = `${row.suite} ${raises ? 'must refuse' : 'must accept'}`;
  const cell = cells.get(key) ?? [0, 0];
  cells.set(key, cell);
  cell[0]++;
  if ((refused !== null) === raises) cell[1]++;
  else {
    if (!raises) why.set(refused ?? '', (why.get(refused ?? '') ?? 0) + 1);
    if (list) console.log(`${row.id} ${JSON.stringify(row.input)} ${refused ?? 'accepted'}`);
  }
}
console.log('| suite | cases | as the suite |\n|---|---|---|');
for (const [key, [cases, same]] of [...cells].sort())
  console.log(`| ${key} | ${cases} | ${same} (${((100 * same) / cases).toFixed(1)} %) |`);
console.log('\nrefused, by reason:');
for (const [reason, n] of [...why].sort((a, b) => b[1] - a[1])) console.log(`${n} ${reason}`);
