import { isUtf8 } from 'node:buffer';
import { drop } from '../ledger.js';
import type { ByteStream } from './open.js';
import { DEFAULT_MAX_ROW_BYTES, type ReadItem, type ReadOptions, type RowReader } from './reader.js';

const KNOWN_COLUMN =
  /question|answer|prompt|choice|option|messages|ground_?truth|^(?:text|input|output|target|index|label|problem|solution|query|gold)$/i;
const BOM = '\u00ef\u00bb\u00bf';

/** One record as found in the text; `end` is where the next begins. */
interface CsvRecord {
  readonly cells: readonly string[];
  readonly end: number;
  readonly lines: number;
}

/**
 * Reads CSV (or TSV with `delimiter: '\t'`) after RFC 4180: quoted cells, doubled quotes, embedded line breaks; a quote
 * inside an unquoted cell is text. Rows are objects where the first row is a header, arrays of cells otherwise. A row with
 * more or fewer cells than the header, bad UTF-8, or a quote that is never closed is a fault, and reading goes on with the
 * next line. Memory is bounded by one chunk and one row.
 */
export async function* readCsv(stream: ByteStream, options: ReadOptions & { delimiter?: string } = {}): RowReader {
  const limit = options.maxRowBytes ?? DEFAULT_MAX_ROW_BYTES;
  const rows = new CsvRows(options.delimiter ?? ',');
  // Latin-1 keeps one character a byte, so that a bad byte is found in its cell and nowhere else.
  let text = '';
  for await (const chunk of stream) {
    text += chunk.toString('latin1');
    const { items, rest } = rows.take(text, false, limit);
    text = rest;
    if (items.length > 0) yield items;
  }
  const { items } = rows.take(text, true, limit);
  if (items.length > 0) yield items;
}

class CsvRows {
  #header: readonly string[] | undefined;
  #first = true;
  #row = 0;
  #line = 1;
  #skipping = false;

  constructor(private readonly delimiter: string) {}

  /** Rows of the whole records in `text`, and what remains of it. */
  take(text: string, final: boolean, limit: number): { items: ReadItem[]; rest: string } {
    const items: ReadItem[] = [];
    let start = this.#first && text.startsWith(BOM) ? BOM.length : 0;
    while (start < text.length) {
      if (this.#skipping) {
        const end = text.indexOf('\n', start);
        if (end < 0) return { items, rest: '' };
        this.#skipping = false;
        start = end + 1;
        this.#line++;
        continue;
      }
      const record = readRecord(text, start, this.delimiter, final);
      if (record === undefined) {
        if (!final && text.length - start <= limit) break;
        if (text.length - start > limit && !hasBreak(text, start, limit)) {
          items.push(this.#fault(`the row is longer than ${limit} bytes (option maxRowBytes)`, 'line-too-long'));
          this.#skipping = true;
          continue;
        }
        // An open quote: only its line is lost.
        const lineEnd = text.indexOf('\n', start);
        items.push(this.#fault('a quote opened in this row is never closed'));
        if (lineEnd < 0) return { items, rest: '' };
        start = lineEnd + 1;
        this.#line++;
        continue;
      }
      const item = this.#record(record.cells);
      if (item !== undefined) items.push(item);
      start = record.end;
      this.#line += record.lines;
    }
    return { items, rest: text.slice(start) };
  }

  #fault(detail: string, reason = 'malformed-csv'): ReadItem {
    this.#first = false;
    return { row: ++this.#row, line: this.#line, fault: drop(reason, detail) };
  }

  #record(raw: readonly string[]): ReadItem | undefined {
    if (raw.length === 1 && raw[0]?.trim() === '') return undefined;
    const cells = raw.map(decodeCell);
    if (cells.includes(undefined)) return this.#fault('a cell is not valid UTF-8', 'invalid-utf8');
    const texts = cells as readonly string[];
    if (texts.some((cell) => cell.includes('\0'))) return this.#fault('a cell holds NUL bytes');
    if (this.#first) {
      this.#first = false;
      if (isHeader(texts)) {
        this.#header = texts.map((name) => name.trim());
        return undefined;
      }
    }
    const header = this.#header;
    if (header !== undefined && header.length !== texts.length) {
      return this.#fault(`expected ${header.length} cells as in the header; received ${texts.length}`);
    }
    const value = header === undefined ? texts : Object.fromEntries(header.map((name, i) => [name, texts[i]]));
    return { row: ++this.#row, line: this.#line, value };
  }
}

const GOLD_LETTER = /^[A-J]$/;

/** Delimiters that tables come with, the usual one first. */
const DELIMITERS = [',', '\t', ';', '|'] as const;

/**
 * What separates the cells of a table: the delimiter under which its first row is a header of most cells, or ends in the
 * gold letter of a row without header; undefined where it is so under none.
 */
export function csvDelimiter(head: string): string | undefined {
  const text = head.replace(/^\uFEFF/, '');
  const widths = DELIMITERS.map((delimiter) => {
    const { cells = [] } = readRecord(text, 0, delimiter, true) ?? {};
    const row = isHeader(cells) || (cells.length >= 4 && GOLD_LETTER.test(cells.at(-1)?.trim() ?? ''));
    return cells.length >= 2 && row ? cells.length : 0;
  });
  const widest = Math.max(...widths);
  return widest === 0 ? undefined : DELIMITERS[widths.indexOf(widest)];
}

/** UTF-8 text of a cell read as Latin-1; undefined where its bytes are no UTF-8. */
function decodeCell(cell: string): string | undefined {
  if (!/[\x80-\xff]/.test(cell)) return cell;
  const bytes = Buffer.from(cell, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}

/** The record that starts at `start`; undefined where the text ends inside it (`final`: inside a quote). */
function readRecord(text: string, start: number, delimiter: string, final: boolean): CsvRecord | undefined {
  const cells: string[] = [];
  let lines = 0;
  let at = start;
  for (;;) {
    let cell = '';
    if (text[at] === '"') {
      for (at++; ;) {
        const quote = text.indexOf('"', at);
        if (quote < 0 || (quote === text.length - 1 && !final)) return undefined;
        cell += text.slice(at, quote);
        at = quote + 1;
        if (text[at] !== '"') break;
        cell += '"';
        at++;
      }
      const breaks = countBreaks(cell);
      // Text behind the end of a quote over several lines: an earlier quote was left open.
      if (breaks > 0 && at < text.length && !behindQuote(text, at, delimiter)) return undefined;
      lines += breaks;
    }
    const end = plainEnd(text, at, delimiter);
    if (end === text.length && !final) return undefined;
    cell += text.slice(at, end);
    at = end;
    if (text[at] === delimiter) {
      cells.push(cell);
      at++;
      continue;
    }
    cells.push(cell.endsWith('\r') ? cell.slice(0, -1) : cell);
    return { cells, end: Math.min(at + 1, text.length), lines: lines + 1 };
  }
}

function behindQuote(text: string, at: number, delimiter: string): boolean {
  const next = text[at];
  return next === delimiter || next === '\n' || next === '\r';
}

/** Where an unquoted stretch ends: at the next delimiter, line break, or the end of the text. */
function plainEnd(text: string, start: number, delimiter: string): number {
  for (let i = start; i < text.length; i++) {
    const char = text[i];
    if (char === delimiter || char === '\n') return i;
  }
  return text.length;
}

function hasBreak(text: string, start: number, limit: number): boolean {
  const end = text.indexOf('\n', start);
  return end >= 0 && end - start <= limit;
}

function countBreaks(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

/**
 * Whether a first row names columns: distinct, short, not numbers, one of them a name that question tables use. A last
 * cell that is a lone letter is a gold answer, hence data.
 */
export function isHeader(cells: readonly string[]): boolean {
  const names = cells.map((cell) => cell.trim());
  const plain = names.every((name) => name.length <= 120 && !/^[-+]?\d+(?:\.\d+)?$/.test(name) && !name.includes('\n'));
  if (!plain || new Set(names).size !== names.length || GOLD_LETTER.test(names.at(-1) ?? '')) return false;
  return names.some((name) => name.length <= 40 && !name.endsWith('?') && KNOWN_COLUMN.test(name));
}
