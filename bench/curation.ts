import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { generateRows } from '../lib/data/procedural/generate.js';
import { machine } from './machine.js';

/**
 * Curation beside a plain Node.js script and DuckDB, in one run over the same file: `npx tsx bench/curation.ts [rows]
 * [repetitions] [made-up | procedural]` after `npm run build`: rows of made-up words, or of the procedural families, whose
 * multiple-choice questions then lose their options by template. DuckDB is measured where `@duckdb/node-api` can be found (NODE_PATH). Every
 * contender is a process of its own, workers are threads in it: processor time and peak resident memory are of the whole.
 * The best of the repetitions counts, contenders taking turns. Writes bench/results/curation-*.json.
 */
const ROWS = Number(process.argv[2] ?? 200_000);
const REPETITIONS = Number(process.argv[3] ?? 3);
const PROCEDURAL = process.argv[4] === 'procedural';
const CURATION = PROCEDURAL ? "adapter: 'procedural', template: 'open-ended'" : "adapter: 'gsm8k'";
const root = path.resolve(__dirname, '..');

interface Contender {
  readonly name: string;
  readonly script: string;
}

interface Figure {
  readonly name: string;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMegabytes: number;
}

/** Distinct questions of some 300 characters over a vocabulary of made-up words. */
function* madeUpRows(): Generator<object> {
  let state = 12345;
  const next = (limit: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) % limit;
  };
  const words = Array.from({ length: 20_000 }, () =>
    Array.from({ length: 2 + next(8) }, () => String.fromCharCode(97 + next(26))).join(''),
  );
  for (;;) {
    const question = Array.from({ length: 45 }, () => words[next(words.length)]).join(' ');
    yield { question: `${question}?`, answer: `so\n#### ${next(1_000_000)}` };
  }
}

/** Seed after seed: small tables repeat their questions, as real sources do. */
function* proceduralRows(): Generator<object> {
  for (let seed = 1; ; seed++) yield* generateRows({ seed });
}

async function writeInput(file: string): Promise<void> {
  const stream = createWriteStream(file);
  let count = 0;
  for (const row of PROCEDURAL ? proceduralRows() : madeUpRows()) {
    if (count++ === ROWS) break;
    if (!stream.write(`${JSON.stringify(row)}\n`)) await once(stream, 'drain');
  }
  await new Promise<void>((resolve) => {
    stream.end(resolve);
  });
}

/** Wall time, processor time and peak memory of a child process; the last two as it reports them at its end. */
function run({ name, script }: Contender): Figure {
  const tail = `process.on('exit', () => { const u = process.resourceUsage(); console.log(JSON.stringify({ cpu: (u.userCPUTime + u.systemCPUTime) / 1e6, peak: u.maxRSS / 1024 })); });`;
  const start = performance.now();
  const said = execFileSync(process.execPath, ['-e', `${tail}\n${script}`], { cwd: root, encoding: 'utf8' });
  const seconds = (performance.now() - start) / 1000;
  const { cpu, peak } = JSON.parse(said.trim().split('\n').at(-1) ?? '{}') as { cpu: number; peak: number };
  return { name, seconds, cpuSeconds: cpu, peakMegabytes: peak };
}

function duckdbPath(): string | undefined {
  try {
    return createRequire(path.join(root, 'package.json')).resolve('@duckdb/node-api');
  } catch {
    return undefined;
  }
}

function contenders(input: string, folder: string): Contender[] {
  const quote = (name: string): string => JSON.stringify(path.join(folder, name));
  const ours = (name: string, options: string): Contender => ({
    name: `crossthink curate${name}`,
    script: `require('./dist/curation/curate.js').curateFiles([${JSON.stringify(input)}], ${quote('ours')}, { ${CURATION}, fresh: true, ${options} });`,
  });
  const plain = `
    const { createInterface } = require('node:readline'); const fs = require('node:fs');
    (async () => { const out = fs.createWriteStream(${quote('plain.jsonl')});
      for await (const line of createInterface({ input: fs.createReadStream(${JSON.stringify(input)}) })) {
        const { question, answer } = JSON.parse(line);
        out.write(JSON.stringify({ question, answer: answer.replace(/^[^]*####/, '').trim() }) + '\\n');
      } out.end(); })();`;
  const duckdb = duckdbPath();
  const duck = (threads: number): Contender => ({
    name: `DuckDB, JSON Lines → Parquet, threads = ${threads}`,
    script: `const { DuckDBInstance } = require(${JSON.stringify(duckdb)});
       (async () => { const c = await (await DuckDBInstance.create()).connect(); await c.run('set threads = ${threads}');
         await c.run("copy (select * from read_json_auto('${input}')) to '${path.join(folder, 'd.parquet')}' (format parquet)"); })();`,
  });
  return [
    ...(duckdb === undefined ? [] : [duck(1), duck(2)]),
    { name: 'plain Node.js script (readline, JSON Lines → JSON Lines)', script: plain },
    ours(' → JSON Lines', ''),
    ours(' → Parquet', 'parquet: true'),
    ours(' → Parquet, 2 workers', 'parquet: true, workers: 2'),
    ours(' → Parquet, 2 workers, exact duplicates', "parquet: true, workers: 2, duplicates: 'exact'"),
    ours(' → Parquet, 2 workers, near duplicates', "parquet: true, workers: 2, duplicates: 'near'"),
  ];
}

async function main(): Promise<void> {
  const about = machine();
  const folder = mkdtempSync(path.join(tmpdir(), 'crossthink-bench-'));
  const input = path.join(folder, 'in.jsonl');
  await writeInput(input);
  const megabytes = statSync(input).size / 1e6;
  const all = contenders(input, path.join(folder, 'out'));
  const outputs = path.join(folder, 'out');
  // Each writes into an empty folder, and no other's output waits for the disk: to delete a gigabyte takes as long as to write it.
  const runAlone = (contender: Contender): Figure => {
    rmSync(outputs, { recursive: true, force: true });
    mkdirSync(outputs);
    execFileSync('sync');
    return run(contender);
  };
  const runs = Array.from({ length: REPETITIONS }, () => all.map(runAlone));
  const best = (of: (figure: Figure) => number, i: number): number =>
    Math.min(...runs.map((figures) => of(figures[i]!)));
  const figures = all.map(({ name }, i) => {
    const [seconds, cpuSeconds] = [best((f) => f.seconds, i), best((f) => f.cpuSeconds, i)];
    const peakMegabytes = Math.max(...runs.map((of) => of[i]?.peakMegabytes ?? 0));
    return { name, seconds, cpuSeconds, peakMegabytes, perSecond: megabytes / seconds, perCpu: megabytes / cpuSeconds };
  });
  const [duck1, duck2] = duckdbPath() === undefined ? [] : figures;
  console.log(about);
  console.log(`${ROWS} rows, ${megabytes.toFixed(1)} MB of input, best of ${REPETITIONS}`);
  if (duck1 === undefined) console.log('DuckDB (@duckdb/node-api) not found: not measured');
  console.table(
    figures.map(({ name, seconds, perSecond, perCpu, peakMegabytes }) => ({
      contender: name,
      seconds: seconds.toFixed(2),
      'MB/s': perSecond.toFixed(1),
      'MB per CPU second': perCpu.toFixed(1),
      'of DuckDB, wall (2 threads)': duck2 === undefined ? '' : (perSecond / duck2.perSecond).toFixed(2),
      'of DuckDB, per core (1 thread)': duck1 === undefined ? '' : (perCpu / duck1.perCpu).toFixed(2),
      'peak MB': peakMegabytes.toFixed(0),
    })),
  );
  const results = path.join(__dirname, 'results');
  mkdirSync(results, { recursive: true });
  const file = path.join(
    results,
    `curation-${PROCEDURAL ? 'procedural-' : ''}${about.date.slice(0, 10)}-${about.commit}.json`,
  );
  writeFileSync(
    file,
    `${JSON.stringify({ machine: about, rows: ROWS, megabytes, repetitions: REPETITIONS, figures }, null, 2)}\n`,
  );
  console.log(`written: ${file}`);
  rmSync(folder, { recursive: true, force: true });
}

void main();
