import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { machine } from './machine.js';

/**
 * Curation throughput beside a plain Node.js script and DuckDB, in one run over the same file: `npx tsx bench/curation.ts
 * [rows]`. DuckDB is measured where `@duckdb/node-api` can be found (NODE_PATH). Every contender is a process of its own;
 * figures are of input megabytes a second and a second of processor time.
 */
const ROWS = Number(process.argv[2] ?? 200_000);
const root = path.resolve(__dirname, '..');

interface Figure {
  readonly contender: string;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly megabytesPerSecond: number;
  readonly megabytesPerCpuSecond: number;
  readonly peakMegabytes: number;
}

/** Questions of some 300 characters over a vocabulary of made-up words. */
async function writeInput(file: string): Promise<void> {
  let state = 12345;
  const next = (limit: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) % limit;
  };
  const words = Array.from({ length: 20_000 }, () =>
    Array.from({ length: 2 + next(8) }, () => String.fromCharCode(97 + next(26))).join(''),
  );
  const stream = createWriteStream(file);
  for (let i = 0; i < ROWS; i++) {
    const question = Array.from({ length: 45 }, () => words[next(words.length)]).join(' ');
    const more = stream.write(
      `${JSON.stringify({ question: `${question}?`, answer: `so\n#### ${next(1_000_000)}` })}\n`,
    );
    if (!more) await once(stream, 'drain');
  }
  await new Promise<void>((resolve) => {
    stream.end(resolve);
  });
}

/** Wall time, processor time and peak memory of a child process, as it reports them itself at its end. */
function measure(contender: string, script: string, megabytes: number): Figure {
  const tail = `process.on('exit', () => { const u = process.resourceUsage(); console.log(JSON.stringify({ cpu: (u.userCPUTime + u.systemCPUTime) / 1e6, peak: u.maxRSS / 1024 })); });`;
  const start = performance.now();
  const said = execFileSync(process.execPath, ['-e', `${tail}\n${script}`], { cwd: root, encoding: 'utf8' });
  const seconds = (performance.now() - start) / 1000;
  const { cpu, peak } = JSON.parse(said.trim().split('\n').at(-1) ?? '{}') as { cpu: number; peak: number };
  return {
    contender,
    seconds,
    cpuSeconds: cpu,
    megabytesPerSecond: megabytes / seconds,
    megabytesPerCpuSecond: megabytes / cpu,
    peakMegabytes: peak,
  };
}

function duckdbPath(): string | undefined {
  try {
    return createRequire(path.join(root, 'package.json')).resolve('@duckdb/node-api');
  } catch {
    return undefined;
  }
}

async function main(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'crossthink-bench-'));
  const input = path.join(folder, 'in.jsonl');
  const quote = (name: string): string => JSON.stringify(path.join(folder, name));
  await writeInput(input);
  const megabytes = statSync(input).size / 1e6;
  const curateWith = (out: string, options: string, workers = 1): string =>
    `require('./dist/curation/curate.js').curateFiles([${JSON.stringify(input)}], ${quote(out)}, { adapter: 'gsm8k', workers: ${workers}, ${options} });`;
  const plain = `
    const { createInterface } = require('node:readline'); const fs = require('node:fs');
    (async () => { const out = fs.createWriteStream(${quote('plain.jsonl')});
      for await (const line of createInterface({ input: fs.createReadStream(${JSON.stringify(input)}) })) {
        const row = JSON.parse(line); const at = row.answer.lastIndexOf('####');
        out.write(JSON.stringify({ question: row.question, answer: row.answer.slice(at + 4).trim() }) + '\\n');
      } out.end(); })();`;
  const duckdb = duckdbPath();
  const figures = [
    measure('plain Node.js script (readline, JSON)', plain, megabytes),
    measure('crossthink curate', curateWith('one', ''), megabytes),
    measure('crossthink curate, 2 workers', curateWith('two', '', 2), megabytes),
    measure('crossthink curate, exact duplicates', curateWith('exact', "duplicates: 'exact'"), megabytes),
    measure('crossthink curate, near duplicates, 2 workers', curateWith('near', "duplicates: 'near'", 2), megabytes),
    measure(
      'crossthink curate, then export to verl Parquet',
      `${curateWith('p', '').replace(/;$/, '')}.then(() => require('./dist/exports/export.js').exportQuestions([${quote('p')}], ${quote('p.parquet')}, 'verl'));`,
      megabytes,
    ),
    ...(duckdb === undefined
      ? []
      : [
          measure(
            'DuckDB JSONL → Parquet, 1 thread',
            `const { DuckDBInstance } = require(${JSON.stringify(duckdb)});
             (async () => { const c = await (await DuckDBInstance.create()).connect(); await c.run('set threads = 1');
               await c.run("copy (select * from read_json_auto('${input}')) to '${path.join(folder, 'd.parquet')}' (format parquet)"); })();`,
            megabytes,
          ),
        ]),
  ];
  console.log(machine());
  console.log(
    `${ROWS} rows, ${megabytes.toFixed(1)} MB${duckdb === undefined ? '; DuckDB not found, not measured' : ''}`,
  );
  console.table(
    figures.map((figure) => ({
      contender: figure.contender,
      'MB/s': figure.megabytesPerSecond.toFixed(1),
      'MB per CPU second': figure.megabytesPerCpuSecond.toFixed(1),
      'peak MB': figure.peakMegabytes.toFixed(0),
    })),
  );
  rmSync(folder, { recursive: true, force: true });
}

void main();
