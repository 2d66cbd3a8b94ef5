import { describe } from '../../errors.js';
import { asObject, isRowObject, optionalText, scalarText, type RowObject } from '../fields.js';
import { RowProblem } from '../ledger.js';
import { parseLiteral } from '../literal.js';
import { goldOption, optionsFromMap, unlabelled } from '../options.js';
import type { Domain, Option } from '../question.js';
import { defineAdapter } from './adapter.js';
import { lastUserText } from './messages.js';
import { domainOf, goldText, questionWithAnswer, splitOptions, trainingGold } from './promptRows.js';
import { goldChoice } from './shapes.js';

const QUESTION = ['question', 'problem', 'query', 'prompt', 'input', 'instruction', 'text', 'question_text', 'stem'];
const OPTIONS = ['options', 'choices', 'candidates', 'endings'];
const GOLD = [
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
];

/** Rows of no known data set whose field names say what they hold; the last resort of `--adapter auto`. */
export const common = defineAdapter({
  name: 'common',
  aliases: ['question-answer', 'qa'],
  description: 'any rows with fields such as question | problem | prompt, answer | target | …, options | choices',
  licence: 'unknown',
  domain: 'general',
  recognises: (row) => isRowObject(row) && nameIn(row, QUESTION) !== undefined && nameIn(row, GOLD) !== undefined,
  read(row) {
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
    const domain =
      statedDomain(fields['domain'] ?? info['domain']) ??
      domainOf(fields, /problem/i.test(asked) ? 'math' : 'general', 'subject', 'category', 'source', 'data_source');
    const subject = optionalText(fields, 'subject') ?? optionalText(fields, 'category');
    const gold = listText(fields[right]) ?? fields[right];
    const options = optionsOf(fields);
    if (options !== undefined) {
      const question = splitOptions(text)?.question ?? text;
      return { question, options, answer: goldOption(options, goldChoice(goldText(gold))), domain, subject };
    }
    if (Array.isArray(gold)) return { question: text, answer: trainingGold(gold, domain), domain, subject };
    const exported = fields['answer_json'] ?? info['answer_json'];
    return { ...questionWithAnswer(text, goldText(gold), domain, exported), domain, subject };
  },
});

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
    const texts = given.map((option: unknown) => scalarText(isRowObject(option) ? option['text'] : option));
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
