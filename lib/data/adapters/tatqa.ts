import { typedAnswer } from '../answer.js';
import { describe } from '../../errors.js';
import { asObject, isRowObject, optionalText, requireText, type RowObject, textOf } from '../fields.js';
import { RowProblem } from '../ledger.js';
import type { Answer } from '../question.js';
import { defineAdapter } from './adapter.js';
import { hasFields } from './shapes.js';

/**
 * TAT-QA: one row of the file is a report (table and paragraphs) with several questions; each becomes a question that
 * carries its report. Scales (thousand, million, percent) are the unit, and are asked for.
 */
export const tatqa = defineAdapter({
  name: 'tatqa',
  aliases: ['tat-qa'],
  description: 'TAT-QA: [{table, paragraphs[], questions: [{question, answer, answer_type, scale}]}]',
  licence: 'MIT',
  domain: 'general',
  recognises: (row) => hasFields(row, 'table', 'paragraphs', 'questions'),
  expand(row) {
    if (!isRowObject(row) || !Array.isArray(row['questions'])) return [row];
    const { questions, ...report } = row;
    return (questions as unknown[]).map((question) => ({ ...report, question }));
  },
  read(row) {
    const fields = asObject(row);
    const asked = asObject(fields['question']);
    const scale = optionalText(asked, 'scale');
    const answer = gold(asked, scale);
    // Spans without a number may have a scale, too: it says nothing of them.
    const scaled = scale !== undefined && /\d/.test(answer.value);
    const unit = scaled ? ` Give the answer in ${scale === 'percent' ? scale : `${scale}s`}.` : '';
    return {
      question: `${report(fields)}\n\n${requireText(asked, 'question').trim()}${unit}`,
      answer,
      subject: optionalText(asked, 'answer_type'),
    };
  },
});

function report(fields: RowObject): string {
  const table = asObject(fields['table'])['table'];
  if (!Array.isArray(table))
    throw new RowProblem('wrong-type', `table.table must be a list; received ${describe(table)}`);
  const rows = table.map((row: unknown) =>
    (Array.isArray(row) ? row : [row]).map((cell) => textOf(cell, 'a cell')).join(' | '),
  );
  const paragraphs = Array.isArray(fields['paragraphs']) ? fields['paragraphs'] : [];
  const texts = paragraphs.map((paragraph: unknown) => requireText(asObject(paragraph), 'text'));
  return [...rows, '', ...texts].join('\n');
}

function gold(asked: RowObject, scale: string | undefined): Answer {
  const given = asked['answer'];
  if (given === null || given === undefined) throw new RowProblem('empty-answer', 'the question has no answer');
  const parts = (Array.isArray(given) ? given : [given]).map((part: unknown) => textOf(part, 'answer').trim());
  const answer = typedAnswer(parts.join('; '), 'general');
  return scale === undefined || answer.type === 'text' ? answer : { ...answer, unit: scale };
}
