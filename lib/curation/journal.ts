import { type FileHandle, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Counts } from './summary.js';

const JOURNAL = '.curate.journal.json';
const FLUSH_BYTES = 1 << 20;

/** Where a run stands: everything that going on needs, written whole every few seconds. */
export interface JournalState {
  readonly version: 1;
  /** Hash of the plan and of size and time of its inputs. */
  readonly plan: string;
  /** Input being read, and its first row not yet done. */
  readonly input: number;
  readonly nextRow: number;
  /** Bytes of the partial outputs that belong to this state. */
  readonly questions: number;
  readonly ledger: number;
  readonly counts: Counts;
}

/** An output that grows beside its final name and can be cut back to a recorded size. */
export class PartialFile {
  #buffer: Uint8Array[] = [];
  #buffered = 0;
  #position: number;

  private constructor(
    private readonly temporary: string,
    private readonly path: string,
    private readonly handle: FileHandle,
    size: number,
  ) {
    this.#position = size;
  }

  /** Opens `name` in `dir` for writing behind its first `size` bytes; what stands behind is cut off. */
  static async open(dir: string, name: string, size: number): Promise<PartialFile> {
    const temporary = PartialFile.partialPath(dir, name);
    const handle = await open(temporary, size === 0 ? 'w' : 'r+');
    await handle.truncate(size);
    return new PartialFile(temporary, join(dir, name), handle, size);
  }

  static partialPath(dir: string, name: string): string {
    return join(dir, `.${name}.partial`);
  }

  /** Queues whole lines; resolves at once unless much is queued. */
  async write(lines: Uint8Array): Promise<void> {
    this.#buffer.push(lines);
    this.#buffered += lines.length;
    if (this.#buffered >= FLUSH_BYTES) await this.flush();
  }

  /** Hands everything queued to the system; returns the size of the file then. */
  async flush(): Promise<number> {
    const chunks = this.#buffer.filter(({ length }) => length > 0);
    const bytes = this.#buffered;
    this.#buffer = [];
    this.#buffered = 0;
    if (bytes > 0) await this.#writeAll(chunks, bytes);
    this.#position += bytes;
    return this.#position;
  }

  /** A file system may take less than it is given. */
  async #writeAll(chunks: Uint8Array[], bytes: number): Promise<void> {
    const { bytesWritten } = await this.handle.writev(chunks, this.#position);
    if (bytesWritten === bytes) return;
    const rest = Buffer.concat(chunks).subarray(bytesWritten);
    for (let done = 0; done < rest.length;) {
      const part = await this.handle.write(rest, done, rest.length - done, this.#position + bytesWritten + done);
      done += part.bytesWritten;
    }
  }

  /** Puts the file in its place. */
  async commit(): Promise<void> {
    await this.flush();
    await this.handle.sync();
    await this.handle.close();
    await rename(this.temporary, this.path);
  }

  async close(): Promise<void> {
    await this.handle.close().catch(() => undefined);
  }
}

/** The journal of an output folder. */
export class Journal {
  constructor(private readonly dir: string) {}

  /** State left by a run of the same plan that did not come to its end; undefined where there is none to go on from. */
  async read(plan: string, files: readonly string[]): Promise<JournalState | undefined> {
    const text = await readFile(join(this.dir, JOURNAL), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const state = parseState(text);
    if (state?.plan !== plan) return undefined;
    const sizes = await Promise.all(files.map((name) => sizeOf(PartialFile.partialPath(this.dir, name))));
    return (sizes[0] ?? -1) >= state.questions && (sizes[1] ?? -1) >= state.ledger ? state : undefined;
  }

  async write(state: JournalState): Promise<void> {
    const path = join(this.dir, JOURNAL);
    await writeFile(`${path}.tmp`, JSON.stringify(state));
    await rename(`${path}.tmp`, path);
  }

  async remove(): Promise<void> {
    await rm(join(this.dir, JOURNAL), { force: true });
  }

  async prepare(): Promise<void> {
    await mkdir(this.dir, { recursive: true });
  }

  /** Removes the journal and partial outputs. */
  async discard(files: readonly string[]): Promise<void> {
    await this.remove();
    await Promise.all(files.map((name) => rm(PartialFile.partialPath(this.dir, name), { force: true })));
  }
}

function parseState(text: string): JournalState | undefined {
  try {
    const state = JSON.parse(text) as Partial<JournalState>;
    return state.version === 1 ? (state as JournalState) : undefined;
  } catch {
    return undefined;
  }
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => -1,
  );
}
