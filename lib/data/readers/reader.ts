import type { Drop } from '../ledger.js';

/** One row as read, before any adapter: an object with named fields, or an array of cells where a table has no header. */
export interface RawRow {
  /** 1-based row of the file; headers and blank lines are no rows. */
  readonly row: number;
  /** 1-based line where the row starts, for text files. */
  readonly line?: number;
  readonly value: unknown;
}

/** A row that could not be read; reading goes on behind it. */
export interface BadRow {
  readonly row: number;
  readonly line?: number;
  readonly fault: Drop;
}

export type ReadItem = RawRow | BadRow;

/** Limits of reading. */
export interface ReadOptions {
  /** Longest accepted row in bytes; default 16 MiB. Longer ones become a fault and are skipped without being kept. */
  readonly maxRowBytes?: number;
}

export const DEFAULT_MAX_ROW_BYTES = 16 * 1024 * 1024;

/** Rows come in arrays, some hundreds at a time: one asynchronous step per batch, not per row. */
export type RowReader = AsyncGenerator<ReadItem[], void, undefined>;
