import { parentPort, workerData } from 'node:worker_threads';
import type { FileMetaData } from 'hyparquet';
import type { ParquetReply, ParquetRequest, ParquetSource } from './parquet.js';

type Read = (request: ParquetRequest) => Promise<ParquetReply>;

/** Opens the file of `workerData`; says its number of rows first. */
async function opened(): Promise<Read> {
  // hyparquet is an ES module only.
  const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } = await import('hyparquet');
  const { compressors } = await import('hyparquet-compressors');
  const source = workerData as ParquetSource;
  const file = 'path' in source ? await asyncBufferFromFile(source.path) : source.bytes;
  const metadata = await parquetMetadataAsync(file);
  parentPort?.postMessage({ rows: rowsOf(metadata) } satisfies ParquetReply);
  return async ({ rowStart, rowEnd }) => {
    const rows = await parquetReadObjects({ file, metadata, compressors, rowStart, rowEnd });
    return { values: Array.from({ length: rowEnd - rowStart }, (_, i) => plain(rows[i])) };
  };
}

function rowsOf({ num_rows, row_groups }: FileMetaData): number {
  const rows = Number(num_rows);
  const inGroups = row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0);
  if (rows !== inGroups) throw new Error(`${rows} rows by its end, ${inGroups} by its row groups`);
  return rows;
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

function answer(reply: Promise<ParquetReply | undefined>): void {
  reply.then(
    (message) => {
      if (message !== undefined) parentPort?.postMessage(message);
    },
    (error: unknown) => {
      const fault = error instanceof Error ? error.message : String(error);
      parentPort?.postMessage({ fault } satisfies ParquetReply);
    },
  );
}

const reading = opened();
answer(reading.then(() => undefined));
parentPort?.on('message', (request: ParquetRequest) => {
  answer(reading.then((read) => read(request)));
});
