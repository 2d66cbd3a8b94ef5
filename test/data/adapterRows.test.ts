import type { RowContext } from '../../lib/data/adapters/adapter.js';
import { adapterByName, adapters, recogniseAdapter } from '../../lib/data/adapters/registry.js';
import { questionSchema } from '../../lib/data/question.js';
import { accepted, reasonOf } from './fixtures.js';

/** What a row of each data set becomes; rows are ours, in the fields of the originals. */
interface Case {
  readonly adapter: string;
  readonly row: unknown;
  readonly file?: string;
  readonly envelope?: Record<string, unknown>;
  readonly question: string;
  readonly options?: readonly string[];
  readonly answer: object;
  readonly domain?: 'general' | 'math';
  readonly subject?: string;
}

const chat = (content: string): object[] => [{ role: 'user', content }];
const roll = (tag: string, prompt: string, gold: string): object => ({
  id: '1',
  source: tag,
  prompt,
  messages: JSON.stringify([{ role: 'system', content: 'Think.' }, ...chat(prompt)]),
  ground_truth: gold,
  tag,
});
const integer = (value: string): object => ({ type: 'integer', value });
const option = (value: string): object => ({ type: 'option', value });
const text = (value: string): object => ({ type: 'text', value });

const CASES: readonly Case[] = [
  {
    adapter: 'agieval',
    file: 'v1/lsat-lr.jsonl',
    row: {
      passage: 'P.',
      question: 'Q?',
      options: ['(A)one', '  B. two', '(C)three'],
      label: 'B',
      answer: null,
      other: null,
    },
    question: 'P.\n\nQ?',
    options: ['one', 'two', 'three'],
    answer: option('B'),
    domain: 'general',
    subject: 'lsat-lr',
  },
  {
    adapter: 'agieval',
    file: 'gaokao-mathcloze.jsonl',
    row: { passage: null, question: 'a=?, b=?', options: null, label: null, answer: '$5$;$10$', other: {} },
    question: 'a=?, b=?',
    answer: { type: 'expression', value: '5, 10' },
    domain: 'math',
  },
  {
    adapter: 'aqua',
    row: { question: 'Price?', options: ['A)$61', 'B)$65'], rationale: 'r', correct: 'B' },
    question: 'Price?',
    options: ['$61', '$65'],
    answer: option('B'),
    domain: 'math',
  },
  {
    adapter: 'commonsenseqa',
    row: {
      answerKey: '2',
      id: 'x',
      question: {
        stem: 'Where?',
        question_concept: 'door',
        choices: [
          { label: '1', text: 'bank' },
          { label: '2', text: 'mall' },
        ],
      },
    },
    question: 'Where?',
    options: ['bank', 'mall'],
    answer: option('B'),
    subject: 'door',
  },
  {
    adapter: 'commonsenseqa',
    row: { id: 'x', question: 'Where?', choices: { label: ['A', 'B'], text: ['bank', 'mall'] }, answerKey: 'A' },
    question: 'Where?',
    options: ['bank', 'mall'],
    answer: option('A'),
  },
  {
    adapter: 'gaokao2024-mix',
    row: { idx: 1, question: '则 z=(\\quad) A. -1 B. 2 i C. 3 D. 4', answer: '3', choice_answer: 'C' },
    question: '则 z=(\\quad)',
    options: ['-1', '2 i', '3', '4'],
    answer: option('C'),
    domain: 'math',
  },
  {
    adapter: 'llm-adapters-instruct',
    row: {
      instruction:
        'Please choose the correct answer to the question: Fog is at\n\nAnswer1: a marsh Answer2: a desert\n\nAnswer format: answer1/answer2',
      input: '',
      output: 'the correct answer is answer1',
      answer: 'answer1',
    },
    question: 'Fog is at',
    options: ['a marsh', 'a desert'],
    answer: option('A'),
  },
  {
    adapter: 'medmcqa',
    row: { question: 'Which?', opa: 'w', opb: 'x', opc: 'y', opd: 'z', cop: 2, subject_name: 'Anatomy', exp: null },
    question: 'Which?',
    options: ['w', 'x', 'y', 'z'],
    answer: option('B'),
    subject: 'Anatomy',
  },
  {
    adapter: 'medqa',
    row: {
      question: 'Which?',
      answer: 'Rest',
      options: { B: 'Rest', A: 'Aspirin' },
      answer_idx: 'B',
      meta_info: 'step1',
    },
    question: 'Which?',
    options: ['Aspirin', 'Rest'],
    answer: option('B'),
  },
  {
    adapter: 'mmlu-pro',
    row: {
      question_id: 1,
      question: 'Which?',
      options: ['w', 'x', 'y'],
      answer: 'C',
      answer_index: 2,
      category: 'law',
    },
    question: 'Which?',
    options: ['w', 'x', 'y'],
    answer: option('C'),
    subject: 'law',
  },
  {
    adapter: 'mmlu-stem',
    row: { question: 'Which?', type: 'physics', choices: ['w', 'x'], answer: 1 },
    question: 'Which?',
    options: ['w', 'x'],
    answer: option('B'),
    subject: 'physics',
  },
  {
    adapter: 'supergpqa',
    row: { uuid: 'u', question: 'Which?', options: ['w', 'x'], answer: 'x', answer_letter: 'B', discipline: 'Law' },
    question: 'Which?',
    options: ['w', 'x'],
    answer: option('B'),
  },
  {
    adapter: 'drop',
    row: { passage: 'P.', question: 'Who?', answers_spans: { spans: ['Ann', 'Ann Lee'], types: ['span', 'span'] } },
    question: 'P.\n\nWho?',
    answer: { type: 'text', value: 'Ann', alternatives: ['Ann Lee'] },
  },
  {
    adapter: 'pubmedqa',
    row: { QUESTION: 'Does it?', CONTEXTS: ['C1.', 'C2.'], final_decision: 'yes', LABELS: [] },
    question: 'C1.\n\nC2.\n\nDoes it?\nAnswer yes, no or maybe.',
    answer: { type: 'boolean', value: 'true' },
  },
  {
    adapter: 'bigbench-json',
    row: { input: 'Is it?', target_scores: { Yes: 0, No: 1 }, target: 'No. Because.' },
    envelope: { name: 'strategyqa' },
    question: 'Is it?\nAnswer Yes or No.',
    answer: { type: 'boolean', value: 'false' },
    subject: 'strategyqa',
  },
  {
    adapter: 'bbh',
    file: 'bbh/snarks.json',
    envelope: { canary: 'c' },
    row: { input: 'Which one?\nOptions:\n(A) this\n(B) that', target: '(B)' },
    question: 'Which one?',
    options: ['this', 'that'],
    answer: option('B'),
    subject: 'snarks',
  },
  {
    adapter: 'bbh',
    envelope: { canary: 'c' },
    row: { input: 'Is it so?\nOptions:\n- valid \n- invalid', target: 'invalid' },
    question: 'Is it so?',
    options: ['valid', 'invalid'],
    answer: option('B'),
  },
  {
    adapter: 'bbh',
    envelope: { canary: 'c' },
    row: { input: 'Sort the following words alphabetically: List: c a b', target: 'a b c' },
    question: 'Sort the following words alphabetically: List: c a b',
    answer: { type: 'text', value: 'a, b, c', alternatives: ['a b c'] },
  },
  {
    adapter: 'carp-en',
    row: { content: 'x?', answer: 'x < 2', steps: 's', exprs: [] },
    question: 'x?',
    answer: { type: 'expression', value: 'x < 2' },
    domain: 'math',
  },
  {
    adapter: 'cmath',
    row: { grade: 1, question: '几？', answer: '9', reasoning_step: 1, num_digits: 2 },
    question: '几？',
    answer: integer('9'),
    domain: 'math',
  },
  {
    adapter: 'college-math',
    row: { data_source: 'a', question_number: '1', question: 'Sum?', answer: '$36$', data_topic: 't' },
    question: 'Sum?',
    answer: integer('36'),
    subject: 't',
  },
  {
    adapter: 'gsm-hard',
    row: { input: 'How many?', code: 'c', target: 3.5, idx: 1 },
    question: 'How many?',
    answer: { type: 'decimal', value: '3.5', tolerance: 1e-4 },
  },
  {
    adapter: 'legalbench',
    file: 'hearsay_train.tsv',
    row: { index: '0', answer: 'No', text: 'He ran.', slice: 's' },
    question: 'Legal task: hearsay.\nHe ran.\nAnswer yes or no.',
    answer: { type: 'boolean', value: 'false' },
    subject: 'hearsay',
  },
  {
    adapter: 'legalbench',
    file: 'contract_qa_test.tsv',
    row: { index: '0', question: 'Does it waive?', text: 'Clause.', answer: 'Yes' },
    question: 'Text: Clause.\nDoes it waive?\nAnswer yes or no.',
    answer: { type: 'boolean', value: 'true' },
  },
  {
    adapter: 'natural-reasoning',
    row: { question: 'Why?', reference_answer: 'Heat', responses: [] },
    question: 'Why?',
    answer: text('Heat'),
  },
  {
    adapter: 'nq-open',
    row: { question: 'who', answer: ['Ann', 'Ann Lee', 'Ann'] },
    question: 'who',
    answer: { type: 'text', value: 'Ann', alternatives: ['Ann Lee'] },
  },
  {
    adapter: 'olympiadbench',
    row: {
      id: 1,
      subfield: 'Algebra',
      context: null,
      question: 'Area?',
      solution: [],
      final_answer: ['$166$'],
      is_multiple_answer: false,
      unit: '$cm^2$',
      answer_type: 'Numerical',
      error: null,
    },
    question: 'Area?',
    answer: { type: 'integer', value: '166', unit: '$cm^2$' },
    subject: 'Algebra',
  },
  {
    adapter: 'scibench',
    row: {
      problem_text: 'How long?',
      answer_latex: ' 12',
      answer_number: '12',
      unit: ' $\\mathrm{s}$',
      source: 'fund',
    },
    question: 'How long? The unit of the answer is $\\mathrm{s}$.',
    answer: { type: 'decimal', value: '12', tolerance: 0.05, unit: '$\\mathrm{s}$' },
  },
  {
    adapter: 'svamp',
    row: { Body: 'There are 3 boys', Question: 'How many?', Answer: 3.0, Type: 'Sum', ID: 'x' },
    question: 'There are 3 boys. How many?',
    answer: integer('3'),
  },
  {
    adapter: 'theoremqa',
    row: { Question: 'Is it?', Answer: true, Answer_type: 'bool', Picture: null, field: 'Math' },
    question: 'Is it?',
    answer: { type: 'boolean', value: 'true' },
  },
  {
    adapter: 'theoremqa',
    row: {
      Question: 'Which is right? (a) one; (b) two; (c) three.',
      Answer: '(b)',
      Answer_type: 'option',
      Picture: null,
      field: 'Math',
    },
    question: 'Which is right?',
    options: ['one;', 'two;', 'three.'],
    answer: option('B'),
  },
  {
    adapter: 'theoremqa',
    row: { Question: 'Path?', Answer: [0, 5], Answer_type: 'list of integer', Picture: null },
    question: 'Path?',
    answer: { type: 'expression', value: '[0, 5]' },
  },
  {
    adapter: 'triviaqa',
    row: { Question: 'Who?', Answer: { Value: 'Ann', Aliases: ['A. Lee'] } },
    question: 'Who?',
    answer: { type: 'text', value: 'Ann', alternatives: ['A. Lee'] },
  },
  {
    adapter: 'webinstruct-verified',
    row: { question: 'Speed?', answer: '3 m/s', answer_type: 'Float', category: 'Physics' },
    question: 'Speed?',
    answer: text('3 m/s'),
    subject: 'Physics',
  },
  {
    adapter: 'gaokao2023en',
    row: { source: 's', question: 'M?', lang: 'en', answer: '80' },
    question: 'M?',
    answer: integer('80'),
  },
  {
    adapter: 'math500',
    row: { problem: 'P?', solution: 's', answer: '\\frac{1}{2}', subject: 'Algebra', level: 1, unique_id: 'u' },
    question: 'P?',
    answer: { type: 'fraction', value: '1/2' },
    subject: 'Algebra',
  },
  {
    adapter: 'deepscaler',
    row: { problem: 'P?', answer: '20', difficulty: 4.0 },
    question: 'P?',
    answer: integer('20'),
  },
  {
    adapter: 'numinamath',
    row: { source: 'amc', problem: 'P?', solution: 'so \\boxed{7}', messages: [] },
    question: 'P?',
    answer: integer('7'),
  },
  {
    adapter: 'math',
    row: { problem: 'P?', level: 'Level 1', type: 'Algebra', solution: 'a \\boxed{1} so \\boxed{\\frac{3}{4}}.' },
    question: 'P?',
    answer: { type: 'fraction', value: '3/4' },
  },
  {
    adapter: 'aime',
    row: { id: 1, problem: 'P?', solution: 's', answer: '025', url: 'u' },
    question: 'P?',
    answer: integer('25'),
  },
  {
    adapter: 'amc23',
    row: { id: 1, problem: 'P?', answer: 36.0, url: 'u', question: 'P?' },
    question: 'P?',
    answer: integer('36'),
  },
  {
    adapter: 'nemo-skills',
    row: { id: 'x', problem: 'P?', expected_answer: '0.75', subset_for_metrics: 'hmmt' },
    question: 'P?',
    answer: { type: 'decimal', value: '0.75' },
  },
  {
    adapter: 'deepmath',
    row: roll('deepmath_103k', 'Sum?', '104'),
    question: 'Sum?',
    answer: integer('104'),
    domain: 'math',
  },
  {
    adapter: 'deepmath',
    row: roll('deepmath_103k', 'Which holds?\nA. one\nB. two\nC. three', 'B'),
    question: 'Which holds?',
    options: ['one', 'two', 'three'],
    answer: option('B'),
  },
  {
    adapter: 'multi-subject-rlvr',
    row: roll('RLVR', 'Who?', 'Ann Lee'),
    question: 'Who?',
    answer: text('Ann Lee'),
    domain: 'general',
  },
  { adapter: 'roll', row: roll('math_rule', 'Sum?', '5'), question: 'Sum?', answer: integer('5'), domain: 'math' },
  {
    adapter: 'nemo-gym',
    row: {
      responses_create_params: {
        input: chat(
          'You should output your final response letter inside \\boxed{} and nothing else You can first think step-by-step. Which test?\nA: one\nB: two',
        ),
      },
      options: [{ A: 'one' }, { B: 'two' }],
      expected_answer: 'B',
      reward_profiles: [{ pass_rate: 0.5 }, { pass_rate: 1 }],
    },
    question: 'Which test?',
    options: ['one', 'two'],
    answer: option('B'),
  },
  {
    adapter: 'verl',
    row: {
      data_source: 'deepscaler',
      prompt: chat("Sum? Let's think step by step and output the final answer within \\boxed{}."),
      ability: 'math',
      reward_model: { ground_truth: '12.8', style: 'rule' },
      extra_info: { index: 1 },
    },
    question: 'Sum?',
    answer: { type: 'decimal', value: '12.8' },
    domain: 'math',
  },
  {
    adapter: 'verl',
    row: {
      data_source: 'kk',
      prompt: chat('x'),
      quiz: 'Who is a knight?',
      ability: 'logic',
      reward_model: { ground_truth: { solution_text_format: '(1) A is a knight', statements: '()' } },
    },
    question: 'Who is a knight?',
    answer: text('(1) A is a knight'),
    domain: 'general',
  },
  {
    adapter: 'nemotron-crossthink-original',
    row: {
      data_source: 'persona_math',
      prompt: chat('x'),
      reward_model: { style: 'rule', ground_truth: '5' },
      meta_data: { question: 'Sum?', index: 1 },
    },
    question: 'Sum?',
    answer: integer('5'),
    domain: 'math',
  },
  {
    adapter: 'open-instruct-rlvr',
    row: { messages: chat('What is 1 + 2?'), ground_truth: '3', dataset: 'gsm8k' },
    question: 'What is 1 + 2?',
    answer: integer('3'),
    domain: 'math',
  },
  {
    adapter: 'open-reasoner-zero',
    row: { prompt: [{ from: 'user', value: 'How many?' }], final_answer: '9' },
    question: 'How many?',
    answer: integer('9'),
    domain: 'math',
  },
  {
    adapter: 'open-reasoner-zero',
    row: {
      prompt: [{ from: 'user', value: 'Which?\n\nA. one\nB. two' }],
      final_answer: 'B',
      choices: { A: 'one', B: 'two' },
    },
    question: 'Which?',
    options: ['one', 'two'],
    answer: option('B'),
    domain: 'general',
  },
  {
    adapter: 'trl',
    row: { prompt: chat('Sum?'), solution: 'so $\\boxed{5}$' },
    question: 'Sum?',
    answer: integer('5'),
  },
  {
    adapter: 'common',
    row: { Query: 'Which?', choices: ['one', 'two'], target: 'two' },
    question: 'Which?',
    options: ['one', 'two'],
    answer: option('B'),
  },
  {
    adapter: 'common',
    row: { problem: 'Sum?', expected: 1, gold: 4 },
    question: 'Sum?',
    answer: integer('4'),
    domain: 'math',
  },
];

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
      ],
    };
    const [first, second] = (expand?.(report) ?? []).map((row) => accepted(parse(row, { file: 't.json', row: 1 })));
    expect(first?.question).toBe('| 2019\nProfit | 7.5\n\nAll in EUR.\n\nProfit? Give the answer in millions.');
    expect(first?.answer).toEqual({ type: 'decimal', value: '7.5', unit: 'million' });
    expect(second?.answer).toEqual(text('a; b'));
  });
});
