import { gzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { curateFiles } from '../../lib/curation/curate.js';
import { parseLiteral } from '../../lib/data/literal.js';
import type { Question } from '../../lib/data/question.js';
import { temporaryFolder } from './fixtures.js';

const folder = temporaryFolder();

/** Rows of three data sets, written for this test in the fields of the originals. */
const DATA_SETS = {
  gsm8k: ['3', '14', '250', '8'].map((n) => ({
    question: `Ann has ${n} hens. How many?`,
    answer: `So many.\n#### ${n}`,
  })),
  'mmlu-pro': ['law', 'physics', 'law'].map((category, i) => ({
    question_id: i,
    question: `Which of these rivers, "long" or short, is number ${i}?`,
    options: ['Old, wide', `It's the ${i}th`, 'New'],
    answer: 'B',
    answer_index: 1,
    category,
    src: 'ours',
  })),
  commonsenseqa: ['A', 'C'].map((answerKey, i) => ({
    id: String(i),
    answerKey,
    question: {
      question_concept: 'stone',
      choices: ['bed', 'sky', 'sea'].map((text, at) => ({ label: 'ABC'[at], text })),
      stem: `Where does stone ${i} rest?`,
    },
  })),
} as const;
type Row = Readonly<Record<string, unknown>>;

const lines = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const renamed = (rows: readonly Row[], rename: (name: string) => string): Row[] =>
  rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [rename(name), value])));

/** Python's and NumPy's way of printing what a cell holds. */
function printed(value: unknown, numpy: boolean): string {
  if (typeof value === 'string') return value.includes("'") ? `"${value}"` : `'${value}'`;
  if (Array.isArray(value)) return `[${value.map((item) => printed(item, numpy)).join(numpy ? ' ' : ', ')}]`;
  if (typeof value === 'number') return value.toString();
  return `{${Object.entries(value as object)
    .map(([key, item]) => `'${key}': ${printed(item, numpy)}`)
    .join(', ')}}`;
}

function table(rows: readonly Row[], delimiter: string, show: (value: unknown) => string): string {
  const names = Object.keys(rows[0] ?? {});
  const cell = (value: unknown): string => {
    const text = typeof value === 'object' || typeof value === 'number' ? show(value) : (value as string);
    return `"${text.replaceAll('"', '""')}"`;
  };
  return [names.join(delimiter), ...rows.map((row) => names.map((name) => cell(row[name])).join(delimiter))].join('\n');
}

const columns = (rows: readonly Row[]): Record<string, unknown[]> =>
  Object.fromEntries(Object.keys(rows[0] ?? {}).map((name) => [name, rows.map((row) => row[name])]));

const COPIES: [string, string, (rows: readonly Row[]) => string | Buffer][] = [
  ['names in capitals', 'a.jsonl', (rows) => lines(renamed(rows, (name) => name.toUpperCase()))],
  ['names in lower case', 'b.jsonl', (rows) => lines(renamed(rows, (name) => name.toLowerCase()))],
  ['names with spaces', 'c.jsonl', (rows) => lines(renamed(rows, (name) => name.replaceAll('_', ' ')))],
  ['more columns', 'd.jsonl', (rows) => lines(rows.map((row, i) => ({ __index_level_0__: i, ...row, split: 'test' })))],
  ['lists as JSON in CSV', 'e.csv', (rows) => table(rows, ',', JSON.stringify)],
  ['lists as Python in CSV', 'f.csv', (rows) => table(rows, ',', (value) => printed(value, false))],
  ['lists as NumPy in CSV', 'g.csv', (rows) => table(rows, ',', (value) => printed(value, true))],
  ['semicolons', 'h.csv', (rows) => table(rows, ';', JSON.stringify)],
  ['tabs without an ending', 'rows', (rows) => table(rows, '\t', JSON.stringify)],
  ['compressed CSV', 'i.csv.gz', (rows) => gzipSync(table(rows, ',', JSON.stringify))],
  ['an array named as lines', 'j.jsonl', (rows) => JSON.stringify(rows, null, 1)],
  ['a wrapped list', 'k.json', (rows) => JSON.stringify({ version: 1, data: rows })],
  ['the viewer of the hub', 'l.json', (rows) => JSON.stringify({ features: [{}, {}, {}, {}, {}], rows: viewer(rows) })],
  ['viewer rows', 'm.jsonl', (rows) => lines(viewer(rows))],
  ['harness samples', 'n.jsonl', (rows) => lines(rows.map((doc, i) => ({ doc_id: i, doc, target: '0', resps: [] })))],
  ['splits', 'o.json', (rows) => JSON.stringify({ train: rows.slice(0, 1), test: rows.slice(1) })],
  ['lists by column', 'p.json', (rows) => JSON.stringify(columns(rows))],
  [
    'a data frame',
    'q.json',
    (rows) =>
      JSON.stringify(
        Object.fromEntries(Object.entries(columns(rows)).map(([name, list]) => [name, Object.assign({}, list)])),
      ),
  ],
];

function viewer(rows: readonly Row[]): unknown[] {
  return rows.map((row, i) => ({ row_idx: i, row, truncated_cells: [] }));
}

async function contents(file: string): Promise<{ adapter: string | undefined; questions: unknown[] }> {
  const out = join(folder.path, 'out');
  const summary = await curateFiles([file], out, { fresh: true });
  const text = readFileSync(join(out, 'questions.jsonl'), 'utf8').trim();
  const questions = text.split('\n').map((line) => JSON.parse(line) as Question);
  return {
    adapter: summary.inputs[0]?.adapter,
    questions: questions.map(({ question, options, answer }) => ({ question, options, answer })),
  };
}

describe.each(Object.entries(DATA_SETS) as [string, readonly Row[]][])('copies of %s', (name, rows) => {
  it.each(COPIES)('are read as the original: %s', async (_, file, write) => {
    const original = await contents(folder.write(`${name}.jsonl`, lines(rows)));
    expect(original.adapter).toBe(name);
    expect(original.questions).toHaveLength(rows.length);
    expect(await contents(folder.write(file, write(rows)))).toEqual(original);
  });
});

describe('auto', () => {
  const medmcqa = (cop: number): object => ({ question: `Bone ${cop}?`, opa: 'a', opb: 'b', opc: 'c', opd: 'd', cop });
  const goldsOf = async (rows: unknown[]): Promise<unknown[]> =>
    (await contents(folder.write('rows.jsonl', lines(rows)))).questions.map((q) => (q as Question).answer.value);

  it('reads golds of MedMCQA from 0 where one of the first rows has 0, from 1 otherwise', async () => {
    expect(await goldsOf([1, 3, 0].map(medmcqa))).toEqual(['B', 'D', 'A']);
    expect(await goldsOf([1, 3, 4].map(medmcqa))).toEqual(['A', 'C', 'D']);
  });

  it('drops rows with options in columns whose gold may count from 0 or 1, reads letters and texts', async () => {
    const row = (answer: unknown): object => ({ sentence: 'Ann saw Bo.', option1: 'Ann', option2: 'Bo', answer });
    expect(await goldsOf(['B', 'Ann', 2].map(row))).toEqual(['B', 'A']);
  });

  it('keeps the passage of a question, and intervals as golds', async () => {
    const { questions } = await contents(
      folder.write('p.jsonl', lines([{ passage: 'Hens lay.', question: 'do hens lay', answer: true }])),
    );
    expect(questions).toMatchObject([{ question: 'Hens lay.\n\ndo hens lay' }]);
    expect(await goldsOf([{ problem: 'Range of x?', answer: '[0, 1]' }])).toEqual(['[0, 1]']);
    expect(await goldsOf([{ question: 'Who?', answer: "['Ann Bell', 'A. Bell']" }])).toEqual(['Ann Bell']);
  });
});

describe('parseLiteral', () => {
  it.each([
    [`['a', "it's", 'b\\'c']`, ['a', "it's", "b'c"]],
    ["['a' 'b'\n 'c']", ['a', 'b', 'c']],
    ["{'text': array(['x', 'y'], dtype=object), 'n': None, 't': True}", { text: ['x', 'y'], n: null, t: true }],
    ["('a', 1, -2.5e3,)", ['a', 1, -2500]],
    ['["\\u00e9"]', ['é']],
    ["['\\frac', '\\n', '\\x41']", ['\\frac', '\n', 'A']],
    ['[a, b]', undefined],
    ["['open]", undefined],
    ["['a'] and ['b']", undefined],
    ['plain', undefined],
    ['(see above)', undefined],
  ])('%j', (text, value) => {
    expect(parseLiteral(text)).toEqual(value);
  });
});
