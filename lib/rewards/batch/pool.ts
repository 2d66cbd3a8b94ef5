import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import type { VerifySettings } from '../settings.js';
import type { RowError, RowVerdict } from '../row.js';
import type { BatchInput, BatchVerdicts } from './batch.js';

/** Lines of JSONL for a worker: `first` is the number of the first line. */
export interface LinesTask {
  readonly lines: readonly string[];
  readonly first: number;
  readonly defaults: VerifySettings;
}

/** Judging on worker threads. */
export interface VerifierPool {
  batch(input: BatchInput): Promise<BatchVerdicts>;
  lines(task: LinesTask): Promise<(RowVerdict | RowError)[]>;
}

/** The worker beside this file; its compiled form in dist/ where this file runs as TypeScript (tests, benches). */
function workerFile(): string {
  const beside = join(__dirname, 'worker.js');
  return existsSync(beside) ? beside : resolve(__dirname, '../../../dist/rewards/batch/worker.js');
}

/** Runs `use` with a pool of `threads` workers, which end with it. */
export async function withPool<T>(threads: number, use: (pool: VerifierPool) => Promise<T>): Promise<T> {
  // Loaded when first needed: most users never ask for threads.
  const { Piscina } = createRequire(__filename)('piscina') as typeof import('piscina');
  const pool = new Piscina({
    filename: workerFile(),
    minThreads: 1,
    maxThreads: Math.max(1, threads),
    idleTimeout: 1000,
  });
  try {
    return await use({
      batch: async (input) => (await pool.run(input, { name: 'batch' })) as BatchVerdicts,
      lines: async (task) => (await pool.run(task, { name: 'lines' })) as (RowVerdict | RowError)[],
    });
  } finally {
    await pool.destroy();
  }
}
