import { describe } from '../../errors.js';
import { asObject, isRowObject, optionalText, scalarText, type RowObject } from '../fields.js';
import { RowProblem } from '../ledger.js';
import { parseLiteral } from '../literal.js';
import { goldOption, labelled, optionsFromMap, unlabelled } from '../options.js';
import type { Domain, Option } from '../question.js';
import { defineAdapter, type ParsedRow } from './adapter.js';
import { lastUserText } from './messages.js';
import {
  domainOf,
  goldText,
  questionWithAnswer,
  questionWithGold,
  splitOptions,
  textList,
  trainingGold,
} from './promptRows.js';
import { goldChoice, onlyGold, refusePictures } from './shapes.js';

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
const PASSAGE = ['passage', 'context', 'article', 'narrative'];
const OPTIONS = ['options', 'choices', 'candidates', 'endings'];
const GOLD = [
  'answer_idx',
  'answer',
  'golden_answers',
  'gold',
  'expected_answer',
  'final_answer',
  'ground_truth',
  'reference_answer',
  'correct_option',
  'correct_answer',
  'target',
  'label',
  'answer_key',
  'correct',
  'output',
  'solution',
  'answers',
  'verification_info',
  'answer_choice',
  'answer_index',
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
    const passage = passageName === undefined ? undefined : passageText(fields, passageName);
    refusePictures(fields, 'image');
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
    const gold = textList(fields[right]) ?? goldOf(fields[right]);
    const options = optionsOf(fields);
    if (options !== undefined) {
      const question = splitOptions(asking)?.question ?? asking;
      return { question, options, answer: goldOption(options, goldChoice(oneGold(gold))), domain, subject };
    }
    const columns = Object.keys(fields).filter((name) => OPTION_COLUMN.test(name) && name !== right);
    if (columns.length >= 2)
      return { question: asking, ...columnChoice(fields, columns, goldText(gold)), domain, subject };
    const letters = Array.isArray(gold) && gold.every((letter) => /^[A-Z]$/.test(scalarText(letter)));
    if (letters && splitOptions(asking) !== undefined) {
      return { ...questionWithGold(asking, onlyGold(gold), domain), domain, subject };
    }
    if (Array.isArray(gold)) return { question: asking, answer: trainingGold(gold, domain), domain, subject };
    const exported = fields['answer_json'] ?? info['answer_json'];
    return { ...questionWithAnswer(asking, goldText(gold), domain, exported), domain, subject };
  },
});

/** File names of mathematics, where rows do not say so themselves. */
const MATH_FILE = /(?:^|[^a-z])(?:math|gsm|aime|amc|minerva|olympiad)[^/]*(?:\/[^/]*)?$/i;

/** A gold that names one option; several drop the row. */
function oneGold(gold: unknown): string {
  return Array.isArray(gold) ? onlyGold(gold) : goldText(gold);
}

/** What a gold in a mapping is: the texts of `{text: […]}` as SQuAD has them, the gold of SYNTHETIC-1's description. */
function goldOf(value: unknown): unknown {
  const map = jsonObject(value);
  return Array.isArray(map['text']) && map['text'].length > 0 ? map['text'] : (map['ground_truth'] ?? value);
}

/** The passage, also where it is a list of paragraphs. */
function passageText(row: RowObject, name: string): string | undefined {
  const value = row[name];
  if (!Array.isArray(value) || !value.every((part) => typeof part === 'string')) return optionalText(row, name);
  return value.join('\n\n');
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

/** An object given as such or as JSON or Python text; empty for anything else. */
function jsonObject(value: unknown): RowObject {
  if (isRowObject(value)) return value;
  if (typeof value !== 'string' || !value.startsWith('{')) return {};
  const parsed = parseLiteral(value);
  return isRowObject(parsed) ? parsed : {};
}

function statedDomain(value: unknown): Domain | undefined {
  return value === 'math' || value === 'general' ? value : undefined;
}
