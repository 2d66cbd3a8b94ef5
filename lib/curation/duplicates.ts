import binding = require('#binding');

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { drop, type Drop, type LedgerEntry } from '../data/ledger.js';
import type { Question } from '../data/question.js';
import type { CuratePlan } from './plan.js';
import { keysOf, type EncodedQuestions, ID_BYTES, MINHASH, QuestionBatch } from './questionBatch.js';

/** Questions looked up at a time where they are read back one by one. */
export const LOOKUP_BATCH = 4096;

/** Says what a curation's questions, asked for in their order, repeat. */
export interface DuplicateFinder {
  /** The ledger entries of the repeated questions of a batch, by their place in it, in order. Empty where none repeats. */
  check(questions: EncodedQuestions): Map<number, LedgerEntry> | Promise<Map<number, LedgerEntry>>;
}

/**
 * The one step that looks at all rows together: the first of several equal (`duplicate`) or nearly equal
 * (`near-duplicate`) questions stays. Rows come in their order, so the outcome does not depend on workers.
 */
export class DuplicateStage implements DuplicateFinder {
  readonly #index: InstanceType<typeof binding.DuplicateIndex>;

  constructor(private readonly plan: CuratePlan) {
    const bands = plan.duplicates === 'near' ? MINHASH.bands : 0;
    this.#index = new binding.DuplicateIndex(bands, MINHASH.rows, plan.nearThreshold);
  }

  check(questions: EncodedQuestions): Map<number, LedgerEntry> {
    const repeated = new Map<number, LedgerEntry>();
    const { count, keys, signatures, ids } = questions;
    if (keys === undefined) return repeated;
    const matches = new Uint8Array(count);
    const firstIds = new Uint8Array(count * ID_BYTES);
    const similarities = new Float64Array(count);
    this.#index.add(count, keys, ids, signatures, matches, firstIds, similarities);
    for (let i = 0; i < count; i++) {
      if (matches[i] === 0) continue;
      const first = idAt(firstIds, i);
      const why =
        matches[i] === 1
          ? drop('duplicate', `the same question as ${first}`)
          : drop('near-duplicate', `similarity ${(similarities[i] ?? 0).toFixed(2)} with ${first}`);
      repeated.set(i, repeatedEntry(questions, i, why));
    }
    return repeated;
  }

  /** Learns the questions that an interrupted run has already written. */
  async relearn(file: string, bytes: number): Promise<void> {
    if (keysOf(this.plan) === 'none' || bytes === 0) return;
    const lines = createInterface({ input: createReadStream(file, { end: bytes - 1 }), crlfDelay: Infinity });
    let batch = new QuestionBatch(keysOf(this.plan));
    for await (const line of lines) {
      batch.add(JSON.parse(line) as Question, { line });
      if (batch.count < LOOKUP_BATCH) continue;
      this.check(await batch.finish());
      batch = new QuestionBatch(keysOf(this.plan));
    }
    this.check(await batch.finish());
  }
}

/** The ledger entry of a question of a batch that repeats an earlier one. */
export function repeatedEntry({ ids, profiles, profileOf, rows }: EncodedQuestions, i: number, why: Drop): LedgerEntry {
  const { source = '', file = '' } = profiles[profileOf[i] ?? 0] ?? {};
  return { id: idAt(ids, i), source, file, row: rows[i] ?? 0, ...why };
}

export function idAt(ids: Uint8Array, i: number): string {
  return Buffer.from(ids.buffer, ids.byteOffset + i * ID_BYTES, ID_BYTES).toString('latin1');
}
