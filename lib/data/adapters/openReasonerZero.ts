import { asObject, isRowObject, requireScalar } from '../fields.js';
import { RowProblem } from '../ledger.js';
import { goldOption, optionsFromMap, splitOptionLines } from '../options.js';
import { typedAnswer } from '../answer.js';
import { defineAdapter, type ParsedRow } from './adapter.js';
import { lastUserText } from './messages.js';
import { goldChoice, hasFields } from './shapes.js';

/** A row of Open-Reasoner-Zero: with `choices`, a multiple-choice question whose prompt lists them too. */
export function readOpenReasonerZero(row: unknown): ParsedRow {
  const fields = asObject(row);
  const text = lastUserText(fields['prompt']);
  if (text === undefined) throw new RowProblem('missing-field', 'the prompt holds no message of the user');
  const gold = requireScalar(fields, 'final_answer');
  if (!isRowObject(fields['choices'])) return { question: text, answer: typedAnswer(gold, 'math'), domain: 'math' };
  const options = optionsFromMap(fields['choices']);
  const question = splitOptionLines(text)?.question ?? text;
  return { question, options, answer: goldOption(options, goldChoice(gold)), domain: 'general' };
}

/** Open-Reasoner-Zero: `{prompt: [{from, value}], final_answer}`, with `choices` in its evaluation sets. */
export const openReasonerZero = defineAdapter({
  name: 'open-reasoner-zero',
  aliases: ['openreasonerzero', 'openreasonerzero_format', 'orz'],
  description: 'Open-Reasoner-Zero rows: {prompt: [{from, value}], final_answer, choices?}',
  licence: 'MIT',
  domain: 'math',
  recognises: (row) => hasFields(row, 'prompt', 'final_answer'),
  read: readOpenReasonerZero,
});
