import { typedAnswer } from '../answer.js';
import { asObject, optionalText, requireText } from '../fields.js';
import { RowProblem } from '../ledger.js';
import { defineAdapter } from './adapter.js';
import { boxedGold, hasFields, readInlineChoices, readLatexChoices } from './shapes.js';

/**
 * NuminaMath (CoT, TIR and 1.5): `answer` where there is one, the solution's last box otherwise; proofs have neither.
 * Options of multiple choice stand in the problem, as text or as LaTeX.
 */
export const numinaMath = defineAdapter({
  name: 'numinamath',
  aliases: ['numina', 'numinamath-cot', 'numinamath-tir', 'numinamath-1.5'],
  description: 'NuminaMath: {problem, solution, messages} or {…, answer, problem_type}; unverified',
  licence: 'Apache-2.0',
  domain: 'math',
  recognises: (row) => hasFields(row, 'problem', 'solution') && ('messages' in row || 'problem_type' in row),
  read(row) {
    const fields = asObject(row);
    const given = optionalText(fields, 'answer');
    if (given?.toLowerCase() === 'proof') throw new RowProblem('proof', 'the row asks for a proof');
    if (given?.toLowerCase() === 'notfound') throw new RowProblem('empty-answer', 'the row says that it has no answer');
    const gold = given ?? boxedGold(requireText(fields, 'solution'));
    const subject = optionalText(fields, 'problem_type') ?? optionalText(fields, 'source');
    const problem = requireText(fields, 'problem');
    const choice = readInlineChoices(problem, gold) ?? readLatexChoices(problem, gold);
    return choice === undefined
      ? { question: problem, answer: typedAnswer(gold, 'math', problem), subject }
      : { ...choice, subject };
  },
});
