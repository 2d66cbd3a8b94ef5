import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { curateFiles } from '../../lib/curation/curate.js';
import type { LedgerEntry } from '../../lib/data/ledger.js';
import { type Question, questionSchema } from '../../lib/data/question.js';
import { temporaryFolder } from '../data/fixtures.js';

const folder = temporaryFolder();
const lines = <T>(dir: string, name: string): T[] =>
  readFileSync(join(dir, name), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);

const rows = [
  { question: 'One and one?', answer: 'so\n#### 2' },
  { question: 'No gold?', answer: 'so' },
  { question: 'Two and two?', answer: 'so\n#### 4' },
];
const input = folder.write('in.jsonl', `${rows.map((row) => JSON.stringify(row)).join('\n')}\n{"question": "cut`);

describe('curateFiles', () => {
  it('accepts or ledgers every row, and writes questions, ledger and summary', async () => {
    const out = join(folder.path, 'plain');
    const summary = await curateFiles([input], out, { adapter: 'gsm8k' });
    expect(summary).toMatchObject({
      rows: 4,
      accepted: 2,
      dropped: 2,
      reasons: { 'invalid-json': 1, 'missing-field': 1 },
      sources: { gsm8k: 2 },
      domains: { math: 2 },
      forms: { 'open-ended': 2 },
      answerTypes: { integer: 2 },
      inputs: [{ file: input, adapter: 'gsm8k', rows: 4, accepted: 2 }],
    });
    expect(JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'))).toEqual(summary);
    const questions = lines<Question>(out, 'questions.jsonl');
    for (const question of questions) expect(questionSchema.parse(question)).toEqual(question);
    expect(questions.map(({ answer }) => answer.value)).toEqual(['2', '4']);
    expect(questions[1]?.provenance).toMatchObject({
      file: input,
      row: 3,
      steps: ['adapter:gsm8k', 'filter:verifiable'],
    });
    expect(lines<LedgerEntry>(out, 'ledger.jsonl')).toMatchObject([
      { source: 'gsm8k', file: input, row: 2, line: 2, reason: 'missing-field' },
      { source: 'gsm8k', file: input, row: 4, line: 4, reason: 'invalid-json' },
    ]);
    expect(readdirSync(out).sort()).toEqual(['README.md', 'ledger.jsonl', 'questions.jsonl', 'summary.json']);
  });

  it('recognises the adapter by itself, with the same result', async () => {
    const [a, b] = [join(folder.path, 'named'), join(folder.path, 'auto')];
    const named = await curateFiles([input], a, { adapter: 'gsm8k' });
    const auto = await curateFiles([input], b);
    expect(auto).toEqual(named);
    expect(readFileSync(join(b, 'questions.jsonl'))).toEqual(readFileSync(join(a, 'questions.jsonl')));
  });

  it('applies templates', async () => {
    const out = join(folder.path, 'choice');
    const summary = await curateFiles([input], out, { template: 'multiple-choice', optionCount: 3 });
    expect(summary.forms).toEqual({ 'multiple-choice': 2 });
    const csv = folder.write('q.csv', 'Capital of Peru?,Lima,Quito,A\nWhich of these is red?,a,b,B\n');
    const open = await curateFiles([csv], join(folder.path, 'open'), { template: 'open-ended' });
    expect(open).toMatchObject({ rows: 2, accepted: 1, reasons: { 'incomplete-without-options': 1 } });
    expect(lines<LedgerEntry>(join(folder.path, 'open'), 'ledger.jsonl')[0]).toMatchObject({ row: 2, line: 2 });
  });

  it('leaves no half files behind when it fails', async () => {
    const out = join(folder.path, 'failed');
    await expect(curateFiles([input, join(folder.path, 'missing.jsonl')], out)).rejects.toMatchObject({
      code: 'ERR_FILE_NOT_FOUND',
    });
    expect(existsSync(out) ? readdirSync(out) : []).toEqual([]);
    const strange = folder.write('strange.jsonl', '{"foo":1}\n');
    const summary = await curateFiles([strange], out);
    expect(summary).toMatchObject({ rows: 1, accepted: 0, reasons: { unrecognised: 1 } });
  });
});
