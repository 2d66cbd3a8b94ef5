import { asObject, optionalText, requireText, requireTexts, type RowObject } from '../fields.js';
import { RowProblem } from '../ledger.js';
import { goldOption } from '../options.js';
import { defineAdapter } from './adapter.js';
import { hasFields, shuffledOptions } from './shapes.js';

/**
 * TruthfulQA as multiple choice with one right answer (the authors' MC1): `mc1_targets`, or the best answer among the
 * incorrect ones of the CSV and generation rows. The right one stands first there, so options are put in another order.
 */
export const truthfulqa = defineAdapter({
  name: 'truthfulqa',
  aliases: ['truthful-qa'],
  description: 'TruthfulQA: {question, mc1_targets} or {Question, Best Answer, Incorrect Answers}',
  licence: 'Apache-2.0',
  domain: 'general',
  recognises: (row) =>
    hasFields(row, 'question', 'mc1_targets') ||
    hasFields(row, 'Question', 'Best Answer', 'Incorrect Answers') ||
    hasFields(row, 'question', 'best_answer', 'incorrect_answers'),
  read(row) {
    const fields = asObject(row);
    const question = requireText(fields, 'question', 'Question').trim();
    const [right, ...wrong] = 'mc1_targets' in fields ? targets(asObject(fields['mc1_targets'])) : answers(fields);
    const options = shuffledOptions(question, [...new Set([right, ...wrong])]);
    const subject = optionalText(fields, 'category') ?? optionalText(fields, 'Category');
    return { question, options, answer: goldOption(options, { text: right }), subject };
  },
});

type RightFirst = readonly [string, ...string[]];

function answers(fields: RowObject): RightFirst {
  const right = requireText(fields, 'best_answer', 'Best Answer').trim();
  const given = fields['incorrect_answers'] ?? fields['Incorrect Answers'];
  const wrong = typeof given === 'string' ? given.split(';') : requireTexts(fields, 'incorrect_answers');
  return [right, ...wrong.map((text) => text.trim()).filter((text) => text !== '')];
}

/** `{choices, labels}` of the hub, `{text: 0 | 1}` of the authors. */
function targets(given: RowObject): RightFirst {
  const columns = Array.isArray(given['choices']) && Array.isArray(given['labels']);
  const texts = columns ? requireTexts(given, 'choices') : Object.keys(given);
  const labels: readonly unknown[] = columns ? (given['labels'] as unknown[]) : Object.values(given);
  const [right, second] = texts.filter((_, i) => Number(labels[i]) === 1);
  if (right === undefined) throw new RowProblem('gold-not-an-option', 'no target is labelled 1');
  if (second !== undefined) throw new RowProblem('multi-answer', 'several targets are labelled 1');
  return [right, ...texts.filter((text) => text !== right)];
}
