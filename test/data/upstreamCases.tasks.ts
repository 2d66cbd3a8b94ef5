import { type Upstream, choices } from './upstreamCase.js';

const [a, b, c] = choices;
const row = { question: 'Which sort of stone floats?', answer: 'B' };

/** Tasks of mixed forms and questions about passages, in the fields of originals and of copies that are often met. */
export const TASK_FILES: readonly Upstream[] = [
  [
    'BBH, hub',
    'snarks.jsonl',
    [
      { input: `Which one?\nOptions:\n(A) ${a}\n(B) ${b}`, target: '(B)' },
      { input: 'Is it so?\nOptions:\n- valid\n- invalid', target: 'invalid' },
      { input: 'not ( True ) is', target: 'False' },
    ],
    'bbh',
    ['B/2', 'B/2', 'boolean:false'],
    'Which one?',
  ],
  [
    'WebInstruct-verified',
    'w.jsonl',
    [
      {
        id: 1,
        question: `Which?\nA. ${a}\nB. ${b}\nC. ${c}`,
        answer: 'C',
        answer_type: 'Multiple Choice',
        category: 'Physics',
        difficulty: 'x',
      },
      { id: 2, question: 'Is it?', answer: 'Yes', answer_type: 'Boolean', category: 'Law', difficulty: 'x' },
      {
        id: 3,
        question: 'Solve.',
        answer: '\\frac{x}{2}',
        answer_type: 'Expression',
        category: 'Mathematics',
        difficulty: 'x',
      },
      { id: 4, question: 'Speed?', answer: '3.5', answer_type: 'Float', category: 'Physics', difficulty: 'x' },
    ],
    'webinstruct-verified',
    ['C/3', 'boolean:true', 'expression:\\frac{x}{2}', 'decimal:3.5'],
  ],
  [
    'GAOKAO-Bench',
    '2010-2022_MCQs.json',
    {
      keywords: 'k',
      example: [
        {
          year: '2010',
          category: 'x',
          question: '1. 石？ A． 花岗 B． 砂 C． 页 D． 泥',
          answer: ['D'],
          analysis: 's',
          index: 0,
          score: 5,
        },
        {
          year: '2010',
          category: 'x',
          question: '2. 石？ A． 花岗 B． 砂 C． 页 D． 泥',
          answer: ['A', 'D'],
          analysis: 's',
          index: 1,
          score: 5,
        },
      ],
    },
    undefined,
    ['D/4', '!multi-answer'],
  ],
  [
    'LegalBench, hub',
    'hearsay/test.jsonl',
    [{ answer: 'No', index: '0', text: 'He ran.' }],
    'legalbench',
    ['boolean:false'],
  ],
  [
    'DROP, original',
    'drop_dataset_dev.json',
    {
      nfl_1: {
        passage: 'Ann ran 3 miles on May 2, with Bo and Cy.',
        wiki_url: 'u',
        qa_pairs: [
          {
            question: 'How far?',
            answer: { number: '3', date: { day: '', month: '', year: '' }, spans: [] },
            query_id: 'q1',
          },
          {
            question: 'Who ran with her?',
            answer: { number: '', date: { day: '', month: '', year: '' }, spans: ['Bo', 'Cy'] },
            query_id: 'q2',
          },
          {
            question: 'When?',
            answer: { number: '', date: { day: '2', month: 'May', year: '' }, spans: [] },
            query_id: 'q3',
          },
        ],
      },
    },
    'drop',
    ['integer:3', 'text:Bo, Cy', 'text:2 May'],
  ],
  [
    'DROP, hub',
    'd.jsonl',
    [
      {
        section_id: 's',
        query_id: 'q',
        passage: 'Bo and Cy ran.',
        question: 'Who ran?',
        answers_spans: { spans: ['Bo', 'Cy'], types: ['span', 'span'] },
      },
      {
        section_id: 's',
        query_id: 'q',
        passage: 'Bo Li ran.',
        question: 'Who ran?',
        answers_spans: { spans: ['Bo', 'Bo Li'], types: ['span', 'span'] },
      },
    ],
    'drop',
    ['text:Bo, Cy', 'text:Bo|Bo Li'],
  ],
  [
    'MuSR',
    'm.csv',
    `narrative,question,choices,answer_index,answer_choice\nBo ran.,Who ran?,"['Ann', 'Bo']",1,Bo\n`,
    undefined,
    ['B/2'],
  ],
  [
    'options written below the question',
    'q.jsonl',
    [{ ...row, question: `${row.question}\nOptions:\nA) ${a}\nB) ${b}` }],
    undefined,
    ['B/2'],
    row.question,
  ],
  [
    'a picture is not at hand',
    'hle.jsonl',
    [
      {
        id: 'x',
        question: 'What is shown?',
        image: 'data:image/png;base64,AAAA',
        answer: 'A hen',
        answer_type: 'exactMatch',
        category: 'Other',
      },
    ],
    undefined,
    ['!missing-figure'],
  ],
];
