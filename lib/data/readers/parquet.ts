import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { drop } from '../ledger.js';
import { type ByteStream, readWhole } from './open.js';
import type { ReadItem, RowReader } from './reader.js';

/** Where the bytes of a Parquet file are: on disk, or in memory when they came out of an archive. */
export type ParquetSource = { readonly path: string } | { readonly bytes: ArrayBuffer };

export interface ParquetRequest {
  readonly rowStart: number;
  readonly rowEnd: number;
}

/** First the number of rows, then the values of each stretch asked for, in order. */
export type ParquetReply =
  { readonly rows: number } | { readonly values: readonly unknown[] } | { readonly fault: string };

/** The built file, also where this one runs from its source. */
const WORKER = join(__dirname, '../../../dist/data/readers/parquetWorker.js');
const MEMORY_LIMIT = 2 ** 31;
/** Rows decoded at a time. */
const BATCH = 2048;
/** Sound files take seconds for a stretch, on a slow network disk perhaps a minute. */
const PATIENCE_MS = 300_000;

/** The bytes of a Parquet file inside an archive; throws `ERR_OUT_OF_RANGE` beyond 2 GiB. */
export async function parquetInMemory(stream: ByteStream, name: string): Promise<ParquetSource> {
  return { bytes: new Uint8Array(await readWhole(stream, MEMORY_LIMIT, name)).buffer };
}

/**
 * Reads Parquet, nested columns included, a stretch of rows at a time, on a thread of its own. 64-bit integers become
 * numbers where exact, text otherwise; dates become ISO text. A file without its end is one fault; rows of a damaged
 * stretch are faults, each, and so are all rows behind one that the decoder gets lost in for `patienceMs`.
 */
export async function* readParquet(source: ParquetSource, patienceMs = PATIENCE_MS): RowReader {
  const decoder = new Decoder(source, patienceMs);
  try {
    const opened = await decoder.reply();
    if (!('rows' in opened)) {
      yield [{ row: 1, fault: drop('truncated-file', faultOf(opened)) }];
      return;
    }
    const stretch = (rowStart: number): ParquetRequest => ({
      rowStart,
      rowEnd: Math.min(rowStart + BATCH, opened.rows),
    });
    if (opened.rows > 0) decoder.ask(stretch(0));
    for (let rowStart = 0; rowStart < opened.rows; rowStart += BATCH) {
      const { rowEnd } = stretch(rowStart);
      const reply = await decoder.reply();
      // Decoded while this one is worked on.
      if (rowEnd < opened.rows) decoder.ask(stretch(rowEnd));
      yield Array.from({ length: rowEnd - rowStart }, (_, i): ReadItem => {
        const row = rowStart + i + 1;
        return 'values' in reply
          ? { row, value: reply.values[i] }
          : { row, fault: drop('truncated-file', faultOf(reply)) };
      });
    }
  } finally {
    await decoder.close();
  }
}

function faultOf(reply: ParquetReply): string {
  return `not a whole Parquet file: ${'fault' in reply ? reply.fault.slice(0, 160) : 'unexpected answer'}`;
}

/** Damaged bytes can make hyparquet loop for ever or ask for all memory: on a thread, that ends with the thread. */
class Decoder {
  readonly #worker: Worker;
  readonly #replies: ParquetReply[] = [];
  #lost: string | undefined;
  #wake: () => void = () => undefined;

  constructor(
    source: ParquetSource,
    private readonly patienceMs: number,
  ) {
    // `node --input-type=module` says nothing of files.
    const transferList = 'bytes' in source ? [source.bytes] : []; // Up to 2 GiB: moved, not copied.
    this.#worker = new Worker(WORKER, { workerData: source, transferList, execArgv: [] });
    this.#worker.unref();
    this.#worker.on('message', (reply: ParquetReply) => {
      this.#replies.push(reply);
      this.#wake();
    });
    this.#worker.on('error', (error) => {
      this.#lose(error.message);
    });
  }

  ask(request: ParquetRequest): void {
    this.#worker.postMessage(request);
  }

  /** The next answer; a fault where none can come any more. */
  async reply(): Promise<ParquetReply> {
    const timer = setTimeout(() => {
      this.#lose(`no end of decoding within ${this.patienceMs / 1000} s`);
    }, this.patienceMs);
    while (this.#replies.length === 0 && this.#lost === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    clearTimeout(timer);
    return this.#replies.shift() ?? { fault: this.#lost ?? '' };
  }

  #lose(why: string): void {
    this.#lost = why;
    void this.#worker.terminate();
    this.#wake();
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
