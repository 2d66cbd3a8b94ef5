import type { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { drop } from '../ledger.js';
import { DEFAULT_MAX_ROW_BYTES, type ReadItem, type ReadOptions, type RowReader } from './reader.js';

const BATCH = 256;
const KNOWN_COLUMN =
  /question|answer|prompt|choice|option|^(?:text|input|output|target|index|label|problem|solution)$/i;

interface CsvRecord {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/**
 * Reads CSV (or TSV with `delimiter: '\t'`): quoted cells, embedded line breaks, byte-order mark. Rows are objects where
 * the first row is a header, arrays of cells otherwise. A row with more or fewer cells than the header is a fault.
 */
export async function* readCsv(input: Readable, options: ReadOptions & { delimiter?: string } = {}): RowReader {
  const parser = parse({
    bom: true,
    delimiter: options.delimiter ?? ',',
    info: true,
    max_record_size: options.maxRowBytes ?? DEFAULT_MAX_ROW_BYTES,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
  });
  input.on('error', (error) => parser.destroy(error));
  input.pipe(parser);

  let header: readonly string[] | undefined;
  let row = 0;
  let line = 1;
  let first = true;
  let batch: ReadItem[] = [];
  try {
    for await (const { record, info } of parser as AsyncIterable<CsvRecord>) {
      const start = line;
      line = info.lines + 1;
      if (first) {
        first = false;
        if (isHeader(record)) {
          header = record.map((name) => name.trim());
          continue;
        }
      }
      batch.push(toItem(record, header, ++row, start));
      if (batch.length >= BATCH) {
        yield batch;
        batch = [];
      }
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const why =
      error.code === 'CSV_QUOTE_NOT_CLOSED'
        ? 'a quote opened in this row is never closed; the rest of the file belongs to it'
        : error.message;
    batch.push({ row: row + 1, line, fault: drop('malformed-csv', why) });
  }
  if (batch.length > 0) yield batch;
}

function toItem(record: readonly string[], header: readonly string[] | undefined, row: number, line: number): ReadItem {
  if (header === undefined) return { row, line, value: record };
  if (record.length !== header.length) {
    const detail = `expected ${header.length} cells as in the header; received ${record.length}`;
    return { row, line, fault: drop('malformed-csv', detail) };
  }
  return { row, line, value: Object.fromEntries(header.map((name, i) => [name, record[i]])) };
}

/**
 * Whether a first row names columns: distinct, short, not numbers, one of them a name that question tables use. A last
 * cell that is a lone letter is a gold answer, hence data.
 */
export function isHeader(cells: readonly string[]): boolean {
  const names = cells.map((cell) => cell.trim());
  const plain = names.every((name) => name.length <= 60 && !/^[-+\d.]+$/.test(name) && !/[?\n]/.test(name));
  if (!plain || new Set(names).size !== names.length || /^[A-J]$/.test(names.at(-1) ?? '')) return false;
  return names.some((name) => KNOWN_COLUMN.test(name));
}
