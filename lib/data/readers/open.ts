import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { CrossThinkError } from '../../errors.js';

/** Bytes of one file, decompressed, read once from the start. */
export type ByteStream = AsyncIterable<Buffer>;

export const CHUNK = 1 << 20;

/** Opens a file for reading; throws `ERR_FILE_NOT_FOUND` or `ERR_INVALID_ARG_VALUE` with the path. */
export async function openBytes(file: string, onBytes?: (bytes: number) => void): Promise<ByteStream> {
  const info = await stat(file).catch((cause: unknown) => {
    const message = `no such file: ${file}. Check the path (it is taken relative to ${process.cwd()})`;
    throw new CrossThinkError('ERR_FILE_NOT_FOUND', message, { file, cause });
  });
  if (info.isDirectory()) {
    throw new CrossThinkError('ERR_INVALID_ARG_VALUE', `expected a file; received the folder ${file}`, { file });
  }
  const stream = createReadStream(file, { highWaterMark: CHUNK }) as ByteStream;
  return onBytes === undefined ? stream : counted(stream, onBytes);
}

async function* counted(stream: ByteStream, onBytes: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of stream) {
    onBytes(chunk.length);
    yield chunk;
  }
}

/**
 * The first bytes of a stream (at least `count`, unless it ends before), and the stream as if nothing had been read: one
 * that breaks off does so behind them.
 */
export async function peek(stream: ByteStream, count: number): Promise<{ head: Buffer; stream: ByteStream }> {
  const iterator = stream[Symbol.asyncIterator]();
  const read: Buffer[] = [];
  let bytes = 0;
  let done = false;
  let broken: Error | undefined;
  while (bytes < count && !done) {
    const next = await iterator.next().catch((error: unknown) => {
      broken = error instanceof Error ? error : new Error(String(error));
      return { done: true as const, value: undefined };
    });
    done = next.done === true;
    if (next.done !== true) {
      read.push(next.value);
      bytes += next.value.length;
    }
  }
  async function* replay(): AsyncGenerator<Buffer> {
    yield* read;
    if (broken !== undefined) throw broken;
    if (done) return;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  }
  return { head: Buffer.concat(read), stream: replay() };
}

/** All bytes of a stream; throws `ERR_OUT_OF_RANGE` beyond `limit`. */
export async function readWhole(stream: ByteStream, limit: number, file: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > limit) {
      const message = `the file is one JSON document of more than ${limit} bytes; convert it to JSON Lines`;
      throw new CrossThinkError('ERR_OUT_OF_RANGE', message, { file });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
