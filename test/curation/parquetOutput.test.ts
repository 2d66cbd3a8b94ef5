import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { curate } from '../../lib/curation/curate.js';
import { mergeShards } from '../../lib/curation/merge.js';
import { ParquetOutput } from '../../lib/curation/parquetOutput.js';
import { makePlan } from '../../lib/curation/plan.js';
import type { Question } from '../../lib/data/question.js';
import { choiceQuestion, openQuestion, temporaryFolder } from '../data/fixtures.js';

jest.setTimeout(60_000);

const folder = temporaryFolder();
const at = (...parts: string[]): string => join(folder.path, ...parts);

/** Rows without what is null: Parquet has no absent fields. */
const withoutNulls = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, field]) => field !== null && field !== undefined);
  return Object.fromEntries(kept.map(([key, field]) => [key, withoutNulls(field)]));
};

/** The rows as the package reads them: in a process of their own, because Jest cannot load hyparquet, an ES module. */
function rowsOf(file: string): unknown[] {
  const script = `
    const { readRows } = require(${JSON.stringify(resolve(__dirname, '../../dist/data/readers/index.js'))});
    (async () => {
      const lines = [];
      for await (const batch of await readRows(${JSON.stringify(file)})) {
        for (const item of batch) lines.push(JSON.stringify(item.value ?? item.fault));
      }
      process.stdout.write(lines.join('\\n'));
    })();`;
  const said = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8', maxBuffer: 2 ** 30 });
  return said === '' ? [] : said.split('\n').map((line) => withoutNulls(JSON.parse(line)));
}

async function write(dir: string, chunks: readonly string[]): Promise<string> {
  mkdirSync(at(dir), { recursive: true });
  const output = await ParquetOutput.create(at(dir));
  for (const chunk of chunks) await output.write(Buffer.from(chunk));
  await output.commit();
  return at(dir, 'questions.parquet');
}

const questions: Question[] = [
  openQuestion({ passRate: 0.25, subject: 'sums' }),
  openQuestion({
    question: 'Ünï "quoted" \\ \n\t\u0001 😀?',
    answer: { type: 'text', value: 'déjà', alternatives: ['a', '😀'] },
  }),
  choiceQuestion('Which?', ['one', 'two', 'three']),
  openQuestion({ answer: { type: 'decimal', value: '1.5', unit: 'm', tolerance: 1e-9 } }),
  openQuestion({ answer: { type: 'text', value: 'x', alternatives: [] } }),
  openQuestion({ provenance: { dataset: 'd', revision: 'r', licence: 'MIT', steps: ['a', 'b', 'c'] } }),
];

describe('questions.parquet', () => {
  it('holds what the lines hold, nested', async () => {
    const lines = questions.map((question) => `${JSON.stringify(question)}\n`);
    expect(rowsOf(await write('one', [lines.join('')]))).toEqual(questions);
  });

  it('holds lines that differ from the one before in id, question, gold and row alone', async () => {
    const alike = questions.flatMap((question) => [
      question,
      { ...question, id: '1', question: 'Tab\t and "ü"?' },
      { ...question, id: '', answer: { ...question.answer, value: 'x\\y' } },
      { ...question, answer: { ...question.answer, type: 'decimal' as const } },
      { ...question, provenance: { ...question.provenance, row: 2 ** 31 } },
    ]);
    const lines = alike.map((question) => `${JSON.stringify(question)}\n`);
    expect(rowsOf(await write('alike', [lines.join('')]))).toEqual(alike);
  });

  it('does not depend on how the lines are cut into calls, over several row groups', async () => {
    const lines = Array.from(
      { length: 20_000 },
      (_, i) => `${JSON.stringify({ ...questions[Math.floor(i / 7) % questions.length], id: `id${i}` })}\n`,
    );
    const whole = await write('whole', [lines.join('')]);
    const cut = await write('cut', [
      lines.slice(0, 7).join(''),
      lines.slice(7, 17_777).join(''),
      lines.slice(17_777).join(''),
    ]);
    expect(readFileSync(cut).equals(readFileSync(whole))).toBe(true);
    const rows = rowsOf(whole);
    expect(rows.map((row) => (row as Question).id)).toEqual(lines.map((_, i) => `id${i}`));
    // Around the end of a row group, too.
    expect(rows.slice(16_300, 16_500)).toEqual(lines.slice(16_300, 16_500).map((line) => JSON.parse(line) as unknown));
  });

  it('of no questions is a file of no rows', async () => {
    expect(rowsOf(await write('none', []))).toEqual([]);
  });

  it.each([
    ['{"id":"x"}', /every field/],
    ['{"id":', /a text/],
    ['{"id":1}', /a text/],
    ['{"id":"x","extra":1}', /fields of a question only/],
    [`${JSON.stringify(questions[0])} x`, /end of the line/],
    ['{"id":"\\ud8', /four hexadecimal digits/],
    ['{"id":"unfinished', /end of a text/],
    ['[]', /an object/],
  ])('refuses %p and leaves nothing', async (line, message) => {
    const output = await ParquetOutput.create(folder.path);
    await output.write(Buffer.from(line));
    await expect(output.settled()).rejects.toThrow(message);
    await output.close();
    expect(existsSync(at('questions.parquet'))).toBe(false);
  });
});

describe('curate with --parquet', () => {
  const rows = Array.from({ length: 9000 }, (_, i) =>
    i % 100 === 0
      ? '{'
      : JSON.stringify({
          question: `What is ${i % 5000} plus one, told at some length? ${'x'.repeat(200)}`,
          answer: `#### ${i}`,
        }),
  );
  const input = folder.write('rows.jsonl', rows.join('\n'));
  const plan = makePlan([{ file: input, adapter: 'gsm8k' }], { duplicates: 'exact' });
  const bytes = (dir: string): Buffer => readFileSync(at(dir, 'questions.parquet'));

  it('writes the accepted rows, the same bytes after an interruption and from shards', async () => {
    await curate(plan, at('p'), { parquet: true });
    const lines = readFileSync(at('p', 'questions.jsonl'), 'utf8').trim().split('\n');
    expect(lines.length).toBeGreaterThan(4000);
    expect(rowsOf(at('p', 'questions.parquet'))).toEqual(lines.map((line) => JSON.parse(line) as unknown));

    let blocks = 0;
    const onProgress = (): void => {
      if (++blocks === 2) throw new Error('stop');
    };
    await expect(curate(plan, at('cut-run'), { parquet: true, journalMs: 0, onProgress })).rejects.toThrow('stop');
    expect(existsSync(at('cut-run', 'questions.parquet'))).toBe(false);
    let resumed = 0;
    const onResume = (done: number): void => {
      resumed = done;
    };
    await curate(plan, at('cut-run'), { parquet: true, onResume });
    expect(resumed).toBeGreaterThan(0);
    expect(bytes('cut-run').equals(bytes('p'))).toBe(true);
    expect(readdirSync(at('cut-run')).filter((name) => name.startsWith('.'))).toEqual([]);

    const dirs = [0, 1].map((index) => at('shard', String(index)));
    for (const [index, dir] of dirs.entries()) await curate({ ...plan, shard: { index, count: 2 } }, dir);
    await mergeShards(dirs, at('merged'), { parquet: true });
    expect(bytes('merged').equals(bytes('p'))).toBe(true);
  });
});
