import { describe } from '../../errors.js';
import { asObject, isRowObject, optionalText, scalarText, type RowObject } from '../fields.js';
import { RowProblem } from '../ledger.js';
import { parseLiteral } from '../literal.js';
import { goldOption, labelled, optionsFromMap, unlabelled } from '../options.js';
import type { Domain, Option } from '../question.js';
import { defineAdapter, type ParsedRow } from './adapter.js';
import { lastUserText } from './messages.js';
import { domainOf, goldText, questionWithAnswer, splitOptions, trainingGold } from './promptRows.js';
import { goldChoice } from './shapes.js';

const QUESTION = [
  'question',
  'problem',
  'query',
  'prompt',
  'input',
  'instruction',
  'text',
  'question_text',
  'stem',
  'goal',
  'ctx',
  'sentence',
];
/** What a question is asked about, given beside it. */
const PASSAGE = ['passage', 'context', 'article'];
const OPTIONS = ['options', 'choices', 'candidates', 'endings'];
const GOLD = [
  'answer_idx',
  'answer',
  'gold',
  'expected_answer',
  'final_answer',
  'ground_truth',
  'reference_answer',
  'correct_answer',
  'target',
  'label',
  'answer_key',
  'correct',
  'output',
  'solution',
  'correct_option',
];

/** Rows of no known data set whose field names say what they hold; the last resort of `--adapter auto`. */
export const common = defineAdapter({
  name: 'common',
  aliases: ['question-answer', 'qa'],
  description: 'any rows with fields such as question | problem | prompt, answer | target | …, options | choices',
  licence: 'unknown',
  domain: 'general',
  recognises: (row) => isRowObject(row) && nameIn(row, QUESTION) !== undefined && nameIn(row, GOLD) !== undefined,
  read(row, { file }) {
    const fields = asObject(row);
    const [asked, right] = [nameIn(fields, QUESTION), nameIn(fields, GOLD)];
    if (asked === undefined || right === undefined) {
      throw new RowProblem(
        'unrecognised',
        `no question or no answer among ${Object.keys(fields).slice(0, 12).join(', ')}`,
      );
    }
    const text = lastUserText(fields[asked]);
    if (text === undefined)
      throw new RowProblem('wrong-type', `${asked} must be text; received ${describe(fields[asked])}`);
    const info = jsonObject(fields['info']);
    const passageName = nameIn(fields, PASSAGE);
    const passage = passageName === undefined ? undefined : optionalText(fields, passageName);
    const asking = passage === undefined || text.includes(passage) ? text : `${passage}\n\n${text}`;
    const domain =
      statedDomain(fields['domain'] ?? info['domain']) ??
      domainOf(
        fields,
        /problem/i.test(asked) || MATH_FILE.test(file) ? 'math' : 'general',
        'subject',
        'category',
        'source',
        'data_source',
      );
    const subject = optionalText(fields, 'subject') ?? optionalText(fields, 'category');
    const gold = listText(fields[right]) ?? fields[right];
    const options = optionsOf(fields);
    if (options !== undefined) {
      const question = splitOptions(asking)?.question ?? asking;
      return { question, options, answer: goldOption(options, goldChoice(onlyGold(gold))), domain, subject };
    }
    const columns = Object.keys(fields).filter((name) => OPTION_COLUMN.test(name) && name !== right);
    if (columns.length >= 2)
      return { question: asking, ...columnChoice(fields, columns, goldText(gold)), domain, subject };
    if (Array.isArray(gold)) return { question: asking, answer: trainingGold(gold, domain), domain, subject };
    const exported = fields['answer_json'] ?? info['answer_json'];
    return { ...questionWithAnswer(asking, goldText(gold), domain, exported), domain, subject };
  },
});

/** File names of mathematics, where rows do not say so themselves. */
const MATH_FILE = /(?:^|[^a-z])(?:math|gsm|aime|amc|minerva|olympiad)[^/]*(?:\/[^/]*)?$/i;

/** A gold that names one option; several drop the row. */
function onlyGold(gold: unknown): string {
  if (!Array.isArray(gold)) return goldText(gold);
  const [only, second] = gold as readonly unknown[];
  if (second !== undefined) throw new RowProblem('multi-answer', `the gold names several options: ${gold.join(', ')}`);
  return goldText(only);
}

const OPTION_COLUMN = /^(?:option|choice|opt|answer|ans|sol|ending|op)[ _]?([0-9]|[a-j])$/i;

/**
 * Options in columns of their own. A number as gold counts from 0 or from 1, which a row does not tell where the columns
 * count from 1 or have letters: such rows are dropped as `ambiguous-gold`, not guessed.
 */
function columnChoice(row: RowObject, columns: readonly string[], gold: string): Pick<ParsedRow, 'options' | 'answer'> {
  const options = labelled(columns.map((name) => scalarText(row[name])));
  const choice = goldChoice(gold);
  if (choice.index === undefined || columns[0]?.endsWith('0') === true) {
    return { options, answer: goldOption(options, choice) };
  }
  if (options.some(({ text }) => text === gold.trim())) return { options, answer: goldOption(options, { text: gold }) };
  const detail = `the gold ${gold} may count from 0 or from 1; give a mapping with answerFormat`;
  throw new RowProblem('ambiguous-gold', detail);
}

/** The row's own spelling of the first of `names` that it has a value for. */
function nameIn(row: RowObject, names: readonly string[]): string | undefined {
  const spelled = new Map(Object.keys(row).map((key) => [key.toLowerCase().replaceAll(' ', '_'), key]));
  return names
    .map((name) => spelled.get(name))
    .find((key) => key !== undefined && row[key] !== null && row[key] !== '');
}

function optionsOf(row: RowObject): Option[] | undefined {
  const name = nameIn(row, OPTIONS);
  const held = name === undefined ? undefined : row[name];
  const given = typeof held === 'string' ? parseLiteral(held) : held;
  if (Array.isArray(given)) {
    const texts = given.map((option: unknown) =>
      scalarText(isRowObject(option) ? (option['text'] ?? option['value'] ?? option['content']) : option),
    );
    return texts.length < 2 ? undefined : unlabelled(texts);
  }
  return isRowObject(given) ? optionsFromMap(given) : undefined;
}

/** A list of texts that a table holds as text; numbers in brackets are an interval or a vector. */
function listText(value: unknown): readonly unknown[] | undefined {
  const list = typeof value === 'string' ? parseLiteral(value) : undefined;
  return Array.isArray(list) && list.length > 0 && list.every((item) => typeof item === 'string') ? list : undefined;
}

/** An object given as such or as JSON text; empty for anything else. */
function jsonObject(value: unknown): RowObject {
  if (isRowObject(value)) return value;
  if (typeof value !== 'string' || !value.startsWith('{')) return {};
  try {
    const parsed: unknown = JSON.parse(value);
    return isRowObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

function statedDomain(value: unknown): Domain | undefined {
  return value === 'math' || value === 'general' ? value : undefined;
}
