import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { CrossThinkError } from '../errors.js';
import { drop, type LedgerEntry } from '../data/ledger.js';
import { type DuplicateFinder, idAt, repeatedEntry } from './duplicates.js';
import { type EncodedQuestions, KEY_BYTES } from './questionBatch.js';

/** Memory that DuckDB may take before it spills to disk. */
const MEMORY_LIMIT = '512MB';

/** Each question whose key an earlier one has, with the id of the first that has it. */
const JOIN = `
  select later.place, first.id
  from questions later
  join (select key, min(place) as place, arg_min(id, place) as id from questions group by key having count(*) > 1) first
    on later.key = first.key
  where later.place > first.place
  order by later.place`;

/** The optional peer dependency: loaded when it is asked for, since the package does without. */
function duckDb(): typeof import('@duckdb/node-api') {
  return createRequire(__filename)('@duckdb/node-api') as typeof import('@duckdb/node-api');
}

/** Whether DuckDB can be loaded. */
export function hasDuckDb(): boolean {
  try {
    duckDb();
    return true;
  } catch {
    return false;
  }
}

/**
 * Exact duplicates over the whole by a join in DuckDB, on disk: memory does not grow with the number of questions, where
 * the index of `DuplicateStage` does. The same answers. All questions are `add`ed first, in their order; then the same
 * batches are `check`ed. Throws `ERR_MISSING_PEER` where @duckdb/node-api is not installed.
 */
export class DuckDbJoin implements DuplicateFinder {
  #added = 0;
  #checked = 0;
  #repeated: AsyncIterator<RepeatedQuestion> | undefined;
  #next: IteratorResult<RepeatedQuestion> | undefined;

  private constructor(
    private readonly folder: string,
    private readonly instance: DuckDBInstance,
    private readonly connection: DuckDBConnection,
  ) {}

  /** A database of its own in `dir`, removed by `close`. */
  static async open(dir: string): Promise<DuckDbJoin> {
    if (!hasDuckDb()) {
      const message = 'this join needs DuckDB. Install it: npm install @duckdb/node-api; or leave out --join duckdb';
      throw new CrossThinkError('ERR_MISSING_PEER', message);
    }
    const { DuckDBInstance } = duckDb();
    const folder = await mkdtemp(join(dir, '.duckdb-'));
    const instance = await DuckDBInstance.create(join(folder, 'join.duckdb'), {
      memory_limit: MEMORY_LIMIT,
      temp_directory: join(folder, 'spill'),
      preserve_insertion_order: 'false',
    });
    const connection = await instance.connect();
    await connection.run('create table questions (place bigint, key blob, id varchar)');
    return new DuckDbJoin(folder, instance, connection);
  }

  async add(questions: EncodedQuestions): Promise<void> {
    const { count, keys, ids } = questions;
    if (keys === undefined) return;
    const appender = await this.connection.createAppender('questions');
    for (let i = 0; i < count; i++) {
      appender.appendBigInt(BigInt(this.#added + i));
      appender.appendBlob(keys.subarray(i * KEY_BYTES, (i + 1) * KEY_BYTES));
      appender.appendVarchar(idAt(ids, i));
      appender.endRow();
    }
    appender.closeSync();
    this.#added += count;
  }

  async check(questions: EncodedQuestions): Promise<Map<number, LedgerEntry>> {
    this.#repeated ??= repeatedQuestions(this.connection);
    this.#next ??= await this.#repeated.next();
    const end = this.#checked + questions.count;
    const entries = new Map<number, LedgerEntry>();
    while (this.#next.done !== true && this.#next.value.place < end) {
      const { place, first } = this.#next.value;
      const i = place - this.#checked;
      entries.set(i, repeatedEntry(questions, i, drop('duplicate', `the same question as ${first}`)));
      this.#next = await this.#repeated.next();
    }
    this.#checked = end;
    return entries;
  }

  async close(): Promise<void> {
    this.connection.closeSync();
    this.instance.closeSync();
    await rm(this.folder, { recursive: true, force: true });
  }
}

interface RepeatedQuestion {
  readonly place: number;
  /** Id of the first question with the same key. */
  readonly first: string;
}

async function* repeatedQuestions(connection: DuckDBConnection): AsyncGenerator<RepeatedQuestion, undefined> {
  const result = await connection.stream(JOIN);
  for await (const rows of result.yieldRowsJs()) {
    for (const [place, first] of rows) yield { place: Number(place), first: first as string };
  }
}
