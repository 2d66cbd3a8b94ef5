import { answerWithAliases, typedAnswer } from '../answer.js';
import { asObject, optionalText, requireText } from '../fields.js';
import { defineAdapter } from './adapter.js';
import { boxedGold, hasFields, readLatexChoices } from './shapes.js';

/** A note behind the answer, of a second one; its box is not the gold. */
const ALSO_ACCEPTED = /Note:\s*\$?\\boxed\{([^{}]+)\}\$?\s+is also accepted[^$]*$/;

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
    const solution = requireText(fields, 'solution');
    const gold = boxedGold(solution.replace(ALSO_ACCEPTED, ''));
    const also = ALSO_ACCEPTED.exec(solution)?.[1];
    const question = requireText(fields, 'problem');
    const subject = optionalText(fields, 'type');
    const choice = readLatexChoices(question, gold);
    if (choice !== undefined) return { ...choice, subject };
    const answer = also === undefined ? typedAnswer(gold, 'math', question) : answerWithAliases([gold, also], 'math');
    return { question, answer, subject };
  },
});
