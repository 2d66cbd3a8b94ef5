import { isUtf8 } from 'node:buffer';
import { isRowObject, type RowObject } from '../fields.js';
import { drop } from '../ledger.js';
import type { ByteStream } from './open.js';
import { parseJson } from './parseJson.js';
import { DEFAULT_MAX_ROW_BYTES, type ReadItem, type ReadOptions, type RowReader } from './reader.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const NEWLINE = 0x0a;

/**
 * Reads a file that is one JSON array, element by element: memory is bounded by one chunk and one element. A broken
 * element is a fault; reading goes on behind its comma. An array that is never closed ends in a fault `truncated-file`.
 */
export async function* readJsonArray(stream: ByteStream, options: ReadOptions = {}): RowReader {
  const elements = new ElementScanner(options.maxRowBytes ?? DEFAULT_MAX_ROW_BYTES);
  for await (const chunk of stream) {
    const items = elements.push(chunk);
    if (items.length > 0) yield items;
  }
  const last = elements.end();
  if (last !== undefined) yield [last];
}

class ElementScanner {
  #row = 0;
  #line = 1;
  #startLine = 1;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #pending: Buffer[] = [];
  #bytes = 0;
  #tooLong = false;

  constructor(private readonly limit: number) {}

  push(chunk: Buffer): ReadItem[] {
    const items: ReadItem[] = [];
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (byte === NEWLINE) {
        this.#line++;
        // JSON strings hold no raw line breaks: an open string ends here, so that one bad row does not swallow the file.
        this.#inString = false;
      }
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inString = false;
        continue;
      }
      if (byte === QUOTE) this.#inString = true;
      else if (byte === 0x5b || byte === 0x7b) {
        if (++this.#depth === 1) start = this.#restart(i);
      } else if (byte === 0x5d || byte === 0x7d) {
        if (--this.#depth === 0) start = this.#finish(items, chunk, start, i);
      } else if (byte === COMMA && this.#depth === 1) {
        start = this.#finish(items, chunk, start, i);
      }
    }
    if (this.#depth > 0) this.#keep(chunk.subarray(start));
    return items;
  }

  end(): ReadItem | undefined {
    if (this.#depth <= 0) return undefined;
    const detail = 'the file ends inside the JSON array: it was cut, or a bracket is missing';
    return { row: ++this.#row, line: this.#startLine, fault: drop('truncated-file', detail) };
  }

  #restart(at: number): number {
    this.#pending = [];
    this.#bytes = 0;
    this.#tooLong = false;
    this.#startLine = this.#line;
    return at + 1;
  }

  #keep(part: Buffer): void {
    this.#bytes += part.length;
    this.#tooLong ||= this.#bytes > this.limit;
    if (this.#tooLong) this.#pending = [];
    else this.#pending.push(part);
  }

  #finish(items: ReadItem[], chunk: Buffer, start: number, end: number): number {
    this.#keep(chunk.subarray(start, end));
    const bytes = Buffer.concat(this.#pending);
    const text = bytes.toString('utf8');
    if (this.#tooLong || text.trim() !== '') {
      const lead = /^\s*/.exec(text)?.[0] ?? '';
      const place = { row: ++this.#row, line: this.#startLine + lead.split('\n').length - 1 };
      items.push(this.#item(place, bytes, text));
    }
    return this.#restart(end);
  }

  #item(place: { row: number; line: number }, bytes: Buffer, text: string): ReadItem {
    if (this.#tooLong) return { ...place, fault: drop('line-too-long', `the row is longer than ${this.limit} bytes`) };
    if (!isUtf8(bytes)) return { ...place, fault: drop('invalid-utf8', 'the row is not valid UTF-8') };
    return parseItem(place, text);
  }
}

function parseItem(place: { row: number; line: number }, text: string): ReadItem {
  try {
    return { ...place, value: parseJson(text) };
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 120) : 'unknown error';
    return { ...place, fault: drop('invalid-json', `not a JSON value: ${why}`) };
  }
}

/** What lists of rows are called; the first that a document has counts, else its longest list. */
const ROW_LISTS = ['data', 'rows', 'examples', 'instances', 'questions', 'problems', 'items', 'samples', 'records'];
const SPLIT = /^(?:train|training|test|dev|val|valid|validation|eval|auxiliary_train)$/i;

/**
 * Rows of a file that is one JSON object: a list of objects among its values (`ROW_LISTS`, or the longest), all lists
 * where they are splits (`train`, `test`, …), its columns where it holds a table by columns (lists of equal length, or
 * mappings from row numbers), its values where all are objects (keyed by id), or the object itself. What stands beside the
 * list becomes the rows' `envelope`.
 */
export function readJsonDocument(bytes: Buffer): ReadItem[] {
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  const whole = parseItem({ row: 1, line: 1 }, text);
  if (!('value' in whole) || !isRowObject(whole.value)) return [whole];
  const document = whole.value;
  const columns = columnsOf(document);
  if (columns !== undefined) return rowsOfColumns(columns).map((value, i) => ({ row: i + 1, value }));
  // A row that merely holds a list of objects (chat messages, choices) is still one row.
  if (!looksLikeRow(document)) {
    const lists = rowLists(document);
    if (lists.length > 0) return listedRows(document, lists);
  }
  const values = Object.values(document);
  if (values.length > 0 && values.every(isRowObject)) {
    return Object.entries(document).map(([key, value], i) => ({ row: i + 1, value, envelope: { key } }));
  }
  return [whole];
}

/** Names of the lists whose items are the rows. */
function rowLists(document: RowObject): string[] {
  const sizes = new Map<string, number>();
  for (const [name, value] of Object.entries(document)) {
    if (Array.isArray(value) && value.some(isRowObject)) sizes.set(name, value.length);
  }
  const names = [...sizes.keys()];
  if (names.length > 1 && names.every((name) => SPLIT.test(name))) return names;
  const known = ROW_LISTS.find((name) => sizes.has(name));
  const chosen = known ?? names.sort((a, b) => (sizes.get(b) ?? 0) - (sizes.get(a) ?? 0))[0];
  return chosen === undefined ? [] : [chosen];
}

function listedRows(document: RowObject, lists: readonly string[]): ReadItem[] {
  const beside = Object.fromEntries(Object.entries(document).filter(([name]) => !lists.includes(name)));
  let row = 0;
  return lists.flatMap((name) => {
    const envelope = lists.length > 1 ? { ...beside, split: name } : beside;
    return (document[name] as unknown[]).map((value) => ({ row: ++row, value, envelope }));
  });
}

/** The columns of a table that is written column by column (`Dataset.to_dict`, pandas); undefined for anything else. */
function columnsOf(document: RowObject): [string, readonly unknown[]][] | undefined {
  const entries = Object.entries(document);
  const [first] = entries;
  if (first === undefined || entries.length < 2 || !entries.some(([name]) => ROW_COLUMN.test(name))) return undefined;
  const columns = entries.map(([name, value]): [string, unknown] => [
    name,
    isRowObject(value) && Object.keys(value).every((key) => /^\d+$/.test(key)) ? Object.values(value) : value,
  ]);
  const rows = columns.map(([, value]) => (Array.isArray(value) && !value.some(isMessage) ? value.length : -1));
  if (rows.some((length) => length < 1 || length !== rows[0])) return undefined;
  return columns as [string, readonly unknown[]][];
}

function isMessage(value: unknown): boolean {
  return isRowObject(value) && ('role' in value || 'from' in value);
}

function rowsOfColumns(columns: readonly [string, readonly unknown[]][]): RowObject[] {
  return (columns[0]?.[1] ?? []).map((_, i) => Object.fromEntries(columns.map(([name, values]) => [name, values[i]])));
}

const ROW_COLUMN = /^(?:question|problem|prompt|answer|messages|input)/i;
const ROW_NAMES = ['question', 'prompt', 'problem', 'answer', 'messages', 'input'];

function looksLikeRow(document: RowObject): boolean {
  return Object.keys(document).some((name) => ROW_NAMES.includes(name.toLowerCase()));
}
