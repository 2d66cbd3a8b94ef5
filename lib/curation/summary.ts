import { hash } from 'node:crypto';
import type { BlockRow } from './block.js';
import type { CuratePlan } from './plan.js';

/** Counts of one run; `rows` is always `accepted + dropped`. */
export interface CurateSummary {
  readonly rows: number;
  readonly accepted: number;
  readonly dropped: number;
  /** Dropped rows by reason. */
  readonly reasons: Record<string, number>;
  readonly sources: Record<string, number>;
  readonly domains: Record<string, number>;
  readonly forms: Record<string, number>;
  readonly answerTypes: Record<string, number>;
  readonly inputs: readonly InputSummary[];
  readonly plan: Omit<CuratePlan, 'inputs'>;
  /** Chain of SHA-256 over the accepted ids in order: changes when the data set does. */
  readonly fingerprint: string;
}

export interface InputSummary {
  readonly file: string;
  readonly adapter: string;
  readonly source: string;
  readonly licence: string;
  readonly bytes: number;
  readonly rows: number;
  readonly accepted: number;
}

const TALLIES = ['reasons', 'sources', 'domains', 'forms', 'answerTypes'] as const;

/** Running counts, as plain data so that a journal can hold them. */
export interface Counts {
  rows: number;
  accepted: number;
  readonly tallies: Record<(typeof TALLIES)[number], Record<string, number>>;
  inputs: InputSummary[];
  fingerprint: string;
}

export function newCounts(): Counts {
  return {
    rows: 0,
    accepted: 0,
    tallies: { reasons: {}, sources: {}, domains: {}, forms: {}, answerTypes: {} },
    inputs: [],
    fingerprint: '0'.repeat(64),
  };
}

/** Counts one accepted question. */
export function countAccepted(counts: Counts, row: Extract<BlockRow, { kind: 'question' }>): void {
  counts.rows++;
  counts.accepted++;
  counts.fingerprint = hash('sha256', counts.fingerprint + row.id, 'hex');
  add(counts.tallies.sources, row.source);
  add(counts.tallies.domains, row.domain);
  add(counts.tallies.forms, row.form);
  add(counts.tallies.answerTypes, row.answerType);
}

/** Counts one dropped row. */
export function countDropped(counts: Counts, reason: string): void {
  counts.rows++;
  add(counts.tallies.reasons, reason);
}

function add(tally: Record<string, number>, key: string): void {
  tally[key] = (tally[key] ?? 0) + 1;
}

/** The summary; keys come sorted, so that equal data gives equal bytes. */
export function summarise(counts: Counts, plan: CuratePlan): CurateSummary {
  const rest: Partial<CuratePlan> = { ...plan };
  delete (rest as { inputs?: unknown }).inputs;
  const sorted = Object.fromEntries(
    TALLIES.map((name) => [
      name,
      Object.fromEntries(Object.entries(counts.tallies[name]).sort(([a], [b]) => (a < b ? -1 : 1))),
    ]),
  ) as Counts['tallies'];
  return {
    rows: counts.rows,
    accepted: counts.accepted,
    dropped: counts.rows - counts.accepted,
    ...sorted,
    inputs: counts.inputs,
    plan: rest as Omit<CuratePlan, 'inputs'>,
    fingerprint: counts.fingerprint,
  };
}
