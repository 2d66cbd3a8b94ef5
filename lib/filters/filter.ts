import { type Drop, isDrop, type LedgerEntry } from '../data/ledger.js';
import type { Question } from '../data/question.js';

/** One filter: says why a question is dropped, or nothing. */
export interface Filter {
  readonly name: string;
  check(question: Question): Drop | undefined;
}

/** The ledger entry of a question that was dropped. */
export function ledgerEntry(question: Question, why: Drop): LedgerEntry {
  const { id, source, provenance } = question;
  return {
    id,
    source,
    ...(provenance.file === undefined ? {} : { file: provenance.file }),
    ...(provenance.row === undefined ? {} : { row: provenance.row }),
    ...why,
  };
}

/** Runs filters in order; the first that objects decides. Every question is accepted or in the ledger. */
export function filterQuestions(
  questions: Iterable<Question>,
  filters: readonly Filter[],
): { accepted: Question[]; ledger: LedgerEntry[] } {
  const accepted: Question[] = [];
  const ledger: LedgerEntry[] = [];
  for (const question of questions) {
    const result = applyFilters(question, filters);
    if (isDrop(result)) ledger.push(ledgerEntry(question, result));
    else accepted.push(result);
  }
  return { accepted, ledger };
}

/** One question through the filters: the question with the filters noted in its provenance, or the first objection. */
export function applyFilters(question: Question, filters: readonly Filter[]): Question | Drop {
  for (const filter of filters) {
    const why = filter.check(question);
    if (why !== undefined) return why;
  }
  if (filters.length === 0) return question;
  const steps = stepsBehind(question.provenance.steps, filters);
  return { ...question, provenance: { ...question.provenance, steps } };
}

let lastSteps: { before: readonly string[]; filters: readonly Filter[]; after: readonly string[] } | undefined;

/** The steps of a row with those of the filters; rows in sequence nearly always share them. */
function stepsBehind(before: readonly string[], filters: readonly Filter[]): readonly string[] {
  if (lastSteps?.before !== before || lastSteps.filters !== filters) {
    lastSteps = { before, filters, after: [...before, ...filters.map(({ name }) => `filter:${name}`)] };
  }
  return lastSteps.after;
}
