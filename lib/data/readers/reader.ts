import type { Drop } from '../ledger.js';

/** One row as read, before any adapter: an object with named fields, or an array of cells where a table has no header. */
export interface RawRow {
  /** 1-based row of the file; headers and blank lines are no rows. */
  readonly row: number;
  /** 1-based line where the row starts, for text files. */
  readonly line?: number;
  readonly value: unknown;
  /** What stands beside the rows in a file that is one JSON document: its name, its canary, a row's key. */
  readonly envelope?: Readonly<Record<string, unknown>>;
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
  /** Password of encrypted zip archives; default: the environment variable CROSSTHINK_ZIP_PASSWORD. */
  readonly password?: string;
  /** Called with the number of bytes of each chunk read from disk. */
  readonly onBytes?: (bytes: number) => void;
}

export const DEFAULT_MAX_ROW_BYTES = 16 * 1024 * 1024;

/** Whole lines of JSON, not parsed yet. */
export interface JsonlBlock {
  readonly bytes: Buffer;
  readonly firstRow: number;
  readonly firstLine: number;
  /** Number of rows in it. */
  readonly rows: number;
  /** Whether the file ends with it. */
  readonly final: boolean;
}

/** Rows as a reader hands them on: parsed, or as bytes where they can be parsed elsewhere. */
export type RowBlock = JsonlBlock | { readonly items: readonly ReadItem[] };
export type RowBlocks = AsyncGenerator<RowBlock, void, undefined>;

/** Rows come in arrays, some hundreds at a time: one asynchronous step per batch, not per row. */
export type RowReader = AsyncGenerator<ReadItem[], void, undefined>;
