import { truthOr } from '../answer.js';
import { asObject, isRowObject, optionalText } from '../fields.js';
import { RowProblem } from '../ledger.js';
import { goldOption, optionsFromMap, splitOptionLines } from '../options.js';
import { defineAdapter } from './adapter.js';
import { lastUserText } from './messages.js';
import { domainOf, exportedAnswer, goldText } from './promptRows.js';
import { goldChoice } from './shapes.js';

/** NeMo Gym rows of its question servers: mcqa (options), math, string match, equivalence and physics judges. */
export const nemoGym = defineAdapter({
  name: 'nemo-gym',
  aliases: ['nemogym'],
  description: 'NeMo Gym rows: {responses_create_params: {input}, expected_answer, options?, question?}',
  licence: 'see source',
  domain: 'general',
  recognises: (row) => isRowObject(row) && isRowObject(row['responses_create_params']),
  read(row, { file }) {
    const fields = asObject(row);
    const text = optionalText(fields, 'question') ?? lastUserText(asObject(fields['responses_create_params'])['input']);
    if (text === undefined) throw new RowProblem('missing-field', 'neither question nor a message of the user');
    const gold = fields['expected_answer'];
    if (gold === undefined || gold === null) throw new RowProblem('empty-answer', 'the row has no expected_answer');
    const subject = optionalText(fields, 'domain') ?? optionalText(fields, 'subject');
    const passRate = meanPassRate(fields['reward_profiles']);
    const shared = { subject, ...(passRate === undefined ? {} : { passRate }) };
    if (Array.isArray(fields['options'])) {
      // A mapping an option; Parquet gives each the labels of all, with null for those that it has not.
      const entries = fields['options'].flatMap((option: unknown) => Object.entries(asObject(option)));
      const options = optionsFromMap(Object.fromEntries(entries.filter(([, value]) => value !== null)));
      const question = splitOptionLines(text)?.question ?? text;
      return { question, options, answer: goldOption(options, goldChoice(goldText(gold))), ...shared };
    }
    const domain = /math/i.test(file) ? 'math' : domainOf(fields, 'general', 'domain', 'subject');
    const exported = isRowObject(fields['metadata']) ? fields['metadata'] : {};
    const kept = exportedAnswer(exported['answer_json']);
    if (kept !== undefined)
      return { question: text, answer: kept, domain: exported['domain'] === 'math' ? 'math' : domain, ...shared };
    const typed = optionalText(fields, 'answer_type') === 'expression' ? 'math' : domain;
    return { question: text, answer: truthOr(goldText(gold), typed), domain, ...shared };
  },
});

/** Mean of the recorded pass rates, over models. */
function meanPassRate(profiles: unknown): number | undefined {
  if (!Array.isArray(profiles)) return undefined;
  const rates = profiles.filter(isRowObject).map((profile) => Number(profile['pass_rate']));
  const valid = rates.filter((rate) => rate >= 0 && rate <= 1);
  return valid.length === 0 ? undefined : valid.reduce((a, b) => a + b, 0) / valid.length;
}
