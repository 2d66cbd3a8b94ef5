import { RowProblem } from '../ledger.js';
import { typedAnswer } from '../answer.js';
import { asObject, isRowObject, requireText } from '../fields.js';
import { defineAdapter } from './adapter.js';

/** GSM8K, plain and Socratic: the gold is what follows the last `####` of the worked solution. */
export const gsm8k = defineAdapter({
  name: 'gsm8k',
  aliases: ['gsm8k_socratic', 'openai-gsm8k'],
  description: 'GSM8K: {question, answer}, the gold after ####',
  licence: 'MIT',
  domain: 'math',
  plain: { question: ['question'], answer: ['answer'], mark: '####' },
  recognises(row) {
    return isRowObject(row) && typeof row['question'] === 'string' && String(row['answer']).includes('####');
  },
  read(row) {
    const fields = asObject(row);
    const solution = requireText(fields, 'answer');
    const mark = solution.lastIndexOf('####');
    if (mark < 0) throw new RowProblem('missing-field', 'expected the gold after #### at the end of answer');
    const gold = solution.slice(mark + 4);
    return { question: requireText(fields, 'question'), answer: typedAnswer(gold, 'math'), subject: 'arithmetic' };
  },
});
