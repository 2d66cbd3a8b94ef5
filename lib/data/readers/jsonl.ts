import binding = require('#binding');

import { isUtf8 } from 'node:buffer';
import { drop } from '../ledger.js';
import { parseJson } from './parseJson.js';
import { type ByteStream, CHUNK } from './open.js';
import { DEFAULT_MAX_ROW_BYTES, type JsonlBlock, type ReadItem, type ReadOptions, type RowBlocks } from './reader.js';

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = '\uFEFF';

/** Room in front of each chunk for the line that the chunk before it began. */
const ROOM = 1 << 16;

/** Bytes of a file, with memory in front of them that may be written to. */
interface Chunk {
  readonly memory: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Chunks of a stream; of a file in the same memory over and over: a chunk lasts until the next but one is asked for. */
async function* chunksOf(input: ByteStream): AsyncGenerator<Chunk> {
  if (input.readInto === undefined) {
    for await (const memory of input) yield { memory, start: 0, end: memory.length };
    return;
  }
  const memories = [Buffer.allocUnsafeSlow(ROOM + CHUNK), Buffer.allocUnsafeSlow(ROOM + CHUNK)] as const;
  const read = (turn: number): Promise<number> => {
    const bytes = input.readInto?.(memories[turn & 1 ? 1 : 0].subarray(ROOM)) ?? Promise.resolve(0);
    // Awaited with the next chunk: an error must not count as unhandled before.
    bytes.catch(() => undefined);
    return bytes;
  };
  let next = read(0);
  try {
    for (let turn = 0; ; turn++) {
      const bytes = await next;
      if (bytes === 0) return;
      next = read(turn + 1);
      yield { memory: memories[turn & 1 ? 1 : 0], start: ROOM, end: ROOM + bytes };
    }
  } finally {
    await next.catch(() => undefined);
    await input.abandon?.();
  }
}

/**
 * Cuts JSON Lines into blocks of whole lines, still as bytes, so that they can be parsed elsewhere. A line longer than the
 * limit becomes a fault and is skipped without being kept: memory is bounded by two chunks and one line. The bytes of a block
 * last until the next is asked for.
 */
export async function* jsonlBlocks(input: ByteStream, options: ReadOptions = {}): RowBlocks {
  const limit = options.maxRowBytes ?? DEFAULT_MAX_ROW_BYTES;
  let row = 1;
  let line = 1;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let skipping = false;
  const block = (bytes: Buffer, final: boolean): JsonlBlock => {
    const counted = { bytes, firstRow: row, firstLine: line, final };
    const counts = new Uint32Array(2);
    binding.countLines(bytes, counts);
    const [lines = 0, rows = 0] = counts;
    row += rows;
    line += lines;
    return { ...counted, rows };
  };
  /** What is pending and the chunk to `end`. */
  const joined = ({ memory }: Chunk, start: number, end: number): Buffer => {
    if (pendingBytes > start) return Buffer.concat([...pending, memory.subarray(start, end)]);
    let at = start - pendingBytes;
    for (const part of pending) at += part.copy(memory, at);
    return memory.subarray(start - pendingBytes, end);
  };

  for await (const chunk of chunksOf(input)) {
    const { memory, end } = chunk;
    let { start } = chunk;
    if (skipping) {
      const found = memory.subarray(0, end).indexOf(NEWLINE, start);
      if (found < 0) continue;
      skipping = false;
      line++;
      start = found + 1;
    }
    const last = memory.subarray(start, end).lastIndexOf(NEWLINE);
    if (last >= 0) {
      yield block(joined(chunk, start, start + last), false);
      pending = [];
      pendingBytes = 0;
      start += last + 1;
    }
    // The chunk's memory is filled again before these bytes are looked at.
    pending.push(Buffer.from(memory.subarray(start, end)));
    pendingBytes += end - start;
    if (pendingBytes > limit) {
      const fault = drop('line-too-long', `the line is longer than ${limit} bytes (option maxRowBytes)`);
      yield { items: [{ row: row++, line, fault }] };
      pending = [];
      pendingBytes = 0;
      skipping = true;
    }
  }
  if (pendingBytes > 0) yield block(Buffer.concat(pending), true);
}

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false;
  }
  return true;
}

/**
 * Parses a block: one JSON value a line. Broken JSON and invalid UTF-8 become faults with their line; everything else is
 * still read. Rows that are not `wanted` are skipped unparsed.
 */
export function parseJsonlBlock(block: JsonlBlock, wanted?: (row: number) => boolean): ReadItem[] {
  const items: ReadItem[] = [];
  eachJsonlRow(block, wanted, (item) => items.push(item));
  return items;
}

/** Where in a block its next line is read. */
export interface BlockPlace {
  /** First byte of the line; beyond the end of the block where all is read. */
  at: number;
  /** Number of the next row in the file. */
  row: number;
  /** Lines of the block read so far. */
  lines: number;
}

/**
 * As `parseJsonlBlock`, one row at a time: what a row needs is garbage before the next one is read. `ahead`, where given,
 * is asked before every line of a block of valid UTF-8 and may take lines itself by moving the place behind them.
 */
export function eachJsonlRow(
  block: JsonlBlock,
  wanted: ((row: number) => boolean) | undefined,
  visit: (item: ReadItem) => void,
  ahead?: (place: BlockPlace) => void,
): void {
  const { bytes } = block;
  const valid = isUtf8(bytes);
  const place = { at: 0, row: block.firstRow, lines: 0 };
  for (;;) {
    if (valid) ahead?.(place);
    if (place.at > bytes.length) return;
    const found = bytes.indexOf(NEWLINE, place.at);
    const end = found < 0 ? bytes.length : found;
    const line = block.firstLine + place.lines++;
    const start = place.at;
    place.at = end + 1;
    if (isBlank(bytes, start, end)) continue;
    const row = place.row++;
    if (wanted?.(row) === false) continue;
    if (!valid && !isUtf8(bytes.subarray(start, end))) {
      visit({ row, line, fault: drop('invalid-utf8', 'the line is not valid UTF-8') });
    } else {
      const text = bytes.toString('utf8', start, end);
      visit(parseLine(line === 1 ? stripMark(text) : text, row, line, block.final && found < 0));
    }
  }
}

function stripMark(text: string): string {
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

function parseLine(text: string, row: number, line: number, lastLine: boolean): ReadItem {
  try {
    return { row, line, value: parseJson(text) };
  } catch (error) {
    const place = { row, line };
    if (text.includes('\0')) return { ...place, fault: drop('invalid-json', 'the line holds NUL bytes') };
    const why = error instanceof Error ? error.message.slice(0, 120) : 'unknown error';
    const hint = lastLine ? '; the file ends inside this line' : '';
    return { ...place, fault: drop('invalid-json', `not a JSON value: ${why}${hint}`) };
  }
}
