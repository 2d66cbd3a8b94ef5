import { promises as fs } from 'node:fs';

import {
  bindLogprobBackward,
  bindTokenLogprobs,
  linearLogprobsAsync,
  logprobBackward,
  SamplingPlan,
  tokenLogprobs,
} from '../lib/index.js';

const CALLS = 20_000;
const REPETITIONS = 25;

/** Nanoseconds of a call: the best of the repetitions, and the median of them. */
function nanoseconds(call: () => unknown): { best: number; median: number } {
  for (let i = 0; i < CALLS; i++) call();
  const times = Array.from({ length: REPETITIONS }, () => {
    const start = process.hrtime.bigint();
    for (let i = 0; i < CALLS; i++) call();
    return Number(process.hrtime.bigint() - start) / CALLS;
  }).sort((a, b) => a - b);
  return { best: times[0] ?? NaN, median: times[REPETITIONS >> 1] ?? NaN };
}

/** What a call costs beside the arithmetic: rows of 16 logits, and no rows at all. */
function callsOf(rows: number): Record<string, () => unknown> {
  const vocab = 16;
  const logits = new Float32Array(rows * vocab).map((_, i) => (i % 7) * 0.3);
  const tokens = new Int32Array(rows).fill(3);
  const keys = { seed: 1, sequences: new BigUint64Array(rows), positions: new Int32Array(rows), vocab };
  const sampling = { tokens: new Int32Array(rows), logprobs: new Float32Array(rows), status: new Uint8Array(rows) };
  const options = { threads: 1, vocab };
  const state = new Float64Array(5 * rows);
  const out = {
    logprob: new Float32Array(rows),
    logsumexp: new Float32Array(rows),
    state,
    status: new Uint8Array(rows),
  };
  const dLogprob = new Float32Array(rows).fill(1);
  const d = { ...options, out: new Float32Array(logits.length) };
  const plan = new SamplingPlan({ threads: 1, outputs: ['token', 'logprob'] });
  return {
    sample: () => plan.sample(logits, keys),
    'sample, out given': () => plan.sample(logits, { ...keys, out: sampling }),
    'sample, bound': plan.bind(logits, keys),
    tokenLogprobs: () => tokenLogprobs(logits, tokens, { ...options, entropy: false }),
    'tokenLogprobs, out given': () => tokenLogprobs(logits, tokens, { ...options, entropy: false, out }),
    'tokenLogprobs, bound': bindTokenLogprobs(logits, tokens, { ...options, entropy: false }),
    logprobBackward: () => logprobBackward(logits, tokens, { dLogprob, state }, d),
    'logprobBackward, bound': bindLogprobBackward(logits, tokens, { dLogprob, state }, d),
  };
}

interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly samples: number;
}

/** Milliseconds that fs.stat takes, over and over until `done` settles: what work elsewhere leaves of the event loop. */
async function statLatency(done: Promise<unknown>): Promise<Latency> {
  let running = true;
  const stop = done.then(() => (running = false));
  const times: number[] = [];
  const isRunning = (): boolean => running;
  while (isRunning()) {
    const start = performance.now();
    await fs.stat(__filename);
    times.push(performance.now() - start);
  }
  await stop;
  times.sort((a, b) => a - b);
  const at = (part: number): number => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? NaN;
  return { p50: at(0.5), p99: at(0.99), max: at(1), samples: times.length };
}

async function again(seconds: number, work: () => Promise<unknown>): Promise<void> {
  const end = performance.now() + seconds * 1e3;
  while (performance.now() < end) await work();
}

/** Cost of a call, and fs.stat beside asynchronous work. */
export async function benchCalls() {
  const results: Record<string, unknown> = {};
  for (const rows of [0, 1]) {
    console.log(`\nns per call, ${rows === 0 ? 'no rows' : 'one row of 16 logits'} (best, median of ${REPETITIONS})`);
    for (const [name, call] of Object.entries(callsOf(rows))) {
      const time = nanoseconds(call);
      results[`${name}, ${rows} rows`] = time;
      console.log(`  ${name.padEnd(32)} ${time.best.toFixed(0).padStart(6)} ${time.median.toFixed(0).padStart(6)}`);
    }
  }
  const [rows, vocab, hidden] = [256, 128256, 256];
  const logits = new Float32Array(rows * vocab).map((_, i) => (Math.imul(i, 2654435761) >>> 20) * 0.0025 - 5);
  const positions = new Int32Array(rows);
  const keys = { seed: 1, sequences: new BigUint64Array(rows), positions };
  const [states, weight] = [logits.subarray(0, rows * hidden), logits.subarray(0, vocab * hidden)];
  const plan = new SamplingPlan({ topP: 0.9 });
  console.log('\nfs.stat, ms (p50, p99, max, samples)');
  for (const [name, work] of [
    ['idle', () => new Promise((resolve) => setTimeout(resolve, 100))],
    ['while sampleAsync runs', () => plan.sampleAsync(logits, keys)],
    ['while linearLogprobsAsync runs', () => linearLogprobsAsync(states, weight, positions)],
  ] as const) {
    const latency = await statLatency(again(3, work));
    results[`fs.stat ${name}`] = latency;
    const columns = [latency.p50, latency.p99, latency.max].map((ms) => ms.toFixed(3).padStart(8));
    console.log(`  ${name.padEnd(32)} ${columns.join(' ')} ${latency.samples}`);
  }
  return results;
}
