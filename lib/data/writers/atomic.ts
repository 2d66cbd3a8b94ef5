import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const FLUSH_CHARS = 1 << 20;

/**
 * A text file that appears under its name only when it is whole: lines go to a temporary file beside it; `commit` syncs
 * and renames it, `abort` removes it.
 */
export class AtomicFile {
  #buffer: string[] = [];
  #buffered = 0;

  private constructor(
    readonly path: string,
    private readonly temporary: string,
    private readonly handle: FileHandle,
  ) {}

  static async create(path: string): Promise<AtomicFile> {
    await mkdir(dirname(path), { recursive: true });
    const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
    return new AtomicFile(path, temporary, await open(temporary, 'wx'));
  }

  /** Queues text; resolves at once unless the buffer is full. Await it to bound memory. */
  async write(text: string): Promise<void> {
    this.#buffer.push(text);
    this.#buffered += text.length;
    if (this.#buffered >= FLUSH_CHARS) await this.#flush();
  }

  /** Queues one row as a line of JSON. */
  async writeJson(value: unknown): Promise<void> {
    await this.write(`${JSON.stringify(value)}\n`);
  }

  async #flush(): Promise<void> {
    const text = this.#buffer.join('');
    this.#buffer = [];
    this.#buffered = 0;
    await this.handle.appendFile(text);
  }

  /** Puts the file in its place. */
  async commit(): Promise<void> {
    await this.#flush();
    await this.handle.sync();
    await this.handle.close();
    await rename(this.temporary, this.path);
  }

  /** Forgets what was written; the file under the name stays as it was. */
  async abort(): Promise<void> {
    await this.handle.close().catch(() => undefined);
    await rm(this.temporary, { force: true });
  }
}

/** Writes several files that appear only if `write` succeeds, in the order given. */
export async function writeAtomically<T>(
  paths: readonly string[],
  write: (files: readonly AtomicFile[]) => Promise<T>,
): Promise<T> {
  const files: AtomicFile[] = [];
  try {
    for (const path of paths) files.push(await AtomicFile.create(path));
    const result = await write(files);
    for (const file of files) await file.commit();
    return result;
  } catch (error) {
    await Promise.all(files.map((file) => file.abort()));
    throw error;
  }
}
