import { asObject, optionalText, requireScalar, requireText, requireTexts } from '../fields.js';
import { RowProblem } from '../ledger.js';
import { goldOption, labelled } from '../options.js';
import { defineAdapter } from './adapter.js';
import { hasFields } from './shapes.js';

/** MMLU-Pro: up to ten options, gold as letter and index, which must agree; `N/A` options only fill up. */
export const mmluPro = defineAdapter({
  name: 'mmlu-pro',
  description: 'MMLU-Pro: {question, options[], answer, answer_index, category}',
  licence: 'MIT',
  domain: 'general',
  recognises: (row) => hasFields(row, 'question', 'options', 'answer_index'),
  read(row) {
    const fields = asObject(row);
    const texts = requireTexts(fields, 'options').map((text) => text.trim());
    const options = labelled(texts).filter(({ text }) => text !== 'N/A');
    const letter = requireText(fields, 'answer');
    const index = requireScalar(fields, 'answer_index');
    const answer = goldOption(options, { label: letter });
    if (String(letter.trim().charCodeAt(0) - 65) !== index) {
      throw new RowProblem('label-text-disagree', `gold letter is ${letter} but answer_index is ${index}`);
    }
    return { question: requireText(fields, 'question'), options, answer, subject: optionalText(fields, 'category') };
  },
});
