import { typedAnswer } from '../answer.js';
import { asObject, optionalText, requireScalar, requireText } from '../fields.js';
import { defineAdapter } from './adapter.js';
import { hasFields } from './shapes.js';

/** SVAMP: a story (`Body`) and what is asked of it (`Question`); answers are floats. */
export const svamp = defineAdapter({
  name: 'svamp',
  description: 'SVAMP: {Body, Question, Answer, Type, ID}',
  licence: 'MIT',
  domain: 'math',
  recognises: (row) => hasFields(row, 'Body', 'Question', 'Answer'),
  read(row) {
    const fields = asObject(row);
    const body = requireText(fields, 'Body').trim();
    const stop = /[.!?,;:]$/.test(body) ? '' : '.';
    return {
      question: `${body}${stop} ${requireText(fields, 'Question').trim()}`,
      answer: typedAnswer(requireScalar(fields, 'Answer'), 'math'),
      subject: optionalText(fields, 'Type'),
    };
  },
});
