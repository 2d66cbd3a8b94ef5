import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CrossThinkError } from '../errors.js';
import type { Adapter } from '../data/adapters/adapter.js';
import { readBlocks, readBlocksAmongOthers } from '../data/readers/index.js';
import { parseJsonlBlock } from '../data/readers/jsonl.js';
import type { RowBlock } from '../data/readers/reader.js';
import { AtomicFile } from '../data/writers/atomic.js';
import { adapterOf, type BlockResult, BlockWriter, makeSteps } from './block.js';
import { datasetCard } from './card.js';
import { DuplicateStage } from './duplicates.js';
import { Journal, JOURNAL_VERSION, type JournalState, PartialFile } from './journal.js';
import { ParquetOutput } from './parquetOutput.js';
import { type CuratePlan, makePlan, type PlanInput, planFingerprint, type PlanOptions } from './plan.js';
import { BlockPool, workersAvailable } from './pool.js';
import { BatchMemory } from './questionBatch.js';
import type { RowSteps } from './row.js';
export type { CuratePlan, PlanInput, TemplateName } from './plan.js';
export type { CurateSummary } from './summary.js';
import { countAccepted, countDropped, type CurateSummary, newCounts, summarise } from './summary.js';

/** Names of the files that a run writes, in the order in which they appear. */
export const CURATED_FILES = {
  questions: 'questions.jsonl',
  ledger: 'ledger.jsonl',
  card: 'README.md',
  summary: 'summary.json',
} as const;

const OUTPUTS = [CURATED_FILES.questions, CURATED_FILES.ledger] as const;

/** How a run goes about it; nothing here changes what is written. */
export interface RunOptions {
  /** Threads that parse and process JSON Lines; default 1, all in this one. */
  readonly workers?: number;
  /** Count only, write nothing. */
  readonly dryRun?: boolean;
  /** Start anew although an interrupted run could be gone on with. */
  readonly fresh?: boolean;
  /** Write `questions.parquet` too: the same rows as nested columns. */
  readonly parquet?: boolean;
  /** Password of encrypted zip archives. */
  readonly password?: string;
  /** Time between journal entries: what a kill costs at most. Default 2000 ms. */
  readonly journalMs?: number;
  readonly onProgress?: (progress: CurateProgress) => void;
  /** Called once where an interrupted run is gone on with. */
  readonly onResume?: (rows: number) => void;
}

export interface CurateProgress {
  readonly file: string;
  /** Rows done so far, over all files. */
  readonly rows: number;
  readonly accepted: number;
  /** Bytes read from disk so far. */
  readonly bytes: number;
}

export type CurateOptions = PlanOptions & RunOptions & { readonly adapter?: string };

/**
 * Rows of `files` → questions: adapter, template, filters. Writes `questions.jsonl`, `ledger.jsonl`, a data-set card and
 * `summary.json` into `out`, each complete or not at all. Every row is accepted or in the ledger. Memory does not grow
 * with the input (but for the keys of duplicates, where these are dropped).
 */
export async function curateFiles(
  files: readonly string[],
  out: string,
  options: CurateOptions = {},
): Promise<CurateSummary> {
  const { adapter = 'auto' } = options;
  const inputs = files.map((file): PlanInput => ({ file, adapter }));
  return curate(makePlan(inputs, options), out, options);
}

/** Carries out a plan. A run that was killed is gone on with, to the same bytes. */
export async function curate(plan: CuratePlan, out: string, options: RunOptions = {}): Promise<CurateSummary> {
  const bytes = await inputBytes(plan);
  const run = new CurateRun(plan, out, options, bytes);
  try {
    await run.start();
    for (let input = 0; input < plan.inputs.length; input++) await run.input(input);
    return await run.finish();
  } finally {
    await run.close();
  }
}

/** Sizes of the inputs; a missing one is said before anything is written. */
async function inputBytes(plan: CuratePlan): Promise<{ size: number; time: number }[]> {
  return Promise.all(
    plan.inputs.map(async ({ file }) => {
      const info = await stat(file).catch((cause: unknown) => {
        const message = `no such file: ${file}. Check the path (it is taken relative to ${process.cwd()})`;
        throw new CrossThinkError('ERR_FILE_NOT_FOUND', message, { file, cause });
      });
      return { size: info.size, time: info.mtimeMs };
    }),
  );
}

const JOURNAL_INTERVAL_MS = 2000;

/** A block on its way: its rows as they will be, and the first row behind it. */
interface Pending {
  /** Absent where a run that is gone on with has them already. */
  readonly result?: Promise<BlockResult>;
  readonly nextRow: number;
}

class CurateRun {
  readonly #journal: Journal;
  readonly #plan: string;
  readonly #duplicates: DuplicateStage;
  readonly #pool: BlockPool | undefined;
  /** While the questions of a block become lines, the rows of the next are read. */
  readonly #memories = [new BatchMemory(), new BatchMemory()] as const;
  #turn = 0;
  #steps: RowSteps | undefined;
  #files: PartialFile[] = [];
  #parquet: ParquetOutput | undefined;
  #counts = newCounts();
  #from: Pick<JournalState, 'input' | 'nextRow'> = { input: 0, nextRow: 1 };
  #bytes = 0;
  #journalled = Date.now();

  constructor(
    private readonly plan: CuratePlan,
    private readonly out: string,
    private readonly options: RunOptions,
    private readonly sizes: readonly { size: number; time: number }[],
  ) {
    this.#journal = new Journal(out);
    this.#plan = createHash('sha256').update(planFingerprint(plan)).update(JSON.stringify(sizes)).digest('hex');
    this.#duplicates = new DuplicateStage(plan);
    const { workers = 1 } = options;
    this.#pool = workers > 1 && workersAvailable() ? new BlockPool(workers, plan) : undefined;
  }

  async start(): Promise<void> {
    this.#steps = await makeSteps(this.plan);
    if (this.options.dryRun === true) return;
    await this.#journal.prepare();
    const state = this.options.fresh === true ? undefined : await this.#journal.read(this.#plan, OUTPUTS);
    if (state !== undefined) {
      this.#counts = state.counts;
      this.#from = state;
      await this.#duplicates.relearn(PartialFile.partialPath(this.out, OUTPUTS[0]), state.questions);
      this.options.onResume?.(state.counts.rows);
    }
    this.#files = [
      await PartialFile.open(this.out, OUTPUTS[0], state?.questions ?? 0),
      await PartialFile.open(this.out, OUTPUTS[1], state?.ledger ?? 0),
    ];
    if (this.options.parquet !== true) return;
    this.#parquet = await ParquetOutput.create(this.out);
    await this.#parquet.writeFile(PartialFile.partialPath(this.out, OUTPUTS[0]), state?.questions ?? 0);
  }

  /** Reads and processes one input; blocks run ahead in the workers and are taken up in order. */
  async input(index: number): Promise<void> {
    if (index < this.#from.input) return;
    const input = this.plan.inputs[index];
    if (input === undefined) return;
    const fromRow = index === this.#from.input ? this.#from.nextRow : 1;
    const ahead = this.#pool === undefined ? 1 : 2 * this.#pool.size;
    const pending: Pending[] = [];
    let adapter: Adapter | undefined;
    let seen = false;

    const options = {
      maxRowBytes: this.plan.maxRowBytes,
      ...(this.options.password === undefined ? {} : { password: this.options.password }),
      onBytes: (bytes: number) => {
        this.#bytes += bytes;
      },
    };
    const alone = this.plan.inputs.length === 1;
    const blocks = alone ? await readBlocks(input.file, options) : readBlocksAmongOthers(input.file, options);
    for await (const block of blocks) {
      if (!seen) {
        const items = itemsOf(block);
        adapter = adapterOf(input, items);
        // Faults in front of the rows say nothing of their adapter.
        seen = items.some((item) => 'value' in item);
      }
      pending.push(this.#send(block, index, adapter, fromRow));
      while (pending.length > ahead) await this.#take(pending.shift(), index, adapter);
    }
    while (pending.length > 0) await this.#take(pending.shift(), index, adapter);
    this.#noteInput(index, adapter);
    await this.#record(index + 1, 1);
  }

  #send(block: RowBlock, input: number, adapter: Adapter | undefined, fromRow: number): Pending {
    const nextRow = 'items' in block ? (block.items.at(-1)?.row ?? 0) + 1 : block.firstRow + block.rows;
    if (nextRow <= fromRow) return { nextRow: fromRow };
    if (this.#pool !== undefined && !('items' in block)) {
      const known = adapter === undefined ? {} : { adapter: adapter.name, lenient: adapter.lenient === true };
      const task = { input, fromRow, ...known };
      return { result: settledLater(this.#pool.run(block, task)), nextRow };
    }
    return { result: settledLater(this.#process(block, input, adapter, fromRow)), nextRow };
  }

  /** Reads the rows at once: the bytes of a block do not last. */
  async #process(block: RowBlock, input: number, adapter: Adapter | undefined, fromRow: number): Promise<BlockResult> {
    if (this.#steps === undefined) throw new Error('not started');
    this.#turn = 1 - this.#turn;
    const memory = this.#memories[this.#turn === 0 ? 0 : 1];
    const writer = new BlockWriter(this.plan, input, adapter, this.#steps, fromRow, memory);
    writer.addBlock(block);
    return writer.finish();
  }

  async #take(pending: Pending | undefined, input: number, adapter: Adapter | undefined): Promise<void> {
    if (pending?.result === undefined) return;
    await this.#write(await pending.result);
    const { rows, accepted } = this.#counts;
    this.options.onProgress?.({ file: this.plan.inputs[input]?.file ?? '', rows, accepted, bytes: this.#bytes });
    if (Date.now() - this.#journalled >= (this.options.journalMs ?? JOURNAL_INTERVAL_MS)) {
      this.#noteInput(input, adapter);
      await this.#record(input, pending.nextRow);
    }
  }

  /** Brings the entry of the input being read up to date: what is not of earlier inputs is of this one. */
  #noteInput(index: number, adapter: Adapter | undefined): void {
    const { inputs } = this.#counts;
    const earlier = inputs.slice(0, index);
    const input = this.plan.inputs[index];
    inputs[index] = {
      file: input?.file ?? '',
      adapter: adapter?.name ?? (input?.adapter === 'auto' ? 'unrecognised' : (input?.adapter ?? '')),
      source: adapter?.source ?? 'unknown',
      licence: adapter?.licence ?? 'unknown',
      bytes: this.sizes[index]?.size ?? 0,
      rows: this.#counts.rows - earlier.reduce((sum, { rows }) => sum + rows, 0),
      accepted: this.#counts.accepted - earlier.reduce((sum, { accepted }) => sum + accepted, 0),
    };
  }

  /** Appends a block to the outputs, but for the questions that repeat earlier ones: these go to the ledger. */
  async #write({ questions, drops }: BlockResult): Promise<void> {
    // What the block before left under way is done before its memory is filled again.
    await this.#files[0]?.settled();
    await this.#parquet?.settled();
    const repeated = this.#duplicates.check(questions);
    countAccepted(this.#counts, questions, repeated);
    const { lines, lineEnds } = questions;
    let start = 0;
    for (const i of repeated.keys()) {
      await this.#accept(lines.subarray(start, i === 0 ? 0 : lineEnds[i - 1]));
      start = lineEnds[i] ?? 0;
    }
    await this.#accept(lines.subarray(start));

    const ledger: string[] = [];
    let next = 0;
    const passDrops = (before: number): void => {
      for (; (drops.behind[next] ?? Infinity) <= before; next++) {
        countDropped(this.#counts, drops.reasons[next] ?? '');
        ledger.push(drops.lines[next] ?? '', '\n');
      }
    };
    for (const [i, entry] of repeated) {
      passDrops(i);
      countDropped(this.#counts, entry.reason);
      ledger.push(JSON.stringify(entry), '\n');
    }
    passDrops(questions.count);
    if (ledger.length > 0) await this.#files[1]?.write(Buffer.from(ledger.join('')));
  }

  async #accept(lines: Uint8Array): Promise<void> {
    if (lines.length === 0) return;
    await this.#files[0]?.write(lines);
    await this.#parquet?.write(lines);
  }

  /** Writes the journal: what stands in the partial files up to here is final. */
  async #record(input: number, nextRow: number): Promise<void> {
    this.#journalled = Date.now();
    const [questions, ledger] = this.#files;
    if (questions === undefined || ledger === undefined) return;
    const sizes = { questions: await questions.flush(), ledger: await ledger.flush() };
    await this.#journal.write({
      version: JOURNAL_VERSION,
      plan: this.#plan,
      input,
      nextRow,
      ...sizes,
      counts: this.#counts,
    });
  }

  async finish(): Promise<CurateSummary> {
    const summary = summarise(this.#counts, this.plan);
    if (this.options.dryRun === true) return summary;
    // Together: each waits for the disk.
    await Promise.all([...this.#files.map((file) => file.commit()), this.#parquet?.commit()]);
    this.#files = [];
    const card = await AtomicFile.create(join(this.out, CURATED_FILES.card));
    await card.write(await datasetCard(summary, this.out));
    await card.commit();
    const summaryFile = await AtomicFile.create(join(this.out, CURATED_FILES.summary));
    await summaryFile.write(`${JSON.stringify(summary, null, 2)}\n`);
    await summaryFile.commit();
    await this.#journal.remove();
    return summary;
  }

  async close(): Promise<void> {
    await this.#pool?.close();
    await this.#parquet?.close();
    await Promise.all(this.#files.map((file) => file.close()));
  }
}

function itemsOf(block: RowBlock): ReturnType<typeof parseJsonlBlock> {
  return 'items' in block ? [...block.items] : parseJsonlBlock(block, (row) => row < block.firstRow + 20);
}

/** Marks a promise that is awaited later, so that its failing in between is not taken for unhandled. */
function settledLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
