import { answerWithAliases } from '../answer.js';
import { asObject, isRowObject, requireText, textOf } from '../fields.js';
import { defineAdapter } from './adapter.js';

/** TriviaQA: the value and all its aliases count; both the authors' spelling of the fields and Hugging Face's. */
export const triviaqa = defineAdapter({
  name: 'triviaqa',
  aliases: ['trivia-qa'],
  description: 'TriviaQA: {Question, Answer: {Value, Aliases[]}}',
  licence: 'Apache-2.0',
  domain: 'general',
  recognises: (row) =>
    isRowObject(row) &&
    [row['Answer'], row['answer']].some((a) => isRowObject(a) && ('Aliases' in a || 'aliases' in a)),
  read(row) {
    const fields = asObject(row);
    const answer = asObject(fields['Answer'] ?? fields['answer']);
    const aliases = answer['Aliases'] ?? answer['aliases'];
    const value = requireText(answer, 'Value', 'value');
    const others = Array.isArray(aliases) ? aliases.map((alias) => textOf(alias, 'Aliases')) : [];
    return {
      question: requireText(fields, 'Question', 'question'),
      answer: answerWithAliases([value, ...others], 'general'),
    };
  },
});
