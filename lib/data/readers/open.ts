import { type FileHandle, open, stat } from 'node:fs/promises';
import { CrossThinkError } from '../../errors.js';

/** Bytes of one file, decompressed, read once from the start. */
export interface ByteStream extends AsyncIterable<Buffer> {
  /** What comes next, into memory of the caller's: the number of bytes, 0 at the end. Not while a chunk is waited for. */
  readInto?(memory: Uint8Array): Promise<number>;
  /** Ends it before its end. */
  abandon?(): Promise<void>;
}

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
  return new FileBytes(file, onBytes);
}

class FileBytes implements ByteStream {
  #handle: FileHandle | undefined;
  #ended = false;

  constructor(
    private readonly file: string,
    private readonly onBytes: ((bytes: number) => void) | undefined,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        const chunk = Buffer.allocUnsafeSlow(CHUNK);
        const bytes = await this.readInto(chunk);
        if (bytes === 0) return;
        yield chunk.subarray(0, bytes);
      }
    } finally {
      await this.abandon();
    }
  }

  async readInto(memory: Uint8Array): Promise<number> {
    if (this.#ended) return 0;
    this.#handle ??= await open(this.file).catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new CrossThinkError('ERR_INVALID_ARG_VALUE', `cannot open ${this.file}: ${why}`, {
        file: this.file,
        cause,
      });
    });
    const { bytesRead } = await this.#handle.read(memory);
    this.onBytes?.(bytesRead);
    if (bytesRead === 0) await this.abandon();
    return bytesRead;
  }

  async abandon(): Promise<void> {
    this.#ended = true;
    await this.#handle?.close();
    this.#handle = undefined;
  }
}

/**
 * The first bytes of a stream (at least `count`, unless it ends before), and the stream as if nothing had been read: one
 * that breaks off does so behind them.
 */
export async function peek(source: ByteStream, count: number): Promise<{ head: Buffer; stream: ByteStream }> {
  const iterator = source[Symbol.asyncIterator]();
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
  const head = Buffer.concat(read);
  let left = head;
  const take = (bytes: number): Buffer => {
    const part = left.subarray(0, bytes);
    left = left.subarray(part.length);
    return part;
  };
  async function* replay(): AsyncGenerator<Buffer> {
    if (left.length > 0) yield take(left.length);
    if (broken !== undefined) throw broken;
    if (done) return;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  }
  const readInto = async (memory: Uint8Array): Promise<number> => {
    if (left.length === 0 && broken !== undefined) throw broken;
    if (left.length === 0) return (await source.readInto?.(memory)) ?? 0;
    const part = take(memory.length);
    memory.set(part);
    return part.length;
  };
  const abandon = async (): Promise<void> => source.abandon?.();
  const stream = { [Symbol.asyncIterator]: replay, abandon };
  return { head, stream: source.readInto === undefined ? stream : { ...stream, readInto } };
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
