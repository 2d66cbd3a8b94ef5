import binding = require('#binding');

import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CrossThinkError } from '../errors.js';

const NAME = 'questions.parquet';
const CHUNK = 4 << 20;

/**
 * `questions.parquet`: the rows of `questions.jsonl` as nested columns, a pure function of its lines. Fed with the same
 * bytes in the same order; written beside its final name until it is whole.
 */
export class ParquetOutput {
  readonly #native = new binding.QuestionParquet('crossthink');

  private constructor(
    private readonly path: string,
    private readonly temporary: string,
    private readonly handle: FileHandle,
  ) {}

  static async create(dir: string): Promise<ParquetOutput> {
    const temporary = join(dir, `.${NAME}.partial`);
    return new ParquetOutput(join(dir, NAME), temporary, await open(temporary, 'w'));
  }

  /** Whole lines of questions. */
  async write(lines: Uint8Array): Promise<void> {
    let waiting: number;
    try {
      waiting = this.#native.append(lines);
    } catch (cause) {
      const message = `a line is no curated question: ${cause instanceof Error ? cause.message : String(cause)}`;
      throw new CrossThinkError('ERR_SCHEMA', message, { file: this.path, cause });
    }
    if (waiting >= CHUNK) await this.#take(waiting);
  }

  /** The first `bytes` of a JSON Lines file, which end with a line. */
  async writeFile(file: string, bytes: number): Promise<void> {
    if (bytes === 0) return;
    let rest = Buffer.alloc(0);
    for await (const chunk of createReadStream(file, {
      end: bytes - 1,
      highWaterMark: 1 << 20,
    }) as AsyncIterable<Buffer>) {
      const end = chunk.lastIndexOf(0x0a) + 1;
      if (end === 0) rest = Buffer.concat([rest, chunk]);
      else {
        await this.write(Buffer.concat([rest, chunk.subarray(0, end)]));
        rest = Buffer.from(chunk.subarray(end));
      }
    }
    if (rest.length > 0) await this.write(rest);
  }

  async #take(waiting: number): Promise<void> {
    const bytes = Buffer.allocUnsafeSlow(waiting);
    this.#native.take(bytes);
    await this.handle.write(bytes);
  }

  /** Puts the file in its place. */
  async commit(): Promise<void> {
    await this.#take(this.#native.finish());
    await this.handle.sync();
    await this.handle.close();
    await rename(this.temporary, this.path);
  }

  /** Forgets what was written, unless it was committed. */
  async close(): Promise<void> {
    await this.handle.close().catch(() => undefined);
    await rm(this.temporary, { force: true });
  }
}
