import { asObject, isRowObject, requireScalar, type RowObject } from '../fields.js';
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

/**
 * A training row, a question and an assistant's turn that holds only the gold: a list of two, on the Hugging Face hub
 * columns `0` and `1`. Undefined for other rows.
 */
function dialogue(row: unknown): RowObject | undefined {
  const [asked, answered] = Array.isArray(row) ? (row as unknown[]) : isRowObject(row) ? [row['0'], row['1']] : [];
  if (!isRowObject(asked) || !isRowObject(answered) || !isRowObject(answered['ground_truth'])) return undefined;
  return { prompt: [asked], final_answer: answered['ground_truth']['value'] };
}

/**
 * Open-Reasoner-Zero: dialogues of its training data, and `{prompt: [{from, value}], final_answer}` with `choices` of its
 * evaluation sets.
 */
export const openReasonerZero = defineAdapter({
  name: 'open-reasoner-zero',
  aliases: ['openreasonerzero', 'openreasonerzero_format', 'orz'],
  description: 'Open-Reasoner-Zero rows: {prompt: [{from, value}], final_answer, choices?}',
  licence: 'MIT',
  domain: 'math',
  recognises: (row) => hasFields(row, 'prompt', 'final_answer') || dialogue(row) !== undefined,
  read: (row) => readOpenReasonerZero(dialogue(row) ?? row),
});
