import { type FileHandle, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BackgroundWriter } from './backgroundWriter.js';
import { type Counts, Fingerprint } from './summary.js';

const JOURNAL = '.curate.journal.json';
export const JOURNAL_VERSION = 2;
const FLUSH_BYTES = 1 << 20;

/** Where a run stands: everything that going on needs, written whole every few seconds. */
export interface JournalState {
  readonly version: typeof JOURNAL_VERSION;
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
  #queued: Uint8Array[] = [];
  #queuedBytes = 0;
  readonly #writer: BackgroundWriter;

  private constructor(
    private readonly temporary: string,
    private readonly path: string,
    handle: FileHandle,
    size: number,
  ) {
    this.#writer = new BackgroundWriter(handle, size);
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

  /** Queues whole lines, or starts to write them: they must stay as they are until `settled`. */
  async write(lines: Uint8Array): Promise<void> {
    if (this.#queuedBytes + lines.length >= FLUSH_BYTES) return this.#start(lines);
    this.#queued.push(new Uint8Array(lines));
    this.#queuedBytes += lines.length;
  }

  async #start(lines: Uint8Array): Promise<void> {
    const chunks = [...this.#queued, lines];
    this.#queued = [];
    this.#queuedBytes = 0;
    await this.#writer.start(chunks);
  }

  /** Resolves when the system has what was written, but for what is queued. */
  async settled(): Promise<void> {
    await this.#writer.settled();
  }

  /** Hands everything queued to the system; returns the size of the file then. */
  async flush(): Promise<number> {
    await this.#start(new Uint8Array(0));
    await this.#writer.settled();
    return this.#writer.position;
  }

  /** Puts the file in its place. */
  async commit(): Promise<void> {
    await this.flush();
    await this.#writer.finish();
    await rename(this.temporary, this.path);
  }

  async close(): Promise<void> {
    await this.#writer.close();
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

/** A state as its JSON has it. */
interface StoredState extends Omit<JournalState, 'version' | 'counts'> {
  readonly version: number;
  readonly counts: Omit<Counts, 'fingerprint'> & { readonly fingerprint: ReturnType<Fingerprint['toJSON']> };
}

function parseState(text: string): JournalState | undefined {
  try {
    const { counts, ...state } = JSON.parse(text) as StoredState;
    if (state.version !== JOURNAL_VERSION) return undefined;
    return {
      ...state,
      version: JOURNAL_VERSION,
      counts: { ...counts, fingerprint: Fingerprint.from(counts.fingerprint) },
    };
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
