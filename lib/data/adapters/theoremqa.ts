import { truthOr, typedAnswer } from '../answer.js';
import { describe } from '../../errors.js';
import { asObject, optionalText, requireText, type RowObject, textOf } from '../fields.js';
import { RowProblem } from '../ledger.js';
import type { Answer } from '../question.js';
import { goldOption, splitInlineOptions } from '../options.js';
import { defineAdapter, type ParsedRow } from './adapter.js';
import { goldChoice, hasFields, refusePictures } from './shapes.js';

/** Relative tolerance of TheoremQA's own scorer for floats. */
const TOLERANCE = 0.04;

/** TheoremQA: typed golds (integer, float, bool, option, lists). Rows that need their picture are dropped. */
export const theoremqa = defineAdapter({
  name: 'theoremqa',
  description: 'TheoremQA: {Question, Answer, Answer_type, Picture, theorem, field}',
  licence: 'MIT',
  domain: 'math',
  recognises: (row) => hasFields(row, 'Question', 'Answer', 'Answer_type'),
  read(row) {
    const fields = asObject(row);
    refusePictures(fields, 'Picture');
    return { ...content(fields), subject: optionalText(fields, 'field') };
  },
});

function content(fields: RowObject): ParsedRow {
  const question = requireText(fields, 'Question');
  const value = fields['Answer'];
  if (fields['Answer_type'] === 'option') {
    // The questions write their options as (a), (b), …
    const upper = question.replace(/\(([a-h])\)\s*/g, (_match, letter: string) => ` ${letter.toUpperCase()}. `);
    const split = splitInlineOptions(upper) ?? undefined;
    if (split !== undefined)
      return { ...split, answer: goldOption(split.options, goldChoice(textOf(value, 'Answer'))) };
    return { question, answer: { type: 'text', value: textOf(value, 'Answer') } };
  }
  return { question, answer: scalarOrList(value, fields['Answer_type'] === 'bool') };
}

/** A list as text, lists in it included. */
function listText(items: readonly unknown[]): string {
  const texts = items.map((item) => (Array.isArray(item) ? listText(item) : textOf(item, 'an item of Answer')));
  return `[${texts.join(', ')}]`;
}

/** The gold; tables give truth values as text. */
function scalarOrList(value: unknown, truth: boolean): Answer {
  if (typeof value === 'boolean' || (truth && typeof value === 'string')) return truthOr(String(value), 'math');
  if (Array.isArray(value)) return { type: 'expression', value: listText(value) };
  if (typeof value === 'number' || typeof value === 'string') {
    const answer = typedAnswer(String(value), 'math');
    return answer.type === 'decimal' ? { ...answer, tolerance: TOLERANCE } : answer;
  }
  throw new RowProblem('wrong-type', `Answer must be a number, truth value, text or list; received ${describe(value)}`);
}
