import type { RowContext } from '../../lib/data/adapters/adapter.js';
import { lenient } from '../../lib/data/adapters/lenient.js';
import { adapterByName, recogniseRows } from '../../lib/data/adapters/registry.js';
import { isDrop } from '../../lib/data/ledger.js';
import { questionSchema } from '../../lib/data/question.js';
import type { Case } from './adapterCase.js';
import { CHOICE_CASES } from './adapterCases.choice.js';
import { OPEN_CASES } from './adapterCases.open.js';
import { CHOICE_FILES } from './upstreamCases.choice.js';
import { OPEN_FILES } from './upstreamCases.open.js';
import { TASK_FILES } from './upstreamCases.tasks.js';

const deep: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000));
const WRONG: readonly unknown[] = [
  null,
  '',
  ' ',
  7,
  -1,
  1e300,
  true,
  [],
  [[]],
  [null],
  {},
  { x: {} },
  ['a', {}],
  '[{',
  deep,
];

/** The row with the value at each of its places replaced, lists and mappings inside it included. */
function* replaced(value: unknown, wrong: unknown): Generator {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    const put = (inner: unknown): unknown =>
      Array.isArray(value) ? value.with(Number(key), inner) : { ...value, [key]: inner };
    yield put(wrong);
    for (const inner of replaced(item, wrong)) yield put(inner);
  }
}

const ROWS: readonly Pick<Case, 'adapter' | 'row' | 'file' | 'envelope'>[] = [
  ...CHOICE_CASES,
  ...OPEN_CASES,
  ...[...CHOICE_FILES, ...OPEN_FILES, ...TASK_FILES].flatMap(([, file, content, adapter]) =>
    Array.isArray(content) && adapter !== undefined ? [{ adapter, file, row: content[0] as unknown }] : [],
  ),
  { adapter: 'mmlu', file: 'x_test.csv', row: ['Which?', 'a', 'b', 'c', 'd', 'B'] },
  {
    adapter: 'tatqa',
    row: {
      table: {
        table: [
          ['', '2019'],
          ['Profit', '7'],
        ],
      },
      paragraphs: [{ text: 'All in EUR.' }],
      questions: [{ question: 'Profit?', answer: ['7'], answer_type: 'span', scale: 'million' }],
    },
  },
];

/** What JavaScript prints of values that are no text. */
const PRINTED = /\[object |undefined|NaN|Infinity|^null$|^,*$/;

describe('values of wrong types', () => {
  it.each(ROWS.map((entry, i) => [`${entry.adapter} #${i}`, entry] as const))(
    'in any place of a row of %s: a question of texts, or a ledger entry',
    (_, { adapter: name, row, file = 'rows.jsonl', envelope }) => {
      const context: RowContext = { file, row: 1, ...(envelope === undefined ? {} : { envelope }) };
      for (const adapter of [adapterByName(name), lenient(adapterByName(name))]) {
        for (const bad of WRONG.flatMap((wrong) => [...replaced(row, wrong)])) {
          expect(() => recogniseRows([{ value: bad, context }])).not.toThrow();
          for (const one of adapter.expand?.(bad) ?? [bad]) {
            const result = adapter.parse(one, context);
            if (isDrop(result)) {
              expect(result.reason).toMatch(/^[a-z][a-z-]+$/);
              continue;
            }
            expect(questionSchema.safeParse(result).success).toBe(true);
            const { question, options = [], answer } = result;
            const texts = [question, ...options.map(({ text }) => text), answer.value, ...(answer.alternatives ?? [])];
            expect(texts.filter((text) => PRINTED.test(text))).toEqual([]);
          }
        }
      }
    },
  );
});
