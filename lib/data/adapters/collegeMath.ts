import { typedAnswer } from '../answer.js';
import { asObject, optionalText, requireText } from '../fields.js';
import { defineAdapter } from './adapter.js';
import { hasFields } from './shapes.js';

/** College Math: textbook exercises, each with a licence of its own (kept in the subject's stead by the source). */
export const collegeMath = defineAdapter({
  name: 'college-math',
  description: 'College Math: {data_source, question_number, question, answer, license, data_topic}',
  licence: 'per row',
  domain: 'math',
  recognises: (row) => hasFields(row, 'question', 'answer', 'question_number'),
  read(row) {
    const fields = asObject(row);
    return {
      question: requireText(fields, 'question'),
      answer: typedAnswer(requireText(fields, 'answer'), 'math'),
      subject: optionalText(fields, 'data_topic'),
    };
  },
});
