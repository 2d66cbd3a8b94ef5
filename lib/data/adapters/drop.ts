import { answerWithAliases } from '../answer.js';
import { asObject, isRowObject, optionalText, requireText, requireTexts, type RowObject, textOf } from '../fields.js';
import { RowProblem } from '../ledger.js';
import type { Answer } from '../question.js';
import { defineAdapter } from './adapter.js';
import { hasFields } from './shapes.js';

/**
 * DROP: passage, question and a number, date or spans; the authors' passages with their `qa_pairs`, and Hugging Face rows.
 * From documented fields. The latter put all spans into one list: further annotators' answers, which count as well where
 * one holds the other, and answers of several spans, which are one list.
 */
export const dropQa = defineAdapter({
  name: 'drop',
  description: 'DROP: {passage, question, answers_spans: {spans[]}} or {…, answer: {number, date, spans}}; unverified',
  licence: 'CC-BY-SA-4.0',
  domain: 'general',
  recognises: (row) =>
    hasFields(row, 'passage', 'qa_pairs') ||
    (hasFields(row, 'passage', 'question') &&
      ('answers_spans' in row || (isRowObject(row['answer']) && 'spans' in row['answer']))),
  expand(row) {
    if (!isRowObject(row) || !Array.isArray(row['qa_pairs'])) return [row];
    const passage = row['passage'];
    return (row['qa_pairs'] as unknown[]).map((pair) => (isRowObject(pair) ? { passage, ...pair } : pair));
  },
  read(row) {
    const fields = asObject(row);
    const answer =
      'answers_spans' in fields ? fromSpans(asObject(fields['answers_spans'])) : fromParts(asObject(fields['answer']));
    return { question: `${requireText(fields, 'passage')}\n\n${requireText(fields, 'question')}`, answer };
  },
});

function fromSpans(answers: RowObject): Answer {
  const spans = [...new Set(requireTexts(answers, 'spans').map((span) => span.trim()))];
  const [first = ''] = spans;
  const alike = spans.every((span) => span.includes(first) || first.includes(span));
  return answerWithAliases(alike ? spans : [spans.join(', ')], 'general');
}

function fromParts(answer: RowObject): Answer {
  const number = optionalText(answer, 'number');
  if (number !== undefined) return answerWithAliases([number], 'general');
  const spans = Array.isArray(answer['spans']) ? answer['spans'].map((span) => textOf(span, 'spans')) : [];
  if (spans.length > 0) return answerWithAliases([spans.join(', ')], 'general');
  const date = isRowObject(answer['date']) ? answer['date'] : {};
  const text = ['day', 'month', 'year'].flatMap((part) => optionalText(date, part) ?? []).join(' ');
  if (text === '') throw new RowProblem('empty-answer', 'neither number, nor spans, nor date is given');
  return { type: 'text', value: text };
}
