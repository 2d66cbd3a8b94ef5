import { promises as fs } from 'node:fs';
import { createRequire } from 'node:module';

import type * as Library from '../lib/index.js';

// The compiled package, as users have it: tsx wraps every inner function, which shows where a call takes a microsecond.
const { bindLogprobBackward, bindTokenLogprobs, groupAdvantages, grpoStep, logprobBackward, ...library } =
  createRequire(__filename)('../dist/index.js') as typeof Library;
const { policyLoss, SamplingPlan, tokenLogprobs, tokenLogprobsAsync } = library;

const WARM_UP = 20_000;
/** Few enough that some repetitions are not interrupted on a machine that does other things, too. */
const CALLS = 500;
const REPETITIONS = 400;

/** Nanoseconds of a call: the best of the repetitions, and the median of them. */
function nanoseconds(call: () => unknown): { best: number; median: number } {
  for (let i = 0; i < WARM_UP; i++) call();
  const times = Array.from({ length: REPETITIONS }, () => {
    const start = process.hrtime.bigint();
    for (let i = 0; i < CALLS; i++) call();
    return Number(process.hrtime.bigint() - start) / CALLS;
  }).sort((a, b) => a - b);
  return { best: times[0] ?? NaN, median: times[REPETITIONS >> 1] ?? NaN };
}

/**
 * What a call costs beside the arithmetic: rows of 16 logits, and no rows at all. Options are made once, as in a loop:
 * `{ ...options, x }` gives every object a hidden class of its own in V8 and makes each property a search, 2 us a call.
 */
function callsOf(rows: number): Record<string, () => unknown> {
  const vocab = 16;
  const logits = new Float32Array(rows * vocab).map((_, i) => (i % 7) * 0.3);
  const tokens = new Int32Array(rows).fill(3);
  const [sequences, positions] = [new BigUint64Array(rows), new Int32Array(rows)];
  const keys = { seed: 1, sequences, positions, vocab };
  const sampling = { tokens: new Int32Array(rows), logprobs: new Float32Array(rows), status: new Uint8Array(rows) };
  const keysAndOut = { seed: 1, sequences, positions, vocab, out: sampling };
  const state = new Float64Array(5 * rows);
  const row = () => new Float32Array(rows);
  const out = { logprob: row(), logsumexp: row(), state, status: new Uint8Array(rows) };
  const forward = { threads: 1, vocab, entropy: false };
  const forwardAndOut = { threads: 1, vocab, entropy: false, out };
  const gradients = { dLogprob: row().fill(1), state };
  const backward = { threads: 1, vocab, out: new Float32Array(logits.length) };
  const plan = new SamplingPlan({ threads: 1, outputs: ['token', 'logprob'] });
  const rewards = new Float32Array(4 * rows).map((_, i) => i % 3);
  const groups = { groupSize: 4, threads: 1 };
  const oldLogprobs = row().fill(-1);
  const advantages = row().fill(1);
  const cuSeqlens = Int32Array.from({ length: rows + 1 }, (_, i) => i);
  const sampled = { logprobs: oldLogprobs, oldLogprobs, advantages, cuSeqlens };
  const withReference = { logprobs: oldLogprobs, oldLogprobs, advantages, cuSeqlens, refLogprobs: oldLogprobs };
  const loss = { threads: 1 };
  const dapo = { preset: 'dapo', klCoef: 0.001, threads: 1 } as const;
  const batch = { tokens, oldLogprobs, advantages, cuSeqlens };
  const step = { threads: 1, vocab, out: new Float32Array(logits.length) };
  return {
    sample: () => plan.sample(logits, keys),
    'sample, new keys': () => {
      const [sequences, positions] = [new BigUint64Array(rows), new Int32Array(rows)];
      return plan.sample(logits, { seed: 1, sequences, positions, vocab });
    },
    'sample, out given': () => plan.sample(logits, keysAndOut),
    'sample, bound': plan.bind(logits, keys),
    tokenLogprobs: () => tokenLogprobs(logits, tokens, forward),
    'tokenLogprobs, out given': () => tokenLogprobs(logits, tokens, forwardAndOut),
    'tokenLogprobs, bound': bindTokenLogprobs(logits, tokens, forward),
    logprobBackward: () => logprobBackward(logits, tokens, gradients, backward),
    'logprobBackward, bound': bindLogprobBackward(logits, tokens, gradients, backward),
    groupAdvantages: () => groupAdvantages(rewards, groups),
    policyLoss: () => policyLoss(sampled, loss),
    'policyLoss, dapo + k3': () => policyLoss(withReference, dapo),
    grpoStep: () => grpoStep(logits, batch, step),
  };
}

/** What long rows gain from a second thread: one that both share, and one each. */
function longRowsOnTwoThreads(rows: number, vocab: number): Record<string, number[]> {
  const logits = new Float32Array(rows * vocab).map((_, i) => (Math.imul(i, 2654435761) >>> 20) * 0.0025 - 5);
  const tokens = new Int32Array(rows);
  const keys = { seed: 1, sequences: new BigUint64Array(rows), positions: new Int32Array(rows) };
  const results: Record<string, number[]> = {};
  console.log(`\n${rows} rows of ${vocab} logits, us on one thread and on two (quartiles)`);
  for (const [name, bind] of [
    ['log-prob + entropy', (threads: number) => bindTokenLogprobs(logits, tokens, { threads })],
    ['sample, T = 1', (threads: number) => new SamplingPlan({ threads }).bind(logits, keys)],
    ['sample, T = 0.8', (threads: number) => new SamplingPlan({ threads, temperature: 0.8 }).bind(logits, keys)],
    [
      'sample, top-k 50 + top-p',
      (threads: number) => new SamplingPlan({ threads, topK: 50, topP: 0.95 }).bind(logits, keys),
    ],
  ] as const) {
    const quartiles = [1, 2].flatMap((threads) => {
      const call = bind(threads);
      const times = Array.from({ length: 2000 }, () => {
        const start = performance.now();
        call();
        return (performance.now() - start) * 1e3;
      }).sort((a, b) => a - b);
      return [0.25, 0.5, 0.75].map((part) => times[Math.floor(part * times.length)] ?? NaN);
    });
    results[name] = quartiles;
    console.log(`  ${name.padEnd(32)} ${quartiles.map((us) => us.toFixed(1).padStart(6)).join(' ')}`);
  }
  return results;
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
  results['one row of 256,000'] = longRowsOnTwoThreads(1, 256_000);
  results['two rows of 128,000'] = longRowsOnTwoThreads(2, 128_000);
  const [rows, vocab] = [256, 128256];
  const logits = new Float32Array(rows * vocab).map((_, i) => (Math.imul(i, 2654435761) >>> 20) * 0.0025 - 5);
  const positions = new Int32Array(rows);
  const keys = { seed: 1, sequences: new BigUint64Array(rows), positions };
  const plan = new SamplingPlan({ topP: 0.9 });
  console.log('\nfs.stat, ms (p50, p99, max, samples)');
  for (const [name, work] of [
    ['idle', () => new Promise((resolve) => setTimeout(resolve, 100))],
    ['while sampleAsync runs', () => plan.sampleAsync(logits, keys)],
    ['while tokenLogprobsAsync runs', () => tokenLogprobsAsync(logits, positions)],
  ] as const) {
    const latency = await statLatency(again(3, work));
    results[`fs.stat ${name}`] = latency;
    const columns = [latency.p50, latency.p99, latency.max].map((ms) => ms.toFixed(3).padStart(8));
    console.log(`  ${name.padEnd(32)} ${columns.join(' ')} ${latency.samples}`);
  }
  return results;
}
