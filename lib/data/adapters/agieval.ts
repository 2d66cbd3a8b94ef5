import { basename } from 'node:path';
import { typedAnswer } from '../answer.js';
import { asObject, optionalText, requireScalar, requireText, type RowObject } from '../fields.js';
import { defineAdapter, type ParsedRow, type RowContext } from './adapter.js';
import { hasFields, onlyGold, readChoices } from './shapes.js';

const MATH_SUBSET = /math|aqua/i;

/**
 * AGIEval, all subsets: letter golds in `label`, cloze golds in `answer`, an optional passage. Rows with several right
 * letters (`"ACD"`, `["A","C"]`: Gaokao and JEC-QA have some) are dropped as `multi-answer`. A cloze gold with several
 * blanks (`5;10`) becomes a list.
 */
export const agieval = defineAdapter({
  name: 'agieval',
  description: 'AGIEval v1 and v1.1: {passage, question, options: ["(A)…"], label, answer, other}',
  licence: 'MIT',
  domain: 'general',
  recognises: (row) =>
    hasFields(row, 'passage', 'question', 'options', 'label') ||
    (hasFields(row, 'query', 'choices', 'gold') && HARNESS.test(String(row['query']))),
  read(row, context) {
    const subject = subsetOf(context);
    const parsed = readOne(asObject(row));
    return { ...parsed, subject, domain: MATH_SUBSET.test(subject) ? 'math' : 'general' };
  },
});

/** The prompt that the copy on the Hugging Face hub has made of question and options. */
const HARNESS = /^Q: ([\s\S]*?)\s*Answer Choices:[\s\S]*\nA: Among A through/;

function readOne(fields: RowObject): ParsedRow {
  const asked = HARNESS.exec(optionalText(fields, 'query') ?? '')?.[1];
  if (asked !== undefined) {
    const gold: unknown = fields['gold'];
    const row = { question: asked, choices: fields['choices'], gold: Array.isArray(gold) ? onlyGold(gold) : gold };
    return readChoices(row, { question: 'question', options: 'choices', gold: 'gold' });
  }
  const { options, label }: RowObject = fields;
  if (options === null || options === undefined || options === '') return readCloze(fields);
  const row = { ...fields, label: Array.isArray(label) ? onlyGold(label) : label };
  return readChoices(row, { question: 'question', options: 'options', gold: 'label', passage: 'passage' });
}

function readCloze(fields: RowObject): ParsedRow {
  const passage = optionalText(fields, 'passage');
  const question = requireText(fields, 'question');
  const blanks = requireScalar(fields, 'answer').split(/[;；]/);
  const parts = blanks.map((part) => part.trim().replace(/^\$([^$]*)\$$/, '$1'));
  return {
    question: passage === undefined ? question : `${passage}\n\n${question}`,
    answer: typedAnswer(parts.join(', '), 'math'),
  };
}

function subsetOf({ file }: RowContext): string {
  return basename(file).replace(/\.jsonl?(?:\.\w+)?$/, '');
}
