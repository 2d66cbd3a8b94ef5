import { readWhole, type ByteStream } from './open.js';
import { drop, isDrop } from '../ledger.js';
import type { ReadItem, RowReader } from './reader.js';

/** Where the bytes of a Parquet file are: on disk, or in memory when they came out of an archive. */
export type ParquetSource = { readonly path: string } | { readonly stream: ByteStream; readonly name: string };

const MEMORY_LIMIT = 2 ** 31;
/** Rows decoded at a time. */
const BATCH = 2048;

/**
 * Reads Parquet, nested columns included, a stretch of rows at a time. 64-bit integers become numbers where exact, text
 * otherwise; dates become ISO text. A file without
 * its end is one fault; rows of a damaged stretch are faults, each.
 */
export async function* readParquet(source: ParquetSource): RowReader {
  // hyparquet is an ES module only.
  const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } = await import('hyparquet');
  const { compressors } = await import('hyparquet-compressors');
  const whole = 'path' in source ? undefined : await readWhole(source.stream, MEMORY_LIMIT, source.name);
  const file = 'path' in source ? await asyncBufferFromFile(source.path) : toArrayBuffer(whole ?? Buffer.alloc(0));
  const metadata = await parquetMetadataAsync(file).catch((error: unknown) => drop('truncated-file', reasonFor(error)));
  if (isDrop(metadata)) {
    yield [{ row: 1, fault: metadata }];
    return;
  }
  const total = Number(metadata.num_rows);
  for (let rowStart = 0; rowStart < total; rowStart += BATCH) {
    const rowEnd = Math.min(rowStart + BATCH, total);
    const rows = await parquetReadObjects({ file, metadata, compressors, rowStart, rowEnd }).catch((error: unknown) =>
      drop('truncated-file', reasonFor(error)),
    );
    // A damaged stretch: each of its rows is a fault, and what stands behind is read.
    yield Array.from({ length: rowEnd - rowStart }, (_, i): ReadItem => {
      const row = rowStart + i + 1;
      return isDrop(rows) ? { row, fault: rows } : { row, value: plain(rows[i]) };
    });
  }
}

function reasonFor(error: unknown): string {
  const why = error instanceof Error ? error.message : String(error);
  return `not a whole Parquet file: ${why.slice(0, 160)}`;
}

function toArrayBuffer(bytes: Buffer): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}

/** Values as JSON has them. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  }
  return value;
}
