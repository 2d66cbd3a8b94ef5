import { CrossThinkError } from '../../errors.js';
import { type Drop, drop } from '../ledger.js';
import { compressionOf, foreignFormat, gunzip, unzstd } from './compression.js';
import { csvDelimiter, readCsv } from './csv.js';
import { decoded, encodingOf } from './encoding.js';
import { readJsonArray, readJsonDocument } from './json.js';
import { jsonlBlocks, parseJsonlBlock } from './jsonl.js';
import { type ByteStream, CHUNK, openBytes, peek, readWhole } from './open.js';
import { parquetInMemory, readParquet } from './parquet.js';
import type { ReadOptions, RowBlocks, RowReader } from './reader.js';
import { zipMembers } from './zip.js';

/** Bytes that tell a format: one row is usually enough. */
const HEAD = 64 * 1024;
const DOCUMENT_LIMIT = 512 * 1024 * 1024;

/**
 * Reads the rows of a file: JSON Lines, a JSON array or document, CSV, TSV or Parquet, plain or in gzip, Zstandard or zip.
 * Compression and format follow from the content, CSV and TSV from the name. Throws for a missing file or an unknown
 * format; broken rows become faults.
 */
export async function readRows(file: string, options: ReadOptions = {}): Promise<RowReader> {
  return parsed(await readBlocks(file, options));
}

async function* parsed(blocks: RowBlocks): RowReader {
  for await (const block of blocks) yield 'items' in block ? [...block.items] : parseJsonlBlock(block);
}

/** As `readRows`, with JSON Lines left unparsed: the bytes of a block last until the next is asked for. */
export async function readBlocks(file: string, options: ReadOptions = {}): Promise<RowBlocks> {
  const { head, stream } = await peek(await openBytes(file, options.onBytes), 4);
  const compression = compressionOf(head);
  const parquet = head.toString('latin1') === 'PAR1';
  // These two seek.
  if (compression === 'zip' || parquet) await stream.abandon?.();
  switch (compression) {
    case 'gzip':
      return guarded(await readStream(gunzip(stream), stem(file), options));
    case 'zstd':
      return guarded(await readStream(unzstd(stream), stem(file), options));
    case 'zip':
      return readZip(file, options);
    case 'none':
      return parquet ? items(readParquet({ path: file })) : guarded(await readStream(stream, file, options));
  }
}

async function* items(rows: RowReader): RowBlocks {
  for await (const batch of rows) yield { items: batch };
}

/** The members of an archive, one behind the other; one that cannot be read is a fault, and the next is. */
async function* readZip(file: string, options: ReadOptions): RowBlocks {
  const password = options.password ?? process.env['CROSSTHINK_ZIP_PASSWORD'];
  for await (const member of zipMembers(file, password)) {
    if ('fault' in member) yield { items: [{ row: 1, fault: member.fault }] };
    else {
      const open = async (): Promise<RowBlocks> =>
        guarded(await readStream(chunked(member.bytes), member.name, options));
      yield* faulted(open, unreadable);
    }
  }
}

/** As `readBlocks`, for a file among others: one that cannot be read is a fault `unreadable` instead of an error. */
export function readBlocksAmongOthers(file: string, options: ReadOptions = {}): RowBlocks {
  return faulted(() => readBlocks(file, options), unreadable);
}

function unreadable(error: unknown): Drop {
  if (!(error instanceof CrossThinkError)) throw error;
  return drop('unreadable', error.message);
}

/** Bytes a chunk at a time, as from disk: the limit of a row is looked at between chunks. */
async function* chunked(bytes: Buffer): AsyncGenerator<Buffer> {
  await Promise.resolve();
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
}

async function readStream(bytes: ByteStream, name: string, options: ReadOptions): Promise<RowBlocks> {
  const { head, stream } = await peek(bytes, HEAD);
  const foreign = foreignFormat(head);
  if (foreign !== undefined) {
    throw new CrossThinkError('ERR_INVALID_ARG_VALUE', `${name} is ${foreign}; unpack or convert it first`, {
      file: name,
    });
  }
  const encoding = head.subarray(0, 4).toString('latin1') === 'PAR1' ? 'utf8' : encodingOf(head);
  if (encoding !== 'utf8') return readStream(decoded(stream, encoding), name, options);
  switch (formatOf(head, name)) {
    case 'jsonl':
      return jsonlBlocks(stream, options);
    case 'array':
      return items(readJsonArray(stream, options));
    case 'document':
      return readDocument(stream, name, options);
    case 'csv':
    case 'tsv': {
      const delimiter = csvDelimiter(head.toString('utf8')) ?? (/\.tsv$/i.test(name) ? '\t' : ',');
      return items(readCsv(stream, { ...options, delimiter }));
    }
    case 'parquet':
      return items(readParquet(await parquetInMemory(stream, name)));
    case 'unknown': {
      await stream.abandon?.();
      const message = `cannot tell the format of ${name}. Known: JSON Lines, JSON, CSV, TSV, Parquet, also in .gz, .zst, .zip`;
      throw new CrossThinkError('ERR_INVALID_ARG_VALUE', message, { file: name });
    }
  }
}

async function* readDocument(stream: ByteStream, name: string, options: ReadOptions): RowBlocks {
  const bytes = await readWhole(stream, DOCUMENT_LIMIT, name);
  const rows = readJsonDocument(bytes);
  const [first] = rows;
  // JSON Lines under another name whose first line is longer than the head.
  if (first !== undefined && 'fault' in first && firstLineIsJson(bytes.toString('utf8'))) {
    yield* jsonlBlocks(chunked(bytes), options);
  } else yield { items: rows };
}

/** A stream that breaks off (a cut gzip file, a failing disk) ends in a fault instead of losing the rows before it. */
function guarded(blocks: RowBlocks): RowBlocks {
  return faulted(() => Promise.resolve(blocks), truncation);
}

function truncation(error: unknown): Drop {
  if (error instanceof CrossThinkError) throw error;
  const why = error instanceof Error ? error.message : String(error);
  return drop('truncated-file', `the file cannot be read to its end: ${why.slice(0, 160)}`);
}

/** Blocks up to an error, then the fault that is made of it. */
async function* faulted(open: () => Promise<RowBlocks>, faultOf: (error: unknown) => Drop): RowBlocks {
  let last = 0;
  try {
    for await (const block of await open()) {
      last = 'items' in block ? (block.items.at(-1)?.row ?? last) : block.firstRow + block.rows - 1;
      yield block;
    }
  } catch (error) {
    yield { items: [{ row: last + 1, fault: faultOf(error) }] };
  }
}

type Format = 'jsonl' | 'array' | 'document' | 'csv' | 'tsv' | 'parquet' | 'unknown';

/** Name without the ending of its compression. */
function stem(file: string): string {
  return file.replace(/\.(?:gz|gzip|zst|zstd)$/i, '');
}

function formatOf(head: Buffer, name: string): Format {
  if (head.subarray(0, 4).toString('latin1') === 'PAR1') return 'parquet';
  const ending = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? '';
  const text = head
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart();
  const table = ending === 'csv' || ending === 'tsv' ? ending : undefined;
  if (table !== undefined && !/^(?:\[\s*)?\{\s*"/.test(text)) return table;
  // An array under the name of lines: its first line is no row.
  if (/^\[\s*(?:\{|$)/.test(text) && !firstLineIsJson(text)) return 'array';
  if (ending === 'jsonl' || ending === 'ndjson') {
    return !/^\s*[[{]/m.test(text) && csvDelimiter(text) !== undefined ? 'csv' : 'jsonl';
  }
  if (text.startsWith('[')) return firstLineIsJson(text) ? 'jsonl' : 'array';
  if (text.startsWith('{')) return firstLineIsJson(text) ? 'jsonl' : 'document';
  if (text === '') return 'jsonl';
  return csvDelimiter(text) === undefined ? 'unknown' : 'csv';
}

/** Whether the first line is a JSON value of its own with another row behind it. */
function firstLineIsJson(text: string): boolean {
  const end = text.indexOf('\n');
  if (end < 0 || text.slice(end).trim() === '') return false;
  try {
    JSON.parse(text.slice(0, end));
    return true;
  } catch {
    return false;
  }
}
