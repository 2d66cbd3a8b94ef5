import type { Adapter } from '../data/adapters/adapter.js';
import { drop, isDrop, type Drop, type LedgerEntry } from '../data/ledger.js';
import type { Question } from '../data/question.js';
import type { ReadItem } from '../data/readers/reader.js';
import { applyFilters, type Filter, ledgerEntry } from '../filters/filter.js';

/** What one question passes through between its adapter and the output: a template, then filters in order. */
export interface RowSteps {
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
  const place = { file, row: item.row, ...(item.line === undefined ? {} : { line: item.line }) };
  const source = adapter?.source ?? 'unknown';
  if ('fault' in item) return [{ entry: { source, ...place, ...item.fault } }];
  if (adapter === undefined) {
    const why = drop('unrecognised', 'no adapter recognises the rows of this file; name one with --adapter');
    return [{ entry: { source, ...place, ...why } }];
  }
  const context = { file, row: item.row, ...(item.envelope === undefined ? {} : { envelope: item.envelope }) };
  return (adapter.expand?.(item.value) ?? [item.value]).map((value) => {
    const parsed = adapter.parse(value, context);
    if (isDrop(parsed)) return { entry: { source, ...place, ...parsed } };
    const shaped = steps.template(parsed);
    const kept = isDrop(shaped) ? shaped : applyFilters(shaped, steps.filters);
    return isDrop(kept) ? { entry: { ...ledgerEntry(parsed, kept), ...place } } : { question: kept };
  });
}

const WITHHELD = '[withheld: the authors ask that this text not be shown; see --plaintext]';

/** The result as it may be written: without texts where the data set's authors ask for that. */
export function withheldResult(result: RowResult): RowResult {
  if ('entry' in result) return { entry: { ...result.entry, detail: 'withheld' } };
  const { question } = result;
  const { type, value } = question.answer;
  return {
    question: {
      ...question,
      question: WITHHELD,
      ...(question.options === undefined
        ? {}
        : { options: question.options.map(({ label }) => ({ label, text: WITHHELD })) }),
      answer: { type, value: type === 'option' ? value : WITHHELD },
    },
  };
}
