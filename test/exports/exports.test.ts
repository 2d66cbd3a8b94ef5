import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { curateFiles } from '../../lib/curation/curate.js';
import type { Question } from '../../lib/data/question.js';
import { parquetSchema } from '../../lib/data/writers/parquet.js';
import { exportQuestions } from '../../lib/exports/export.js';
import { exportFormat, exportFormats } from '../../lib/exports/registry.js';
import { choiceQuestion, openQuestion, temporaryFolder } from '../data/fixtures.js';

const folder = temporaryFolder();
const questions: readonly Question[] = [
  { ...choiceQuestion('Which planet is red?', ['Venus', 'Mars', 'Earth'], 'B'), subject: 'astronomy', passRate: 0.5 },
  openQuestion({ question: 'What is 6 times 7?', answer: { type: 'integer', value: '42' } }),
  openQuestion({ question: 'How long, in s?', answer: { type: 'decimal', value: '2.5', tolerance: 0.05, unit: 's' } }),
  openQuestion({
    question: 'Who wrote it?',
    domain: 'general',
    answer: { type: 'text', value: 'Ann Lee', alternatives: ['A. Lee'] },
  }),
  openQuestion({ question: 'Is it so?', domain: 'general', answer: { type: 'boolean', value: 'true' } }),
  openQuestion({ question: 'Factor $x^2-1$.', answer: { type: 'expression', value: '(x-1)(x+1)' } }),
];
const input = folder.write('questions.jsonl', questions.map((question) => `${JSON.stringify(question)}\n`).join(''));
const rowsOf = (format: string) => questions.map((question, i) => exportFormat(format).row(question, i, {}));

/** What must survive a way out and back. */
const content = ({ question, options, answer, domain }: Question): object => ({ question, options, answer, domain });

describe('formats', () => {
  it('verl: chat prompt, text gold, unique int64 index, the same columns for every row', () => {
    const rows = rowsOf('VERL');
    expect(rows[0]).toMatchObject({
      data_source: 'crossthink/test',
      prompt: [{ role: 'system' }, { role: 'user', content: 'Which planet is red?\nA. Venus\nB. Mars\nC. Earth' }],
      ability: 'general',
      reward_model: { style: 'rule', ground_truth: 'B' },
      extra_info: { split: 'train', index: 0, answer: 'B' },
    });
    const shape = (value: unknown): unknown =>
      typeof value === 'object' && value !== null ? Object.keys(value).sort() : typeof value;
    for (const row of rows) expect(Object.values(row).map(shape)).toEqual(Object.values(rows[0]!).map(shape));
    expect(Object.keys(rows[0]!)).toEqual(Object.keys(exportFormat('verl').columns!));
  });

  it('nemo-gym: options as one-key objects, servers by form and domain', () => {
    const rows = rowsOf('nemo-gym');
    expect(rows[0]).toMatchObject({
      options: [{ A: 'Venus' }, { B: 'Mars' }, { C: 'Earth' }],
      expected_answer: 'B',
      grading_mode: 'lenient_boxed',
      agent_ref: { type: 'responses_api_agents', name: 'mcqa_simple_agent' },
      responses_create_params: { input: [{ role: 'system' }, { role: 'user' }] },
      uuid: questions[0]!.id,
    });
    expect(rows.map((row) => (row['agent_ref'] as { name: string }).name).slice(1, 4)).toEqual([
      'math_with_judge_simple_agent',
      'math_with_judge_simple_agent',
      'equivalence_llm_judge_simple_agent',
    ]);
  });

  it('trl, nemo-rl, openrlhf, verifiers: their documented keys', () => {
    expect(rowsOf('trl')[1]).toMatchObject({ prompt: [{ role: 'system' }, { role: 'user' }], solution: '$42$' });
    expect(rowsOf('nemo-rl')[0]).toMatchObject({
      output: 'B',
      task_name: 'mcqa',
      input: expect.stringContaining('A. Venus') as string,
    });
    expect(rowsOf('openrlhf')[3]).toMatchObject({ label: 'Ann Lee', datasource: 'crossthink/test' });
    const info = rowsOf('verifiers')[0]!['info'];
    expect(JSON.parse(info as string)).toMatchObject({
      domain: 'general',
      form: 'multiple-choice',
      subject: 'astronomy',
    });
    expect(() => exportFormat('x')).toThrow(/Known: verl, trl/);
  });
});

describe('out and back', () => {
  it.each(
    exportFormats.filter(({ container, name }) => container === 'jsonl' && name !== 'jsonl').map(({ name }) => name),
  )('%s keeps question, options, typed answer with alternatives, and domain', async (name) => {
    const file = join(folder.path, `${name}.jsonl`);
    expect(await exportQuestions([input], file, name)).toBe(questions.length);
    const out = join(folder.path, `back-${name}`);
    const summary = await curateFiles([file], out);
    expect(summary.reasons).toEqual({});
    const back = readFileSync(join(out, 'questions.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Question);
    expect(back.map(content)).toEqual(questions.map(content));
  });

  it('verl Parquet, through the command line', () => {
    const root = resolve(__dirname, '../..');
    const cli = (...args: string[]): string =>
      execFileSync(process.execPath, ['--import', 'tsx', 'lib/cli/main.ts', ...args], { cwd: root, encoding: 'utf8' });
    const file = join(folder.path, 'train.parquet');
    const said = JSON.parse(cli('export', '--input', input, '--format', 'verl', '--out', file, '--json')) as object;
    expect(said).toEqual({ out: file, format: 'verl', rows: questions.length });
    const out = join(folder.path, 'back-verl');
    cli('curate', '--input', file, '--adapter', 'auto', '--out', out, '--json');
    const back = readFileSync(join(out, 'questions.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Question);
    expect(back.map(content)).toEqual(questions.map(content));
  });

  it('says where a row is no question', async () => {
    const bad = folder.write('bad.jsonl', `${JSON.stringify(questions[0])}\n{"id":"x"}\n`);
    await expect(exportQuestions([bad], join(folder.path, 'never.jsonl'), 'trl')).rejects.toMatchObject({
      code: 'ERR_SCHEMA',
      line: 2,
    });
  });
});

describe('parquetSchema', () => {
  it('lists structures depth first, lists in three levels', () => {
    expect(parquetSchema({ a: [{ b: 'string' }], n: 'int64' })).toEqual([
      { name: 'schema', num_children: 2 },
      { name: 'a', converted_type: 'LIST', repetition_type: 'OPTIONAL', num_children: 1 },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { name: 'element', repetition_type: 'OPTIONAL', num_children: 1 },
      { name: 'b', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
      { name: 'n', type: 'INT64', repetition_type: 'OPTIONAL' },
    ]);
  });
});
