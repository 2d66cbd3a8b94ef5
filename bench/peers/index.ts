import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { machine } from '../machine.js';
import { Agreement } from './agree.js';
import { contestants, install } from './contestants.js';
import { makeProblem, type PeerCase } from './problem.js';
import { rowsOf, tableOf, type Shape } from './report.js';
import { timeAll } from './timing.js';

const SHAPES = [
  { rows: 1, vocab: 128256, where: 'in the second-level cache', rounds: 25 },
  { rows: 32, vocab: 32000, where: '4 MB', rounds: 15 },
  { rows: 256, vocab: 128256, where: '131 MB, from main memory', rounds: 7 },
];

/**
 * `npm run bench:peers [-- --threads 2]`: CrossThink and what else there is for the same work, in one run on the same arrays,
 * each checked before it is timed. Writes a JSON and a Markdown table to bench/results. `--only PyTorch --rows 1024` takes one peer
 * and one batch, here of 525 MB: far out of any cache; `--operation backward`, as often as wanted, leaves the others out.
 */
async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: { threads: { ...text, default: '1' }, only: text, rows: text, operation: { ...text, multiple: true } },
  });
  const threads = Number(values.threads);
  const given = Number(values.rows);
  const where = `${((given * 128256 * 4) / 1e6).toFixed(0)} MB`;
  const measuredShapes = values.rows === undefined ? SHAPES : [{ rows: given, vocab: 128256, where, rounds: 5 }];
  if (values.only !== 'PyTorch') install(__dirname);
  const about = machine();
  const shapes: Shape[] = [];
  let missing: Readonly<Record<string, string>> = {};
  let versions: Readonly<Record<string, string>> = {};
  for (const { rows, vocab, where, rounds } of measuredShapes) {
    const problem = makeProblem(rows, vocab, threads);
    const field = await contestants(problem, __dirname, values.only);
    try {
      ({ missing, versions } = field);
      const agreement = new Agreement(problem);
      const agreeing: PeerCase[] = [];
      const differing: Record<string, string> = {};
      for (const one of field.cases) {
        if (values.operation?.includes(one.operation) === false) continue;
        const difference = await agreement.differs(one);
        if (difference === null) agreeing.push(one);
        else differing[`${one.peer}: ${one.operation}`] = difference;
      }
      const title = `float32 [${rows}, ${vocab}], ${where}, ${threads} thread${threads === 1 ? '' : 's'}`;
      const shape = { title, rows: rowsOf(await timeAll(agreeing, rounds)), differing };
      shapes.push(shape);
      console.log(`\n${tableOf(shape)}`);
      for (const [name, why] of Object.entries(differing)) console.log(`left out, ${name}: ${why}`);
    } finally {
      field.close();
    }
  }
  for (const [name, why] of Object.entries(missing)) console.log(`missing, ${name}: ${why}`);
  const folder = path.join(__dirname, '..', 'results');
  mkdirSync(folder, { recursive: true });
  const file = path.join(
    folder,
    ['peers', values.only, values.rows, about.date.slice(0, 10), about.commit, threads === 1 ? '' : `${threads}threads`]
      .filter(Boolean)
      .join('-'),
  );
  const report = { machine: about, versions, missing, shapes };
  writeFileSync(`${file}.json`, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(`${file}.md`, markdownOf(report));
  console.log(`written: ${file}.json, .md`);
}

function markdownOf({
  machine: about,
  versions,
  missing,
  shapes,
}: {
  machine: ReturnType<typeof machine>;
  versions: Readonly<Record<string, string>>;
  missing: Readonly<Record<string, string>>;
  shapes: readonly Shape[];
}): string {
  const head = [
    `# Peers, ${about.date.slice(0, 10)}`,
    `\`npm run bench:peers\`, commit ${about.commit}, ${about.cpu}, ${about.isa}, Node.js ${about.node}, load ${about.load?.toFixed(1)}.`,
    `Least of several interleaved rounds; "12x" is twelve times as long as CrossThink in the same run. Results were compared before timing.`,
    `Versions: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    ...Object.entries(missing).map(([name, why]) => `Missing: ${name} (${why}).`),
  ];
  const differing = shapes.flatMap((shape) =>
    Object.entries(shape.differing).map(([name, why]) => `- left out of ${shape.title}: ${name}: ${why}`),
  );
  return [...head, ...shapes.map(tableOf), differing.join('\n')].join('\n\n').trimEnd() + '\n';
}

void main();
