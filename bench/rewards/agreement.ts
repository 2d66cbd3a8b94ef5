/**
 * Agreement of the verifier with the suites and model outputs of the shared test data:
 * `npx tsx bench/rewards/agreement.ts [--data DIR] [--list] [--outputs] [--default] [--suite NAME]`.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { exclusions } from './exclusions.js';
import { judgeOutput, readOutputs } from './outputs.js';
import { judge, readSuites } from './suites.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    list: { type: 'boolean' },
    outputs: { type: 'boolean' },
    suite: { type: 'string' },
    default: { type: 'boolean' },
  },
});
const data = values.data ?? resolve(__dirname, '../../../shared/data');
if (!existsSync(data)) throw new Error(`no test data at ${data}: give --data DIR`);

interface Cell {
  cases: number;
  agree: number;
  falsePositive: number;
  falseNegative: number;
  excluded: number;
}
const table = new Map<string, Cell>();
const features = new Map<string, Cell>();

function count(map: Map<string, Cell>, key: string, agrees: boolean, expected: boolean, excluded: boolean): void {
  const cell = map.get(key) ?? { cases: 0, agree: 0, falsePositive: 0, falseNegative: 0, excluded: 0 };
  map.set(key, cell);
  if (excluded) {
    cell.excluded++;
    return;
  }
  cell.cases++;
  if (agrees) cell.agree++;
  else if (expected) cell.falseNegative++;
  else cell.falsePositive++;
}

const kinds = new Set(['equiv', 'grade', 'choice', 'format']);
for (const row of readSuites(join(data, 'C_suites'))) {
  if (!kinds.has(row.kind) || (values.suite !== undefined && row.suite !== values.suite)) continue;
  const outcome = judge(row, values.default === true ? {} : undefined);
  if (outcome === undefined) continue;
  const excluded = exclusions[row.id] !== undefined;
  const expected = row.expected === true || row.expected === 1;
  count(table, `${row.suite} ${row.kind}`, outcome.agrees, expected, excluded);
  if (row.kind !== 'format') count(table, 'all verdicts', outcome.agrees, expected, excluded);
  for (const feature of row.features) count(features, feature, outcome.agrees, expected, excluded);
  if (values.list === true && !outcome.agrees && !excluded) {
    const cut = (value: unknown): string => {
      const text = value === undefined ? '' : JSON.stringify(value);
      return text.length > 300 ? `${text.slice(0, 80)} … ${text.slice(-200)}` : text;
    };
    console.log(
      `${row.id} gold ${cut(row.gold)} pred ${cut(row.pred ?? row.input)} expected ${cut(row.expected)} ours ${cut(outcome.ours)} [${cut(outcome.detail)}]`,
    );
  }
}

const outputs = new Map<string, Cell>();
for (const output of values.suite === undefined ? readOutputs(join(data, 'B_outputs')) : []) {
  const verdict = judgeOutput(output);
  const agrees = (verdict.accuracy === 1) === output.theirs;
  count(outputs, `${output.file} (${output.kind})`, agrees, output.theirs, false);
  count(outputs, `all (${output.kind})`, agrees, output.theirs, false);
  if (values.outputs === true && !agrees && (output.kind === 'rule' || verdict.accuracy === 1)) {
    console.log(
      JSON.stringify({
        file: output.file,
        id: output.id,
        dataset: output.dataset,
        gold: output.gold,
        theirs: output.theirs,
        extracted: output.extracted,
        ours: verdict.extracted,
        reason: verdict.reason,
        end: output.response.slice(-250),
      }),
    );
  }
}

for (const [title, map] of [
  ['suite and kind', table],
  ['feature', features],
  ['model outputs', outputs],
] as const) {
  console.log(
    `\n| ${title} | cases | agree | % | ours 1, theirs 0 | ours 0, theirs 1 | excluded |\n|---|---|---|---|---|---|---|`,
  );
  for (const [key, cell] of [...map].sort(([a], [b]) => a.localeCompare(b))) {
    const share = cell.cases === 0 ? '' : ((100 * cell.agree) / cell.cases).toFixed(1);
    console.log(
      `| ${key} | ${cell.cases} | ${cell.agree} | ${share} | ${cell.falsePositive} | ${cell.falseNegative} | ${cell.excluded} |`,
    );
  }
}
