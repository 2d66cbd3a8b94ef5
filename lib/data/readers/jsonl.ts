import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import { type Drop, drop } from '../ledger.js';
import { DEFAULT_MAX_ROW_BYTES, type ReadItem, type ReadOptions, type RowReader } from './reader.js';

const NEWLINE = 0x0a;

/**
 * Reads JSON Lines: one JSON value a line. Broken JSON, invalid UTF-8 and lines longer than the limit become faults with
 * their line; everything else is still read. Memory is bounded by one chunk and one line.
 */
export async function* readJsonl(input: Readable, options: ReadOptions = {}): RowReader {
  const limit = options.maxRowBytes ?? DEFAULT_MAX_ROW_BYTES;
  const lines = new LineNumbers();
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let skipping = false;

  for await (const chunk of input as AsyncIterable<Buffer>) {
    let rest = chunk;
    if (skipping) {
      const end = rest.indexOf(NEWLINE);
      if (end < 0) continue;
      skipping = false;
      lines.next();
      rest = rest.subarray(end + 1);
    }
    const last = rest.lastIndexOf(NEWLINE);
    if (last >= 0) {
      yield lines.parse(Buffer.concat([...pending, rest.subarray(0, last)]));
      pending = [];
      pendingBytes = 0;
      rest = rest.subarray(last + 1);
    }
    pending.push(rest);
    pendingBytes += rest.length;
    if (pendingBytes > limit) {
      yield [lines.fault(drop('line-too-long', `the line is longer than ${limit} bytes (option maxRowBytes)`))];
      pending = [];
      pendingBytes = 0;
      skipping = true;
    }
  }
  if (pendingBytes > 0) yield lines.parse(Buffer.concat(pending), true);
}

/** Turns blocks of whole lines into rows and keeps count of rows and lines. */
class LineNumbers {
  #line = 0;
  #row = 0;

  next(): void {
    this.#line++;
  }

  /** A fault at the line that follows the last counted one; the caller counts the line when its end is seen. */
  fault(fault: Drop): ReadItem {
    return { row: ++this.#row, line: this.#line + 1, fault };
  }

  parse(block: Buffer, atEnd = false): ReadItem[] {
    const items: ReadItem[] = [];
    // One decode for the whole block; only a block with a bad byte is looked at line by line.
    const texts: readonly (string | undefined)[] = isUtf8(block)
      ? block.toString('utf8').split('\n')
      : splitBytes(block).map((line) => (isUtf8(line) ? line.toString('utf8') : undefined));
    for (const [i, raw] of texts.entries()) {
      this.#line++;
      const text = this.#line === 1 ? raw?.replace(/^\uFEFF/, '') : raw;
      if (text === undefined) {
        items.push({ row: ++this.#row, line: this.#line, fault: drop('invalid-utf8', 'the line is not valid UTF-8') });
      } else if (text.trim() !== '') {
        items.push(this.#json(text, atEnd && i === texts.length - 1));
      }
    }
    return items;
  }

  #json(text: string, lastLine: boolean): ReadItem {
    const place = { row: ++this.#row, line: this.#line };
    try {
      return { ...place, value: JSON.parse(text) as unknown };
    } catch (error) {
      if (text.includes('\0')) return { ...place, fault: drop('invalid-json', 'the line holds NUL bytes') };
      const why = error instanceof Error ? error.message.slice(0, 120) : 'unknown error';
      const hint = lastLine ? '; the file ends inside this line' : '';
      return { ...place, fault: drop('invalid-json', `not a JSON value: ${why}${hint}`) };
    }
  }
}

function splitBytes(block: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  for (let end = block.indexOf(NEWLINE); end >= 0; end = block.indexOf(NEWLINE, start)) {
    lines.push(block.subarray(start, end));
    start = end + 1;
  }
  lines.push(block.subarray(start));
  return lines;
}
