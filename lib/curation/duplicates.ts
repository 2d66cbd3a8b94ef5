import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { drop, type LedgerEntry } from '../data/ledger.js';
import type { Question } from '../data/question.js';
import { NearIndex } from '../filters/duplicates/minhash.js';
import { type BlockRow, duplicateKeys } from './block.js';
import type { CuratePlan } from './plan.js';

type QuestionRow = Extract<BlockRow, { kind: 'question' }>;

/**
 * The one step that looks at all rows together: the first of several equal (`duplicate`) or nearly equal
 * (`near-duplicate`) questions stays. Rows come in their order, so the outcome does not depend on workers.
 */
export class DuplicateStage {
  readonly #seen = new Map<string, string>();
  readonly #near: NearIndex | undefined;

  constructor(private readonly plan: CuratePlan) {
    this.#near = plan.duplicates === 'near' ? new NearIndex({ threshold: plan.nearThreshold }) : undefined;
  }

  /** The ledger entry of a repeated question; undefined where it is new. */
  check(row: QuestionRow): LedgerEntry | undefined {
    const { id, key, signature, source, file } = row;
    if (key === undefined) return undefined;
    const place = { id, source, file, row: row.row };
    const first = this.#seen.get(key);
    if (first !== undefined) return { ...place, ...drop('duplicate', `the same question as ${first}`) };
    if (signature !== undefined) {
      const near = this.#near?.add(id, signature);
      if (near !== undefined) {
        return { ...place, ...drop('near-duplicate', `similarity ${near.similarity.toFixed(2)} with ${near.id}`) };
      }
    }
    this.#seen.set(key, id);
    return undefined;
  }

  /** Learns the questions that an interrupted run has already written. */
  async relearn(file: string, bytes: number): Promise<void> {
    if (this.plan.duplicates === 'keep' || bytes === 0) return;
    const lines = createInterface({ input: createReadStream(file, { end: bytes - 1 }), crlfDelay: Infinity });
    for await (const line of lines) {
      const question = JSON.parse(line) as Question;
      const { key, signature } = duplicateKeys(question, this.plan);
      if (key !== undefined) this.#seen.set(key, question.id);
      if (signature !== undefined) this.#near?.add(question.id, signature);
    }
  }
}
