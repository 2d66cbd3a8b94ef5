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
    const question = requireText(fields, 'question');
    const gold = requireText(fields, 'answer').replace(
      /^(?:the )?(?:solution|answer)(?: set)? is:?\s+(?=[$\\\d(-])/i,
      '',
    );
    return {
      question,
      answer: typedAnswer(gold, 'math', question),
      subject: optionalText(fields, 'data_topic'),
    };
  },
});
