import { isUtf8 } from 'node:buffer';
import { isRowObject, type RowObject } from '../fields.js';
import { drop } from '../ledger.js';
import type { ByteStream } from './open.js';
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
    return { ...place, value: JSON.parse(text) as unknown };
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 120) : 'unknown error';
    return { ...place, fault: drop('invalid-json', `not a JSON value: ${why}`) };
  }
}

/**
 * Rows of a file that is one JSON object: the longest list of objects or of texts among its values (`examples`, `data`,
 * …), or its values where all are objects (keyed by id), or the object itself. What stands beside the list becomes the
 * rows' `envelope`.
 */
export function readJsonDocument(bytes: Buffer): ReadItem[] {
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  const whole = parseItem({ row: 1, line: 1 }, text);
  if (!('value' in whole) || !isRowObject(whole.value)) return [whole];
  const document = whole.value;
  const lists = Object.entries(document).filter(([, value]) => Array.isArray(value) && value.some(isRowObject));
  const longest = lists.sort(([, a], [, b]) => (b as unknown[]).length - (a as unknown[]).length)[0];
  const values = Object.values(document);
  // A row that merely holds a list of objects (chat messages, choices) is still one row.
  if (longest !== undefined && !looksLikeRow(document)) {
    const { [longest[0]]: rows, ...envelope } = document;
    return (rows as unknown[]).map((value, i) => ({ row: i + 1, value, envelope }));
  }
  if (values.length > 0 && values.every(isRowObject)) {
    return Object.entries(document).map(([key, value], i) => ({ row: i + 1, value, envelope: { key } }));
  }
  return [whole];
}

function looksLikeRow(document: RowObject): boolean {
  return ['question', 'Question', 'prompt', 'problem', 'answer', 'messages', 'input'].some((name) => name in document);
}
