import { basename } from 'node:path';
import { typedAnswer } from '../answer.js';
import { asObject, optionalText, requireScalar, requireText } from '../fields.js';
import { RowProblem } from '../ledger.js';
import { defineAdapter, type ParsedRow, type RowContext } from './adapter.js';
import { hasFields, readChoices } from './shapes.js';

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
  recognises: (row) => hasFields(row, 'passage', 'question', 'options', 'label'),
  read(row, context) {
    const subject = subsetOf(context);
    const options = asObject(row)['options'];
    const parsed = options === null || options === '' ? readCloze(row) : readLettered(row);
    return { ...parsed, subject, domain: MATH_SUBSET.test(subject) ? 'math' : 'general' };
  },
});

function readLettered(row: unknown): ParsedRow {
  const fields = asObject(row);
  const label: unknown = fields['label'];
  if (!Array.isArray(label)) {
    return readChoices(row, { question: 'question', options: 'options', gold: 'label', passage: 'passage' });
  }
  const [only, second] = label as readonly unknown[];
  if (second !== undefined) throw new RowProblem('multi-answer', `the gold names several options: ${label.join(', ')}`);
  return readChoices(
    { ...fields, label: only },
    { question: 'question', options: 'options', gold: 'label', passage: 'passage' },
  );
}

function readCloze(row: unknown): ParsedRow {
  const fields = asObject(row);
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
