import { createHash } from 'node:crypto';
import { truthOr, typedAnswer } from '../answer.js';
import {
  asObject,
  isRowObject,
  optionalText,
  requireScalar,
  requireText,
  requireTexts,
  type RowObject,
  scalarText,
} from '../fields.js';
import { lastBoxed } from '../latex.js';
import { RowProblem } from '../ledger.js';
import { parseLiteral } from '../literal.js';
import {
  type GoldChoice,
  goldOption,
  labelled,
  splitInlineOptions,
  splitLatexOptions,
  unlabelled,
} from '../options.js';
import type { Option } from '../question.js';
import { type Adapter, type AdapterDefinition, defineAdapter, type ParsedRow } from './adapter.js';

/** Whether the row is an object that has all these fields. */
export function hasFields(row: unknown, ...names: readonly string[]): row is RowObject {
  return isRowObject(row) && names.every((name) => name in row);
}

/** What tells one data set of {question, answer} rows from another. */
export interface PlainShape extends Omit<AdapterDefinition, 'read' | 'recognises'> {
  readonly question: readonly [string, ...string[]];
  readonly answer: readonly [string, ...string[]];
  readonly subject?: string;
  /** Further fields that a row of this data set has. */
  readonly marks: readonly string[];
  /** Field of a worked solution, whose last box is the gold of rows without an answer. */
  readonly solution?: string;
  /** Relative tolerance of decimal answers. */
  readonly tolerance?: number;
}

/** Adapter for rows of one question and one gold in two fields: most open-ended data sets. */
export function plainAdapter(shape: PlainShape): Adapter {
  const { question, answer, subject, marks, solution, tolerance, ...definition } = shape;
  return defineAdapter({
    ...definition,
    plain: { question, answer, ...(subject === undefined ? {} : { subject }) },
    recognises: (row) =>
      hasFields(row, ...marks) &&
      question.some((name) => name in row) &&
      (answer.some((name) => name in row) || (solution !== undefined && solution in row)),
    read(row) {
      const fields = asObject(row);
      const given =
        solution === undefined || answer.some((name) => name in fields)
          ? requireScalar(fields, ...answer)
          : boxedGold(requireText(fields, solution));
      const asked = requireText(fields, ...question);
      const shared = { subject: subject === undefined ? undefined : optionalText(fields, subject) };
      // Bare letters stay what they are: `plain` rows have nothing but question and gold.
      const choice = given.trim().startsWith('\\') ? readLatexChoices(asked, given) : undefined;
      if (choice !== undefined) return { ...choice, ...shared };
      const gold = typedAnswer(given, shape.domain, asked);
      return {
        question: asked,
        answer: gold.type === 'decimal' && tolerance !== undefined ? { ...gold, tolerance } : gold,
        ...shared,
      };
    },
  });
}

/** A row of question, list of options, and gold as letter, 0-based index or text. */
export function readChoices(
  row: unknown,
  names: { question: string; options: string; gold: string; subject?: string; passage?: string },
): ParsedRow {
  const fields = asObject(row);
  const options = unlabelled(requireTexts(fields, names.options));
  const passage = names.passage === undefined ? undefined : optionalText(fields, names.passage);
  const stem = requireText(fields, names.question);
  return {
    question: passage === undefined ? stem : `${passage}\n\n${stem}`,
    options,
    answer: goldOption(options, goldChoice(requireScalar(fields, names.gold))),
    subject: names.subject === undefined ? undefined : optionalText(fields, names.subject),
  };
}

/**
 * A question whose options stand in its text in a running line (`… (A) one (B) two`) and whose gold is a letter; undefined
 * where it is not so.
 */
export function readInlineChoices(text: string, gold: string): ParsedRow | undefined {
  const split = /^\(?[A-Z]\)?$/.test(gold.trim()) ? splitInlineOptions(text) : undefined;
  return split === undefined ? undefined : { ...split, answer: goldOption(split.options, goldChoice(gold)) };
}

/**
 * As `readInlineChoices`, of options labelled in LaTeX (`$\\textbf{(A)}\\ 1 \\qquad \\textbf{(B)}\\ 2 …$`), or in any way
 * where the gold is a letter in LaTeX (`\\text{(B)}`).
 */
export function readLatexChoices(text: string, gold: string): ParsedRow | undefined {
  const [, command, letter] = /^(\\[a-z]+\s*\{)?\s*\(?([A-J])\)?\s*\}?$/.exec(gold.trim()) ?? [];
  if (letter === undefined) return undefined;
  const bare = text.replace(/\s*Enter the letter of[^.]*\.?\s*$/i, '');
  const split = splitLatexOptions(bare) ?? (command === undefined ? undefined : splitInlineOptions(bare));
  return split === undefined ? undefined : { ...split, answer: goldOption(split.options, { label: letter }) };
}

/** A gold given as letter (`C`, `(c)`), index from 0, or option text. Several letters drop the row (`multi-answer`). */
export function goldChoice(gold: string): GoldChoice {
  const text = gold.trim();
  if (text.startsWith('[')) {
    const list = parseLiteral(text);
    if (Array.isArray(list)) return goldChoice(onlyGold(list));
  }
  if (/^\d+$/.test(text)) return { index: Number(text) };
  const letter = /^\(?([A-Za-z])\)?[.:)]?$/.exec(text)?.[1];
  if (letter !== undefined) return { label: letter };
  if (/^[A-Z](?:[\s,、;]*[A-Z])+$/.test(text) && text.length <= 20) {
    throw new RowProblem('multi-answer', `the gold names several options: ${text}`);
  }
  return { text };
}

/** The one gold of a list; several drop the row (`multi-answer`). */
export function onlyGold(golds: readonly unknown[]): string {
  const [only, second] = golds;
  if (second === undefined) return scalarText(only);
  throw new RowProblem('multi-answer', `the gold names several options: ${golds.map(scalarText).join(', ')}`);
}

/** Options of a source that puts the right one first, in an order that question and texts alone decide. */
export function shuffledOptions(question: string, texts: readonly string[]): Option[] {
  const rank = (text: string): string => createHash('sha256').update(`${question}\0${text}`).digest('hex');
  return labelled([...texts].sort((a, b) => (rank(a) < rank(b) ? -1 : 1)));
}

/** Drops the row where one of its fields holds a picture, which a text cannot show. */
export function refusePictures(row: RowObject, ...names: readonly string[]): void {
  const shown = names.find((name) => ![undefined, null, '', false].some((none) => row[name] === none));
  if (shown !== undefined) throw new RowProblem('missing-figure', `the question needs the picture in ${shown}`);
}

/** Gold of a worked solution: its last box. */
export function boxedGold(solution: string): string {
  const gold = lastBoxed(solution);
  if (gold === undefined) throw new RowProblem('empty-answer', 'the solution has no \\boxed{} to take the gold from');
  return gold;
}

/** Gold of a field that may be yes or no. */
export function truthGold(
  row: RowObject,
  domain: 'general' | 'math',
  ...names: readonly string[]
): ParsedRow['answer'] {
  return truthOr(requireScalar(row, ...names), domain);
}
