import type { Adapter } from '../data/adapters/adapter.js';
import { drop, isDrop, type Drop, type LedgerEntry } from '../data/ledger.js';
import { type Question, questionId } from '../data/question.js';
import type { ReadItem } from '../data/readers/reader.js';
import { applyFilters, type Filter, ledgerEntry } from '../filters/filter.js';

/** What one question passes through between its adapter and the output: a template, then filters in order. */
export interface RowSteps {
  /** Whether questions need their ids on the way; where not, the batch computes them. */
  readonly identify: boolean;
  readonly template: (question: Question) => Question | Drop;
  readonly filters: readonly Filter[];
}

/** What became of a row: a question, or why not. */
export type RowResult = { readonly question: Question } | { readonly entry: LedgerEntry };

/**
 * One raw row through adapter, template and filters: a pure function of the row. Most rows give one result; rows that
 * hold several questions give one for each.
 */
export function processRow(item: ReadItem, file: string, adapter: Adapter | undefined, steps: RowSteps): RowResult[] {
  if ('fault' in item) return [{ entry: { source: sourceOf(adapter), ...placeOf(item, file), ...item.fault } }];
  if (adapter === undefined) {
    const why = drop('unrecognised', 'no adapter recognises the rows of this file; name one with --adapter');
    return [{ entry: { source: sourceOf(adapter), ...placeOf(item, file), ...why } }];
  }
  const { row, envelope } = item;
  const context = envelope === undefined ? { file, row } : { file, row, envelope };
  const one = (value: unknown): RowResult => {
    const parsed = adapter.parse(value, context, steps.identify);
    if (isDrop(parsed)) return { entry: { source: sourceOf(adapter), ...placeOf(item, file), ...parsed } };
    const shaped = steps.template(parsed);
    const kept = isDrop(shaped) ? shaped : applyFilters(shaped, steps.filters);
    if (!isDrop(kept)) return { question: kept };
    const known = parsed.id === '' ? { ...parsed, id: questionId(parsed) } : parsed;
    return { entry: { ...ledgerEntry(known, kept), ...placeOf(item, file) } };
  };
  return adapter.expand === undefined ? [one(item.value)] : adapter.expand(item.value).map(one);
}

function sourceOf(adapter: Adapter | undefined): string {
  return adapter?.source ?? 'unknown';
}

function placeOf({ row, line }: ReadItem, file: string): { file: string; row: number; line?: number } {
  return line === undefined ? { file, row } : { file, row, line };
}

const WITHHELD = '[withheld: the authors ask that this text not be shown; see --plaintext]';

/** The entry as it may be written: without texts where the data set's authors ask for that. */
export function withheldEntry(entry: LedgerEntry): { entry: LedgerEntry } {
  return { entry: { ...entry, detail: 'withheld' } };
}

/** The question as it may be written where its authors ask that its texts not be shown. */
export function withheldQuestion(question: Question): Question {
  const { type, value } = question.answer;
  return {
    ...question,
    question: WITHHELD,
    ...(question.options === undefined
      ? {}
      : { options: question.options.map(({ label }) => ({ label, text: WITHHELD })) }),
    answer: { type, value: type === 'option' ? value : WITHHELD },
  };
}
