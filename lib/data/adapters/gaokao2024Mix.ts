import { typedAnswer } from '../answer.js';
import { asObject, requireText } from '../fields.js';
import { goldOption, splitInlineOptions } from '../options.js';
import { defineAdapter } from './adapter.js';
import { goldChoice, hasFields } from './shapes.js';

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
    const letter = requireText(fields, 'choice_answer').trim();
    const split = letter === '' ? undefined : splitInlineOptions(text);
    if (split !== undefined) return { ...split, answer: goldOption(split.options, goldChoice(letter)) };
    return { question: text, answer: typedAnswer(requireText(fields, 'answer'), 'math') };
  },
});
