import { typedAnswer } from '../answer.js';
import { asObject, optionalText, requireText, requireTexts } from '../fields.js';
import { RowProblem } from '../ledger.js';
import { defineAdapter } from './adapter.js';
import { hasFields } from './shapes.js';

/**
 * OlympiadBench: numerical, expression, tuple and interval golds, some with a unit or several final answers (a list, all
 * of which are asked for). `error` is the tolerance the authors give.
 */
export const olympiadbench = defineAdapter({
  name: 'olympiadbench',
  aliases: ['olympiad-bench'],
  description: 'OlympiadBench: {question, context, final_answer[], answer_type, unit, error}',
  licence: 'Apache-2.0',
  domain: 'math',
  recognises: (row) =>
    hasFields(row, 'question', 'final_answer') && ('answer_type' in row || 'is_multiple_answer' in row),
  read(row) {
    const fields = asObject(row);
    if (optionalText(fields, 'modality') === 'Multimodal') {
      throw new RowProblem('missing-figure', 'the question needs its pictures');
    }
    if (fields['final_answer'] === null)
      throw new RowProblem('proof', 'the row asks for a proof: it has no final answer');
    const golds = requireTexts(fields, 'final_answer').map((gold) => gold.trim());
    const plain = golds.join(', ').replaceAll('$', '');
    const answer = typedAnswer(plain, 'math');
    const unit = optionalText(fields, 'unit');
    const tolerance = Number(optionalText(fields, 'error'));
    const context = optionalText(fields, 'context');
    const question = requireText(fields, 'question');
    return {
      question: context === undefined ? question : `${context}\n\n${question}`,
      answer: {
        ...answer,
        ...(unit === undefined ? {} : { unit }),
        ...(answer.type === 'decimal' && tolerance > 0 ? { tolerance } : {}),
      },
      subject: optionalText(fields, 'subfield'),
    };
  },
});
