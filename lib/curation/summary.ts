import { hash } from 'node:crypto';
import type { CuratePlan } from './plan.js';
import { type EncodedQuestions, ID_BYTES } from './questionBatch.js';

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
  /** Chain of SHA-256 over the accepted ids in order, 4096 a link: changes when the data set does. */
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
  /** Accepted ids that are not in the fingerprint yet. */
  pendingIds: string;
}

export function newCounts(): Counts {
  return {
    rows: 0,
    accepted: 0,
    tallies: { reasons: {}, sources: {}, domains: {}, forms: {}, answerTypes: {} },
    inputs: [],
    fingerprint: '0'.repeat(64),
    pendingIds: '',
  };
}

const LINK_DIGITS = 4096 * ID_BYTES;

/** Counts the questions of a batch, but for those `without`. */
export function countAccepted(
  counts: Counts,
  questions: EncodedQuestions,
  without: ReadonlyMap<number, unknown>,
): void {
  const { count, profileOf, profiles, ids } = questions;
  const perProfile = new Uint32Array(profiles.length);
  const digits = Buffer.from(ids.buffer, ids.byteOffset, count * ID_BYTES);
  let accepted = digits;
  if (without.size > 0) {
    const kept: Buffer[] = [];
    for (let i = 0; i < count; i++) {
      if (!without.has(i)) kept.push(digits.subarray(i * ID_BYTES, (i + 1) * ID_BYTES));
    }
    accepted = Buffer.concat(kept);
  }
  for (let i = 0; i < count; i++) {
    if (without.has(i)) continue;
    const profile = profileOf[i] ?? 0;
    perProfile[profile] = (perProfile[profile] ?? 0) + 1;
  }
  counts.rows += count - without.size;
  counts.accepted += count - without.size;
  for (const [i, { source, domain, form, answerType }] of profiles.entries()) {
    const rows = perProfile[i] ?? 0;
    if (rows === 0) continue;
    add(counts.tallies.sources, source, rows);
    add(counts.tallies.domains, domain, rows);
    add(counts.tallies.forms, form, rows);
    add(counts.tallies.answerTypes, answerType, rows);
  }
  counts.pendingIds += accepted.toString('latin1');
  let used = 0;
  for (; counts.pendingIds.length - used >= LINK_DIGITS; used += LINK_DIGITS) {
    counts.fingerprint = link(counts.fingerprint, counts.pendingIds.slice(used, used + LINK_DIGITS));
  }
  if (used > 0) counts.pendingIds = counts.pendingIds.slice(used);
}

function link(fingerprint: string, ids: string): string {
  return hash('sha256', fingerprint + ids, 'hex');
}

/** Counts one dropped row. */
export function countDropped(counts: Counts, reason: string): void {
  counts.rows++;
  add(counts.tallies.reasons, reason, 1);
}

function add(tally: Record<string, number>, key: string, rows: number): void {
  tally[key] = (tally[key] ?? 0) + rows;
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
    fingerprint: counts.pendingIds === '' ? counts.fingerprint : link(counts.fingerprint, counts.pendingIds),
  };
}
