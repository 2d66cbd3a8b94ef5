import { asObject, optionalText, requireText } from '../fields.js';
import { RowProblem } from '../ledger.js';
import { goldOption, splitOptionLines } from '../options.js';
import { defineAdapter, type ParsedRow } from './adapter.js';
import { lastUserText } from './messages.js';
import { readOpenReasonerZero } from './openReasonerZero.js';
import { goldChoice, hasFields, shuffledOptions } from './shapes.js';

const CSV_FIELDS = [
  'Question',
  'Correct Answer',
  'Incorrect Answer 1',
  'Incorrect Answer 2',
  'Incorrect Answer 3',
] as const;

/**
 * GPQA: the authors' CSV, and the rows of Open-Reasoner-Zero and ROLL. The CSV has the right answer first, so its options
 * are put in an order that depends on the question alone. GPQA's authors ask that rows not be shown in plain text:
 * `curate` withholds the texts (see `withheld`).
 */
export const gpqa = defineAdapter({
  name: 'gpqa',
  aliases: ['gpqa-diamond', 'gpqa-main', 'gpqa-extended'],
  description: 'GPQA: CSV, Open-Reasoner-Zero or ROLL rows; texts are withheld from the output by default',
  licence: 'MIT; not to be shown in plain text',
  domain: 'general',
  withheld: true,
  recognises(row, { file }) {
    if (hasFields(row, ...CSV_FIELDS)) return true;
    if (hasFields(row, 'prompt', 'ground_truth') && /gpqa/i.test(`${String(row['tag'])} ${String(row['source'])}`))
      return true;
    return hasFields(row, 'prompt', 'final_answer', 'choices') && /gpqa/i.test(file);
  },
  read(row) {
    const fields = asObject(row);
    if ('final_answer' in fields) return readOpenReasonerZero(row);
    return 'ground_truth' in fields ? readRoll(fields) : readCsvRow(fields);
  },
});

function readCsvRow(fields: Parameters<typeof requireText>[0]): ParsedRow {
  const [stem, right, ...wrong] = CSV_FIELDS;
  const question = requireText(fields, stem).trim();
  const gold = requireText(fields, right).trim();
  const options = shuffledOptions(question, [gold, ...wrong.map((name) => requireText(fields, name).trim())]);
  return { question, options, answer: goldOption(options, { text: gold }), subject: optionalText(fields, 'Subdomain') };
}

function readRoll(fields: Parameters<typeof requireText>[0]): ParsedRow {
  const text = lastUserText(requireText(fields, 'prompt')) ?? '';
  const split = splitOptionLines(text);
  if (split === undefined) throw new RowProblem('too-few-options', 'the prompt lists no options');
  return { ...split, answer: goldOption(split.options, goldChoice(requireText(fields, 'ground_truth'))) };
}
