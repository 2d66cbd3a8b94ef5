import { asObject, isRowObject } from '../fields.js';
import { RowProblem } from '../ledger.js';
import { defineAdapter } from './adapter.js';
import { lastUserText } from './messages.js';
import { goldText, questionWithAnswer } from './promptRows.js';
import { hasFields } from './shapes.js';

/** TRL rows for GRPO: chat `prompt` and `solution` (LaTeX, often in a box). */
export const trl = defineAdapter({
  name: 'trl',
  aliases: ['trl-grpo'],
  description: 'TRL GRPO rows: {prompt: [{role, content}] | text, solution}',
  licence: 'see source',
  domain: 'math',
  recognises: (row) => hasFields(row, 'prompt', 'solution') && isRowObject(row),
  read(row) {
    const fields = asObject(row);
    const text = lastUserText(fields['prompt']);
    if (text === undefined) throw new RowProblem('missing-field', 'the prompt holds no message of the user');
    const domain = fields['domain'] === 'general' ? 'general' : 'math';
    return { ...questionWithAnswer(text, goldText(fields['solution']), domain, fields['answer_json']), domain };
  },
});
