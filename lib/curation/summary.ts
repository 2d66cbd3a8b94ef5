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

const LINK_DIGITS = 4096 * ID_BYTES;
const DIGEST_DIGITS = 64;

/** Chain of SHA-256 over the digits of ids, 4096 ids a link; its JSON can be gone on from. */
export class Fingerprint {
  /** The last digest, and behind it the digits that are not in it yet: what the next one is made of. */
  readonly #next = Buffer.alloc(DIGEST_DIGITS + LINK_DIGITS, '0');
  #used = DIGEST_DIGITS;

  static from({ digest, pending }: { readonly digest: string; readonly pending: string }): Fingerprint {
    const fingerprint = new Fingerprint();
    fingerprint.#next.write(digest, 'latin1');
    fingerprint.add(Buffer.from(pending, 'latin1'));
    return fingerprint;
  }

  add(digits: Uint8Array): void {
    for (let at = 0; at < digits.length;) {
      const part = digits.subarray(at, at + this.#next.length - this.#used);
      this.#next.set(part, this.#used);
      this.#used += part.length;
      at += part.length;
      if (this.#used === this.#next.length) {
        this.#next.write(this.digest(), 'latin1');
        this.#used = DIGEST_DIGITS;
      }
    }
  }

  /** Of all ids so far. */
  digest(): string {
    const bytes = this.#next.subarray(0, this.#used);
    return this.#used === DIGEST_DIGITS ? bytes.toString('latin1') : hash('sha256', bytes, 'hex');
  }

  toJSON(): Parameters<typeof Fingerprint.from>[0] {
    return {
      digest: this.#next.toString('latin1', 0, DIGEST_DIGITS),
      pending: this.#next.toString('latin1', DIGEST_DIGITS, this.#used),
    };
  }
}

/** Running counts; their JSON is what a journal holds. */
export interface Counts {
  rows: number;
  accepted: number;
  readonly tallies: Record<(typeof TALLIES)[number], Record<string, number>>;
  inputs: InputSummary[];
  readonly fingerprint: Fingerprint;
}

export function newCounts(): Counts {
  return {
    rows: 0,
    accepted: 0,
    tallies: { reasons: {}, sources: {}, domains: {}, forms: {}, answerTypes: {} },
    inputs: [],
    fingerprint: new Fingerprint(),
  };
}

/** Counts the questions of a batch, but for those `without`. */
export function countAccepted(
  counts: Counts,
  questions: EncodedQuestions,
  without: ReadonlyMap<number, unknown>,
): void {
  const { count, profileOf, profiles, ids } = questions;
  const perProfile = new Uint32Array(profiles.length);
  const digits = Buffer.from(ids.buffer, ids.byteOffset, count * ID_BYTES);
  let start = 0;
  for (const i of without.keys()) {
    counts.fingerprint.add(digits.subarray(start * ID_BYTES, i * ID_BYTES));
    start = i + 1;
  }
  counts.fingerprint.add(digits.subarray(start * ID_BYTES));
  for (let i = 0; i < count; i++) {
    if (without.size > 0 && without.has(i)) continue;
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
    fingerprint: counts.fingerprint.digest(),
  };
}
