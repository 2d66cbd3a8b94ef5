import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Piscina } from 'piscina';
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

/** The worker beside this file: compiled in the package; TypeScript in tests and benches, which tsx then loads. */
function workerOptions(): { filename: string; execArgv: string[] } {
  const compiled = join(__dirname, 'worker.js');
  if (existsSync(compiled)) return { filename: compiled, execArgv: [] };
  return { filename: join(__dirname, 'worker.ts'), execArgv: ['--import', 'tsx'] };
}

/** Runs `use` with a pool of `threads` workers, which end with it. */
export async function withPool<T>(threads: number, use: (pool: VerifierPool) => Promise<T>): Promise<T> {
  const pool = new Piscina({ ...workerOptions(), minThreads: 1, maxThreads: Math.max(1, threads), idleTimeout: 1000 });
  try {
    return await use({
      batch: async (input) => (await pool.run(input, { name: 'batch' })) as BatchVerdicts,
      lines: async (task) => (await pool.run(task, { name: 'lines' })) as (RowVerdict | RowError)[],
    });
  } finally {
    await pool.destroy();
  }
}
