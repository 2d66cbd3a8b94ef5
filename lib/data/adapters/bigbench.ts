import { answerWithAliases, truthOr } from '../answer.js';
import { asObject, isRowObject, optionalText, requireText, type RowObject, textOf } from '../fields.js';
import { RowProblem } from '../ledger.js';
import { goldOption, labelled } from '../options.js';
import { defineAdapter, type ParsedRow } from './adapter.js';
import { hasFields } from './shapes.js';

/** BIG-bench JSON tasks: options with scores (`target_scores`), or free answers (`target`, text or list). */
export const bigbench = defineAdapter({
  name: 'bigbench-json',
  aliases: ['bigbench', 'big-bench', 'strategyqa'],
  description: 'BIG-bench JSON: {name, examples: [{input, target_scores | target}]}',
  licence: 'Apache-2.0',
  domain: 'general',
  recognises: (row, { envelope }) =>
    hasFields(row, 'input', 'target_scores') || (hasFields(row, 'input', 'target') && envelope?.['name'] !== undefined),
  read(row, { envelope }) {
    const fields = asObject(row);
    const prefix = envelope === undefined ? undefined : optionalText(envelope, 'task_prefix');
    const input = requireText(fields, 'input').trim();
    const question = prefix === undefined ? input : `${prefix}\n${input}`;
    const subject = envelope === undefined ? undefined : optionalText(envelope, 'name');
    return { ...gold(fields, question), subject };
  },
});

function gold(fields: RowObject, question: string): ParsedRow {
  const scores = fields['target_scores'];
  if (isRowObject(scores)) {
    const texts = Object.keys(scores);
    const right = texts.filter((text) => Number(scores[text]) > 0);
    const [only, second] = right;
    if (only === undefined) throw new RowProblem('gold-not-an-option', 'no option has a positive score');
    if (second !== undefined) throw new RowProblem('multi-answer', `${right.length} options have positive scores`);
    if (texts.every((text) => /^(?:yes|no|true|false)$/i.test(text))) {
      return { question: `${question}\nAnswer ${texts.join(' or ')}.`, answer: truthOr(only, 'general') };
    }
    const options = labelled(texts);
    return { question, options, answer: goldOption(options, { index: texts.indexOf(only) }) };
  }
  const target = fields['target'];
  const golds = (Array.isArray(target) ? target : [target]).map((one) => textOf(one, 'target'));
  const [single] = golds;
  return {
    question,
    answer: golds.length === 1 ? truthOr(single ?? '', 'general') : answerWithAliases(golds, 'general'),
  };
}
