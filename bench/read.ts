import { Worker } from 'node:worker_threads';

const WORKER = `
  const { workerData } = require('node:worker_threads');
  const { memory, from, to, turns } = workerData;
  const part = Buffer.from(memory, from, to - from);
  for (let turn = 0; ; turn++) {
    Atomics.wait(turns, 0, turn);
    part.indexOf(1);
    Atomics.add(turns, 1, 1);
  }`;

/**
 * The ceiling of everything that reads `bytes` of memory: memchr for a byte that is not there, a native loop that does
 * nothing but read, on `threads` threads at once, each over a part of its own.
 */
export function reader(bytes: number, threads: number): () => void {
  const memory = new SharedArrayBuffer(bytes);
  Buffer.from(memory).fill(2); // Untouched pages would all be one page of zeros, in the cache.
  const turns = new Int32Array(new SharedArrayBuffer(8)); // Turns begun, and parts finished.
  const part = Math.ceil(bytes / threads / 64) * 64;
  for (let from = part; from < bytes; from += part) {
    const workerData = { memory, from, to: Math.min(bytes, from + part), turns };
    new Worker(WORKER, { eval: true, workerData }).unref();
  }
  const own = Buffer.from(memory, 0, Math.min(part, bytes));
  let finished = 0;
  return () => {
    Atomics.add(turns, 0, 1);
    Atomics.notify(turns, 0);
    own.indexOf(1);
    finished += threads - 1;
    while (Atomics.load(turns, 1) < finished);
  };
}
