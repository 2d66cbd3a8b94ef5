import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { LedgerEntry } from '../data/ledger.js';
import type { Question } from '../data/question.js';
import { CURATED_FILES } from './curate.js';
import { LOOKUP_BATCH } from './duplicates.js';

/** A row of a shard's output, by its place in the whole. */
export interface Placed<Row> {
  readonly input: number;
  readonly row: number;
  readonly line: string;
  readonly value: Row;
}

/** The ledger entries of all shards in the order of a single run; `files` are the inputs in their order. */
export function ledgerRows(dirs: readonly string[], files: readonly string[]): AsyncGenerator<Placed<LedgerEntry>> {
  const placeOf = ({ file, row }: LedgerEntry): Place => ({ file, row });
  return interleave(dirs.map((dir) => placedRows(join(dir, CURATED_FILES.ledger), files, placeOf)));
}

/** The questions of all shards in the order of a single run, as many at a time as are looked up together. */
export async function* questionBatches(
  dirs: readonly string[],
  files: readonly string[],
): AsyncGenerator<Placed<Question>[]> {
  const placeOf = ({ provenance: { file, row } }: Question): Place => ({ file, row });
  let batch: Placed<Question>[] = [];
  for await (const placed of interleave(
    dirs.map((dir) => placedRows(join(dir, CURATED_FILES.questions), files, placeOf)),
  )) {
    batch.push(placed);
    if (batch.length < LOOKUP_BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Whether a row stands in front of another in a single run. */
export function before(a: Placed<unknown>, b: Placed<unknown>): boolean {
  return a.input < b.input || (a.input === b.input && a.row < b.row);
}

interface Place {
  readonly file: string | undefined;
  readonly row: number | undefined;
}

async function* placedRows<Row>(
  path: string,
  files: readonly string[],
  placeOf: (row: Row) => Place,
): AsyncGenerator<Placed<Row>> {
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    const value = JSON.parse(line) as Row;
    const { file, row } = placeOf(value);
    yield { input: files.indexOf(file ?? ''), row: row ?? 0, line, value };
  }
}

/** Joins ordered sequences into one; rows of one place are all in one shard, so ties do not arise. */
async function* interleave<Row>(sequences: readonly AsyncGenerator<Placed<Row>>[]): AsyncGenerator<Placed<Row>> {
  const heads = await Promise.all(sequences.map((sequence) => sequence.next()));
  for (;;) {
    let best = -1;
    for (const [i, head] of heads.entries()) {
      const leader = heads[best];
      if (head.done !== true && (leader === undefined || leader.done === true || before(head.value, leader.value)))
        best = i;
    }
    const head = heads[best];
    const sequence = sequences[best];
    if (head === undefined || head.done === true || sequence === undefined) return;
    yield head.value;
    heads[best] = await sequence.next();
  }
}
