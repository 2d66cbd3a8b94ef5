import { asObject, optionalText } from '../fields.js';
import { RowProblem } from '../ledger.js';
import { defineAdapter } from './adapter.js';
import { lastUserText } from './messages.js';
import { domainOf, goldText, questionWithGold, trainingGold } from './promptRows.js';
import { hasFields } from './shapes.js';

/** open-instruct RLVR rows: chat messages, gold, and the name of the data set they came from. */
export const openInstruct = defineAdapter({
  name: 'open-instruct-rlvr',
  aliases: ['open-instruct'],
  description: 'open-instruct RLVR rows: {messages[], ground_truth, dataset}',
  licence: 'see source',
  domain: 'general',
  recognises: (row) => hasFields(row, 'messages', 'ground_truth') && !('prompt' in row),
  read(row) {
    const fields = asObject(row);
    const text = lastUserText(fields['messages']);
    if (text === undefined) throw new RowProblem('missing-field', 'messages hold no message of the user');
    const domain = domainOf(fields, 'general', 'dataset');
    const gold = fields['ground_truth'];
    if (Array.isArray(gold)) return { question: text, answer: trainingGold(gold, domain), domain };
    const subject = optionalText(fields, 'dataset');
    return { ...questionWithGold(text, goldText(gold), domain), domain, subject };
  },
});
