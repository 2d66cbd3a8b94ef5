import { typedAnswer } from '../answer.js';
import { asObject, requireText } from '../fields.js';
import { RowProblem } from '../ledger.js';
import { defineAdapter } from './adapter.js';
import { hasFields, readInlineChoices } from './shapes.js';

const PICTURE = /\.(?:jpe?g|png)\b/i;

/** Gaokao 2024: options stand inside the question; the gold is given as text and, for choices, as a letter. */
export const gaokao2024Mix = defineAdapter({
  name: 'gaokao2024-mix',
  aliases: ['gaokao2024'],
  description: 'Gaokao 2024 mix: {question (with "A. … B. …"), answer, choice_answer}',
  licence: 'see source',
  domain: 'math',
  recognises: (row) => hasFields(row, 'question', 'answer', 'choice_answer'),
  read(row) {
    const fields = asObject(row);
    const text = requireText(fields, 'question');
    if (PICTURE.test(text))
      throw new RowProblem('missing-figure', 'the question shows a picture that is not in the file');
    const choices = readInlineChoices(text, requireText(fields, 'choice_answer'));
    if (choices !== undefined) return choices;
    return { question: text, answer: typedAnswer(requireText(fields, 'answer'), 'math') };
  },
});
