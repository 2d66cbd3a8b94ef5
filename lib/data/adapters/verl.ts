import { asObject, isRowObject, optionalText } from '../fields.js';
import { RowProblem } from '../ledger.js';
import { defineAdapter } from './adapter.js';
import { lastUserText } from './messages.js';
import { domainOf, goldText, questionWithAnswer, textList, trainingGold } from './promptRows.js';

/**
 * Rows in verl's training format: chat `prompt`, `reward_model.ground_truth` (text, list, or an object of the task),
 * `data_source`, `ability`. Rows without a gold (prompts alone, unlabelled copies) are dropped as `empty-answer`.
 */
export const verl = defineAdapter({
  name: 'verl',
  aliases: ['verl_parquet', 'skyrl'],
  description: 'verl rows: {data_source, prompt[], ability, reward_model: {ground_truth}, extra_info}; SkyRL alike',
  licence: 'see source',
  domain: 'general',
  recognises: (row) =>
    isRowObject(row) &&
    'prompt' in row &&
    (isRowObject(row['reward_model']) ||
      isRowObject(row['reward_spec']) ||
      (Object.keys(row).length === 1 && Array.isArray(row['prompt']))),
  read(row) {
    const fields = asObject(row);
    const reward = fields['reward_model'] ?? fields['reward_spec'];
    const gold = isRowObject(reward) ? reward['ground_truth'] : undefined;
    if (gold === null || gold === undefined)
      throw new RowProblem('empty-answer', 'the row has no reward_model.ground_truth');
    const extra = isRowObject(fields['extra_info']) ? fields['extra_info'] : {};
    const text =
      optionalText(fields, 'quiz') ??
      optionalText(fields, 'problem') ??
      optionalText(extra, 'question') ??
      lastUserText(fields['prompt']);
    if (text === undefined) throw new RowProblem('missing-field', 'the prompt holds no message of the user');
    const domain = domainOf(fields, 'general', 'ability', 'data_source');
    const subject = optionalText(fields, 'ability') ?? optionalText(fields, 'data_source');
    const golds = textList(gold) ?? gold;
    if (Array.isArray(golds)) return { question: text, answer: trainingGold(golds, domain), domain, subject };
    return { ...questionWithAnswer(text, goldText(gold), domain, extra['answer_json']), domain, subject };
  },
});
