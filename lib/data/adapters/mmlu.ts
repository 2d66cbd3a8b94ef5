import { basename } from 'node:path';
import { RowProblem } from '../ledger.js';
import {
  asObject,
  isRowObject,
  optionalText,
  requireScalar,
  requireText,
  requireTexts,
  type RowObject,
  textOf,
} from '../fields.js';
import { goldOption, labelled } from '../options.js';
import { defineAdapter, type ParsedRow, type RowContext } from './adapter.js';
import { goldChoice } from './shapes.js';

const QUESTION = ['question', 'input', 'prompt'];
const GOLD = ['answer', 'target'];
const OPTION_COLUMN = /^(?:choice|option|ans(?:wer)?)[ _]?([0-9]|[a-j])$|^([a-j])$/i;

/**
 * MMLU in its layouts: the authors' CSV (no header; question, options, letter), the CSV with a header and a gold index
 * (`question,choice0,…,answer`), the Hugging Face rows (`question, subject, choices[], answer`), and rows with a column
 * an option (`input, A, B, C, D, target`), as those made after it have them (MMMLU, CMMLU, C-Eval, Kaggle's exam).
 */
export const mmlu = defineAdapter({
  name: 'mmlu',
  aliases: ['mmlu_original_csv', 'mmlu_header_index_csv', 'mmlu_train', 'cais-mmlu'],
  description: 'MMLU: headerless CSV with letter gold, CSV with header and index gold, Hugging Face rows',
  licence: 'MIT',
  domain: 'general',
  recognises(row) {
    if (Array.isArray(row)) return row.length >= 4 && row.length <= 12 && /^\s*[A-J]\s*$/.test(String(row.at(-1)));
    if (!isRowObject(row)) return false;
    const isChoices = Array.isArray(row['choices']) && 'subject' in row;
    const asks = QUESTION.some((name) => name in row) && GOLD.some((name) => name in row);
    return asks && (isChoices || optionColumns(row).length >= ('question' in row ? 2 : 4));
  },
  read(row, context) {
    if (Array.isArray(row)) return readCells(row, context);
    const fields = asObject(row);
    const columns = optionColumns(fields);
    const texts =
      columns.length > 0 ? columns.map((name) => requireScalar(fields, name)) : requireTexts(fields, 'choices');
    const options = labelled(texts);
    return {
      question: requireText(fields, ...QUESTION),
      options,
      answer: goldOption(options, goldChoice(requireScalar(fields, ...GOLD))),
      subject: optionalText(fields, 'subject') ?? subjectOf(context),
    };
  },
});

function readCells(cells: readonly unknown[], context: RowContext): ParsedRow {
  const [question, ...rest] = cells.map((cell) => textOf(cell, 'a cell'));
  const gold = rest.pop();
  if (question === undefined || gold === undefined || rest.length < 2) {
    throw new RowProblem('wrong-type', `expected question, options and gold letter; received ${cells.length} cells`);
  }
  const options = labelled(rest);
  return { question, options, answer: goldOption(options, goldChoice(gold)), subject: subjectOf(context) };
}

function optionColumns(row: RowObject): string[] {
  return Object.keys(row).filter((name) => OPTION_COLUMN.test(name));
}

/** `test/anatomy_test.csv` is the subject anatomy; other names say nothing. */
function subjectOf({ file }: RowContext): string | undefined {
  return /^(.+)_(?:test|dev|val|train|auxiliary_train)\.csv/.exec(basename(file))?.[1];
}
