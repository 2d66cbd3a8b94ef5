import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ParquetOutput } from '../lib/curation/parquetOutput.js';
import { QuestionBatch } from '../lib/curation/questionBatch.js';
import { type Question, questionId } from '../lib/data/question.js';

/**
 * What native/text saves over a library: ids by its SHA-256 beside `node:crypto`, Parquet beside hyparquet-writer, in
 * processor seconds a million questions (the best of three): `npx tsx bench/text.ts`.
 */
const ROWS = 200_000;
const BLOCK = 4000;

const questions = Array.from({ length: ROWS }, (_, i): Question => ({
  id: '',
  source: 'bench',
  domain: 'math',
  form: 'open-ended',
  question: `${`heap ${i * 7919} by river ${i % 97} holds stones, `.repeat(8)}how many?`,
  answer: { type: 'integer', value: String(i) },
  provenance: { dataset: 'bench', file: 'bench.jsonl', row: i + 1, licence: 'CC0-1.0', steps: ['adapter:bench'] },
}));

async function perMillion(work: () => unknown): Promise<string> {
  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    const start = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(start);
    times.push((user + system) / ROWS);
  }
  return Math.min(...times).toFixed(2);
}

/** Lines of JSON, a block at a time; ids are computed where they are not given. */
async function encoded(rows: readonly Question[]): Promise<Uint8Array[]> {
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < rows.length; at += BLOCK) {
    const batch = new QuestionBatch('none');
    for (const question of rows.slice(at, at + BLOCK)) batch.add(question);
    blocks.push((await batch.finish()).lines);
  }
  return blocks;
}

async function main(): Promise<void> {
  const { parquetWriteBuffer } = await import('hyparquet-writer');
  const given = questions.map((question) => ({ ...question, id: questionId(question) }));
  const lines = await encoded(given);
  const folder = mkdtempSync(path.join(tmpdir(), 'crossthink-bench-'));
  const text = (name: string, of: (question: Question) => string): object => ({
    name,
    data: given.map(of),
    type: 'STRING',
  });
  console.table({
    'lines, ids given': await perMillion(() => encoded(given)),
    'lines and ids': await perMillion(() => encoded(questions)),
    'ids by node:crypto': await perMillion(() => {
      questions.forEach(questionId);
    }),
    'Parquet, native, all fields': await perMillion(async () => {
      const output = await ParquetOutput.create(folder);
      for (const block of lines) await output.write(block);
      await output.commit();
    }),
    'Parquet, hyparquet-writer, five columns': await perMillion(() => {
      const columnData = [
        text('id', ({ id }) => id),
        text('source', ({ source }) => source),
        text('question', ({ question }) => question),
        text('answer', ({ answer }) => answer.value),
        text('file', ({ provenance }) => provenance.file ?? ''),
      ];
      parquetWriteBuffer({ columnData, codec: 'UNCOMPRESSED' } as Parameters<typeof parquetWriteBuffer>[0]);
    }),
  });
  rmSync(folder, { recursive: true, force: true });
}

void main();
