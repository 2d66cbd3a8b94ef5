import type { RowContext } from '../../lib/data/adapters/adapter.js';
import { adapterByName, adapters, recogniseAdapter } from '../../lib/data/adapters/registry.js';
import { questionSchema } from '../../lib/data/question.js';
import { type Case, chat, text } from './adapterCase.js';
import { CHOICE_CASES } from './adapterCases.choice.js';
import { OPEN_CASES } from './adapterCases.open.js';
import { accepted, reasonOf } from './fixtures.js';

const CASES: readonly Case[] = [...CHOICE_CASES, ...OPEN_CASES];

const contextOf = ({ file = 'data/rows.jsonl', envelope }: Case): RowContext => ({
  file,
  row: 1,
  ...(envelope === undefined ? {} : { envelope }),
});

describe('adapters', () => {
  it.each(CASES.map((entry, i) => [`${entry.adapter} #${i}`, entry] as const))('%s reads its rows', (_name, entry) => {
    const question = accepted(adapterByName(entry.adapter).parse(entry.row, contextOf(entry)));
    expect(questionSchema.parse(question)).toEqual(question);
    expect(question.question).toBe(entry.question);
    expect(question.options?.map((o) => o.text)).toEqual(entry.options);
    expect(question.answer).toEqual(entry.answer);
    if (entry.domain !== undefined) expect(question.domain).toBe(entry.domain);
    if (entry.subject !== undefined) expect(question.subject).toBe(entry.subject);
  });

  it.each(CASES.map((entry, i) => [`${entry.adapter} #${i}`, entry] as const))(
    '%s is recognised by its schema',
    (_name, entry) => {
      expect(recogniseAdapter(entry.row, contextOf(entry))?.name).toBe(entry.adapter);
    },
  );

  it('have distinct names, a licence, and drop what is no row of theirs instead of throwing', () => {
    expect(new Set(adapters.map(({ name }) => name)).size).toBe(adapters.length);
    for (const adapter of adapters) {
      expect(adapter.licence).not.toBe('');
      for (const row of [null, 7, 'text', [], ['x'], {}, { question: 3, answer: {} }, { prompt: 5, reward_model: 5 }]) {
        expect(reasonOf(adapter.parse(row, { file: 'x.jsonl', row: 1 }))).toMatch(/^[a-z-]+$/);
      }
    }
  });
});

describe('rows with faults', () => {
  const drops: readonly (readonly [string, unknown, string])[] = [
    ['agieval', { passage: null, question: 'Q?', options: ['(A)a', '(B)b', '(C)c'], label: 'A C' }, 'multi-answer'],
    ['agieval', { passage: null, question: 'Q?', options: ['(A)a', '(B)b'], label: ['A', 'B'] }, 'multi-answer'],
    ['theoremqa', { Question: 'Q?', Answer: 1, Answer_type: 'integer', Picture: 'x.png' }, 'missing-figure'],
    ['verl', { prompt: chat('x'), reward_model: { style: 'rule' } }, 'empty-answer'],
    ['verl', { prompt: chat('x') }, 'empty-answer'],
    ['medqa', { question: 'Q?', options: { A: 'x', B: 'y' }, answer: 'x', answer_idx: 'B' }, 'label-text-disagree'],
    ['mmlu-pro', { question: 'Q?', options: ['x', 'y'], answer: 'A', answer_index: 1 }, 'label-text-disagree'],
    ['medmcqa', { question: 'Q?', opa: 'w', opb: 'x', opc: 'y', opd: 'z', cop: 5 }, 'gold-not-an-option'],
    ['numinamath', { problem: 'P', solution: 's', answer: 'proof', problem_type: 'x' }, 'proof'],
    ['math', { problem: 'P', solution: 'no box', level: 'x', type: 'y' }, 'empty-answer'],
    ['bigbench', { input: 'Q?', target_scores: { a: 1, b: 1 } }, 'multi-answer'],
    ['bbh', { input: 'Q?\nOptions:\n(A) one', target: '(A)' }, 'too-few-options'],
  ];
  it.each(drops)('%s drops %j as %s', (name, row, reason) => {
    expect(reasonOf(adapterByName(name).parse(row, { file: 'x.jsonl', row: 1 }))).toBe(reason);
  });
});

describe('gpqa', () => {
  const row = {
    Question: 'Which?',
    'Correct Answer': 'right',
    'Incorrect Answer 1': 'w1',
    'Incorrect Answer 2': 'w2',
    'Incorrect Answer 3': 'w3',
    Subdomain: 'X',
  };

  it('puts the right answer at a place that the question alone decides', () => {
    const { parse, withheld } = adapterByName('gpqa');
    expect(withheld).toBe(true);
    const letters = Array.from({ length: 12 }, (_, i) => {
      const question = accepted(parse({ ...row, Question: `Which ${i}?` }, { file: 'gpqa.csv', row: i + 1 }));
      expect(question.options?.find(({ label }) => label === question.answer.value)?.text).toBe('right');
      return question.answer.value;
    });
    expect(new Set(letters).size).toBeGreaterThan(1);
    expect(recogniseAdapter(row, { file: 'x.csv', row: 1 })?.name).toBe('gpqa');
  });
});

describe('tatqa', () => {
  it('gives one question for each that a report has', () => {
    const { parse, expand } = adapterByName('tat-qa');
    const report = {
      table: {
        uid: 't',
        table: [
          ['', '2019'],
          ['Profit', '7.5'],
        ],
      },
      paragraphs: [{ uid: 'p', order: 1, text: 'All in EUR.' }],
      questions: [
        { question: 'Profit?', answer: ['7.5'], answer_type: 'span', scale: 'million' },
        { question: 'Which?', answer: ['a', 'b'], answer_type: 'multi-span', scale: '' },
        { question: 'Which one?', answer: ['Licences'], answer_type: 'span', scale: 'percent' },
      ],
    };
    const [first, second, third] = (expand?.(report) ?? []).map((row) =>
      accepted(parse(row, { file: 't.json', row: 1 })),
    );
    expect(first?.question).toBe('| 2019\nProfit | 7.5\n\nAll in EUR.\n\nProfit? Give the answer in millions.');
    expect(first?.answer).toEqual({ type: 'decimal', value: '7.5', unit: 'million' });
    expect(second?.answer).toEqual(text('a; b'));
    expect(third?.question).toMatch(/Which one\?$/);
  });
});

describe('gaokao2024-mix', () => {
  it('drops a question whose picture is only a path', () => {
    const row = {
      idx: 1,
      question: '如图, 高为 ( ). /Users/x/q_8.jpg A. 1 B. 2 C. 3 D. 4',
      answer: '4',
      choice_answer: 'D',
    };
    expect(reasonOf(adapterByName('gaokao2024-mix').parse(row, { file: 'g.jsonl', row: 1 }))).toBe('missing-figure');
  });
});
