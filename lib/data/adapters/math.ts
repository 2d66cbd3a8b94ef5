import { typedAnswer } from '../answer.js';
import { asObject, optionalText, requireText } from '../fields.js';
import { defineAdapter } from './adapter.js';
import { boxedGold, hasFields } from './shapes.js';

/** MATH in its original fields: the gold is the last \boxed{} of the solution. */
export const math = defineAdapter({
  name: 'math',
  aliases: ['math_original_fields', 'hendrycks_math', 'competition_math'],
  description: 'MATH: {problem, level, type, solution}, the gold in the last \\boxed{} of the solution',
  licence: 'MIT',
  domain: 'math',
  recognises: (row) => hasFields(row, 'problem', 'solution', 'level', 'type') && !('answer' in row),
  read(row) {
    const fields = asObject(row);
    return {
      question: requireText(fields, 'problem'),
      answer: typedAnswer(boxedGold(requireText(fields, 'solution')), 'math'),
      subject: optionalText(fields, 'type'),
    };
  },
});
