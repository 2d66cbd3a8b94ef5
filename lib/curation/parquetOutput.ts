import binding = require('#binding');

import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CrossThinkError } from '../errors.js';

const NAME = 'questions.parquet';

/**
 * `questions.parquet`: the rows of `questions.jsonl` as nested columns, a pure function of its lines. Fed with the same
 * bytes in the same order; written, on a thread of the addon, beside its final name until it is whole.
 */
export class ParquetOutput {
  readonly #native: InstanceType<typeof binding.QuestionParquet>;
  #underWay: Promise<void> = Promise.resolve();

  private constructor(
    private readonly path: string,
    private readonly temporary: string,
    private readonly handle: FileHandle,
  ) {
    this.#native = new binding.QuestionParquet('crossthink', handle.fd);
  }

  static async create(dir: string): Promise<ParquetOutput> {
    const temporary = join(dir, `.${NAME}.partial`);
    return new ParquetOutput(join(dir, NAME), temporary, await open(temporary, 'w'));
  }

  /** Starts to take up whole lines of questions, which must stay as they are until `settled`. */
  async write(lines: Uint8Array): Promise<void> {
    await this.settled();
    this.#underWay = this.#append(lines);
    // Awaited with the next one: an error must not count as unhandled before.
    this.#underWay.catch(() => undefined);
  }

  /** Resolves when all lines are taken up; throws the error of lines that could not be. */
  async settled(): Promise<void> {
    await this.#underWay;
  }

  async #append(lines: Uint8Array): Promise<void> {
    if (await this.#native.append(lines)) return;
    const message = `a line is no curated question: expected ${this.#native.fault()}`;
    throw new CrossThinkError('ERR_SCHEMA', message, { file: this.path });
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

  /** Puts the file in its place. */
  async commit(): Promise<void> {
    await this.settled();
    await this.#native.finish();
    await this.handle.sync();
    await this.handle.close();
    await rename(this.temporary, this.path);
  }

  /** Forgets what was written, unless it was committed. */
  async close(): Promise<void> {
    await this.#underWay.catch(() => undefined);
    await this.handle.close().catch(() => undefined);
    await rm(this.temporary, { force: true });
  }
}
