import { answerWithAliases, truthOr } from '../answer.js';
import { describe } from '../../errors.js';
import { isRowObject, type RowObject } from '../fields.js';
import { lastBoxed } from '../latex.js';
import { RowProblem } from '../ledger.js';
import { parseLiteral } from '../literal.js';
import { goldOption, type SplitQuestion, splitInlineOptions, splitLabelledGold, splitOptionLines } from '../options.js';
import { type Answer, answerSchema, type Domain } from '../question.js';
import type { ParsedRow } from './adapter.js';
import { goldChoice } from './shapes.js';

/**
 * A question and a gold that may or may not be a choice: where the gold is a letter (with or without its option's text)
 * and the text lists options, a multiple-choice question; otherwise an open-ended one.
 */
export function questionWithGold(text: string, gold: string, domain: Domain): ParsedRow {
  const letter = splitLabelledGold(gold);
  const split = letter === undefined ? undefined : splitOptions(text);
  if (letter === undefined || split === undefined) return { question: text, answer: truthOr(gold, domain, text) };
  const choice = letter.text === undefined ? goldChoice(letter.label) : letter;
  return { question: split.question, options: split.options, answer: goldOption(split.options, choice) };
}

/** Question and options of a text that lists options on lines of their own or in a running line. */
export function splitOptions(text: string): SplitQuestion | undefined {
  const lines = splitOptionLines(text);
  return lines !== undefined && lines.question !== '' ? lines : splitInlineOptions(text);
}

/** Gold of a training row: text, number, list of accepted forms, or an object with the solution under a known name. */
export function trainingGold(value: unknown, domain: Domain): Answer {
  if (value === null || value === undefined) throw new RowProblem('empty-answer', 'the row has no gold answer');
  if (Array.isArray(value)) return answerWithAliases(value.map(goldText), domain);
  return truthOr(goldText(value), domain);
}

/** A list of texts that a field holds as text; numbers in brackets are an interval or a vector. */
export function textList(value: unknown): readonly unknown[] | undefined {
  const list = typeof value === 'string' ? parseLiteral(value) : undefined;
  return Array.isArray(list) && list.length > 0 && list.every((item) => typeof item === 'string') ? list : undefined;
}

/** The text of a gold; a worked solution's last box stands for the whole. */
export function goldText(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return value.includes('\\boxed{') ? (lastBoxed(value) ?? value) : value;
  if (isRowObject(value)) {
    const known = ['target', 'answer', 'solution_text_format', 'value', 'ground_truth'].find((name) => name in value);
    if (known !== undefined) return goldText(value[known]);
  }
  throw new RowProblem('wrong-type', `the gold must be text, a number or a list of them; received ${describe(value)}`);
}

/** `math` where a row's tags say so, the fallback otherwise. */
export function domainOf(row: RowObject, fallback: Domain, ...names: readonly string[]): Domain {
  const tags = names.map((name) => row[name]).filter((tag) => typeof tag === 'string');
  if (tags.length === 0) return fallback;
  return /math|gsm|aime|amc|deepscaler|numina|olympiad|arithmetic|dapo|orz/i.test(tags.join(' ')) ? 'math' : 'general';
}

/**
 * The typed answer that our own exports carry as `answer_json`, so that a round trip keeps type, alternatives, unit and
 * tolerance; undefined for rows of others.
 */
export function exportedAnswer(value: unknown): Answer | undefined {
  if (typeof value !== 'string' || !value.startsWith('{"type":')) return undefined;
  try {
    const parsed = answerSchema.safeParse(JSON.parse(value));
    return parsed.success ? (parsed.data as Answer) : undefined;
  } catch {
    return undefined;
  }
}

/** As `questionWithGold`, with the exported answer in place of the bare gold where there is one. */
export function questionWithAnswer(text: string, gold: string, domain: Domain, exported: unknown): ParsedRow {
  const answer = exportedAnswer(exported);
  if (answer === undefined) return questionWithGold(text, gold, domain);
  if (answer.type !== 'option') return { question: text, answer };
  const split = splitOptions(text);
  return split === undefined ? questionWithGold(text, gold, domain) : { ...split, answer };
}
