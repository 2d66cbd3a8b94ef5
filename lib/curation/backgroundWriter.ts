import type { FileHandle } from 'node:fs/promises';

/** Writes a file from front to back, one write on its way at a time, while the caller goes on. */
export class BackgroundWriter {
  #underWay: Promise<void> = Promise.resolve();
  #position: number;

  constructor(
    private readonly handle: FileHandle,
    position = 0,
  ) {
    this.#position = position;
  }

  /** End of the file once what was started is written. */
  get position(): number {
    return this.#position;
  }

  /** Waits for the write before, and starts this one: the chunks must stay as they are until `settled`. */
  async start(chunks: readonly Uint8Array[]): Promise<void> {
    await this.settled();
    const at = this.#position;
    const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
    this.#position += bytes;
    this.#underWay = this.#write(chunks, at, bytes);
    // Awaited with the next one: an error must not count as unhandled before.
    this.#underWay.catch(() => undefined);
  }

  /** Resolves when everything started is written; throws the error of a write that failed. */
  async settled(): Promise<void> {
    await this.#underWay;
  }

  /** A file system may take less than it is given. */
  async #write(chunks: readonly Uint8Array[], at: number, bytes: number): Promise<void> {
    if (bytes === 0) return;
    const { bytesWritten } = await this.handle.writev([...chunks], at);
    if (bytesWritten === bytes) return;
    const rest = Buffer.concat(chunks).subarray(bytesWritten);
    for (let done = 0; done < rest.length;) {
      const part = await this.handle.write(rest, done, rest.length - done, at + bytesWritten + done);
      done += part.bytesWritten;
    }
  }

  /** Waits for what is under way, syncs and closes the file. */
  async finish(): Promise<void> {
    await this.settled();
    await this.handle.sync();
    await this.handle.close();
  }

  /** Closes the file, whatever became of it. */
  async close(): Promise<void> {
    await this.#underWay.catch(() => undefined);
    await this.handle.close().catch(() => undefined);
  }
}
