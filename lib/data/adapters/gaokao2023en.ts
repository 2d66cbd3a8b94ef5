import { typedAnswer } from '../answer.js';
import { asObject, requireScalar, requireText } from '../fields.js';
import { defineAdapter } from './adapter.js';
import { hasFields, readInlineChoices } from './shapes.js';

/** Gaokao 2023 in English: where the gold is a letter, the options stand inside the question. */
export const gaokao2023en = defineAdapter({
  name: 'gaokao2023en',
  aliases: ['gaokao2023'],
  description: 'Gaokao 2023 in English: {source, question, lang, answer}',
  licence: 'see source',
  domain: 'math',
  recognises: (row) => hasFields(row, 'lang', 'source', 'question', 'answer'),
  read(row) {
    const fields = asObject(row);
    const question = requireText(fields, 'question');
    const gold = requireScalar(fields, 'answer');
    return readInlineChoices(question, gold) ?? { question, answer: typedAnswer(gold, 'math') };
  },
});
