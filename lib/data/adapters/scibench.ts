import { numericAnswer, typedAnswer } from '../answer.js';
import { asObject, optionalText, requireScalar, requireText } from '../fields.js';
import { defineAdapter } from './adapter.js';
import { hasFields } from './shapes.js';

/** Relative tolerance that SciBench's own scorer allows. */
const TOLERANCE = 0.05;

/**
 * SciBench: a number and its unit. Units such as `$10^6$` scale the answer, so the question says the unit, as the
 * authors' prompt does.
 */
export const scibench = defineAdapter({
  name: 'scibench',
  description: 'SciBench: {problem_text, answer_number, unit, answer_latex, source}',
  licence: 'MIT',
  domain: 'math',
  recognises: (row) => hasFields(row, 'problem_text', 'answer_number'),
  read(row) {
    const fields = asObject(row);
    const unit = optionalText(fields, 'unit');
    const given = requireScalar(fields, 'answer_number').trim().replace('−', '-');
    const number = numericAnswer(given.replace(/^\+/, '')) ?? typedAnswer(given, 'math');
    const problem = requireText(fields, 'problem_text').trim();
    return {
      question: unit === undefined ? problem : `${problem} The unit of the answer is ${unit}.`,
      // Measured quantities: an integer gold is as rounded as a decimal one.
      answer: {
        ...number,
        ...(number.type === 'integer' ? { type: 'decimal' as const } : {}),
        ...(number.type === 'integer' || number.type === 'decimal' ? { tolerance: TOLERANCE } : {}),
        ...(unit === undefined ? {} : { unit }),
      },
      subject: optionalText(fields, 'source'),
    };
  },
});
