import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { JsonlBlock } from '../data/readers/reader.js';
import type { BlockResult } from './block.js';
import type { CuratePlan } from './plan.js';

/** A block sent to a worker. */
export interface BlockTask {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly firstRow: number;
  readonly firstLine: number;
  readonly rows: number;
  readonly final: boolean;
  readonly input: number;
  /** Name of the adapter that was recognised; absent: none was. */
  readonly adapter?: string;
  /** Whether it reads a copy of its data set. */
  readonly lenient?: boolean;
  /** Rows before this are done. */
  readonly fromRow: number;
}

export type BlockReply =
  { readonly id: number; readonly result: BlockResult } | { readonly id: number; readonly error: string };

const WORKER = join(__dirname, 'worker.js');

/** Whether blocks can be handed to workers: only the built package has a file for them to run. */
export function workersAvailable(): boolean {
  return existsSync(WORKER);
}

/** Rows are garbage as soon as they are written: room to let them die before they are looked at. */
const YOUNG_MEGABYTES = 32;

interface Waiting {
  readonly resolve: (result: BlockResult) => void;
  readonly reject: (error: Error) => void;
}

/** Worker threads that parse and process blocks of JSON Lines. */
export class BlockPool {
  readonly #workers: Worker[];
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;

  constructor(
    readonly size: number,
    plan: CuratePlan,
  ) {
    this.#workers = Array.from({ length: size }, () => this.#start(plan));
  }

  #start(plan: CuratePlan): Worker {
    const worker = new Worker(WORKER, {
      workerData: plan,
      // `node --input-type=module` says nothing of files.
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES },
    });
    worker.on('message', (reply: BlockReply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ('result' in reply) waiting?.resolve(reply.result);
      else waiting?.reject(new Error(reply.error));
    });
    worker.on('error', (error: Error) => {
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
    return worker;
  }

  /** Processes a block; its bytes are moved to the worker, not copied again. */
  run(block: JsonlBlock, task: Pick<BlockTask, 'input' | 'adapter' | 'lenient' | 'fromRow'>): Promise<BlockResult> {
    const id = this.#next++;
    const bytes = new Uint8Array(block.bytes);
    const { firstRow, firstLine, rows, final } = block;
    const message: BlockTask = { id, bytes, firstRow, firstLine, rows, final, ...task };
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#workers[id % this.size]?.postMessage(message, [bytes.buffer]);
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
