import binding = require('#binding');

import type { Adapter } from '../data/adapters/adapter.js';
import type { BlockPlace } from '../data/readers/jsonl.js';
import type { Question } from '../data/question.js';
import { PAPER_MAX_WORDS } from '../filters/verifiable.js';
import { type CuratePlan, wantedThrough } from './plan.js';
import { keysOf, type QuestionBatch } from './questionBatch.js';

/**
 * The native short cut: rows of which adapter and filters can make nothing but the question that stands there go from JSON
 * Lines into the batch without becoming values of JavaScript (native/text/plain_rows.h says which). Every other row
 * takes the path of `processRow`, which is the specification: with and without this the same bytes are written.
 */
export class PlainRows {
  readonly #native: InstanceType<typeof binding.PlainRows>;

  private constructor(
    private readonly adapter: Adapter,
    private readonly plan: CuratePlan,
  ) {
    const { question, answer, mark = '', subject = '' } = adapter.plain ?? { question: [], answer: [] };
    const maxWords = plan.filters.length > 0 && adapter.domain !== 'math' ? wordLimit(plan) : 0;
    this.#native = new binding.PlainRows(question, answer, mark, subject, maxWords, keysOf(plan) !== 'none');
  }

  /** For an adapter of plain fields under a plan whose only filter is the paper's; undefined for all others. */
  static of(adapter: Adapter | undefined, plan: CuratePlan): PlainRows | undefined {
    if (adapter?.plain === undefined || adapter.withheld === true || adapter.expand !== undefined) return undefined;
    if (plan.template !== 'none' || plan.shuffleOptions) return undefined;
    return plan.filters.every(({ name }) => name === 'verifiable') ? new PlainRows(adapter, plan) : undefined;
  }

  /** Takes up the profile of a question that went the long way: further rows of it are ordinary. */
  learn({ subject, answer: { type }, domain }: Question, profile: number): void {
    if (type !== 'integer' && type !== (domain === 'math' ? 'expression' : 'text')) return;
    const shared = this.adapter.plain?.subject === undefined;
    this.#native.learn(shared ? '' : (subject ?? ''), type === 'integer', profile);
  }

  /** Moves the place behind all ordinary rows from there on, which go into the batch. */
  read(block: Uint8Array, place: BlockPlace, batch: QuestionBatch): void {
    const last = wantedThrough(this.plan, place.row);
    if (place.row <= last) batch.readPlain(this.#native, block, place, last);
  }
}

function wordLimit({ filters }: CuratePlan): number {
  return Math.min(...filters.map(({ maxWords }) => (typeof maxWords === 'number' ? maxWords : PAPER_MAX_WORDS)));
}
