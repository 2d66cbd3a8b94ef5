import binding = require('#binding');

import { linearLogprobs, linearLogprobsBackward, type LogitsArray } from '../lib/index.js';
import { machine } from './machine.js';

/**
 * `npm run bench:linear`: the fused linear head against the multiply-add peak and the read bandwidth of this machine, both
 * measured between the repetitions of each case. Least times; CPU time where one thread is at work.
 *
 * Predicted before the first run (AVX-512 with BF16, one thread): N >= 256 0.90 of the peak, N = 32 0.75, N = 1 0.85 of
 * the read bandwidth, N = 8 0.7.
 */
const SHAPES: [depth: number, vocab: number][] = [
  [896, 151936],
  [2048, 128256],
  [4096, 32000],
];
const ROWS = [1, 4, 8, 32, 256];

/** Read by one thread beside every case. Filled: untouched pages would all be one page, in the cache. */
const ceiling = Buffer.alloc(2 ** 28, 2);

type Type = 'float32' | 'bfloat16';

/** Uniform in [-1/2, 1/2), coarsely. */
function filled(type: Type, length: number): LogitsArray {
  const x = type === 'float32' ? new Float32Array(length) : new Uint16Array(length);
  for (let i = 0; i < length; i++) {
    const hash = Math.imul(i, 2654435761) >>> 20;
    x[i] = type === 'float32' ? hash / 4096 - 0.5 : ((hash & 1) << 15) | (0x3e00 + ((hash >>> 1) & 127));
  }
  return x;
}

/** Seconds of `run`: CPU time on one thread (other work on the machine counts less), else wall time. */
function seconds(threads: number, run: () => void): number {
  const cpu = process.cpuUsage();
  const wall = performance.now();
  run();
  const { user, system } = process.cpuUsage(cpu);
  return threads === 1 ? (user + system) / 1e6 : (performance.now() - wall) / 1e3;
}

/** Multiply-adds a second on one thread. */
function peakOf(type: Type): number {
  const rounds = 2_000_000;
  let operations = 0;
  const time = seconds(1, () => {
    operations = binding.linearPeak(type === 'float32' ? 0 : 1, rounds);
  });
  return operations / time;
}

function benchCase(type: Type, rows: number, weight: LogitsArray, depth: number, threads: number, budget: number) {
  const vocab = weight.length / depth;
  const hidden = filled(type, rows * depth);
  const tokens = Int32Array.from({ length: rows }, (_, i) => (i * 7919) % vocab);
  const options = { dtype: type, hiddenSize: depth, threads };
  const [times, peaks, reads]: [number[], number[], number[]] = [[], [], []];
  const end = performance.now() + budget;
  do {
    peaks.push(peakOf(type));
    reads.push(seconds(1, () => void ceiling.indexOf(1))); // memchr for a byte that is not there: reads, nothing else.
    times.push(seconds(threads, () => void linearLogprobs(hidden, weight, tokens, options)));
  } while (performance.now() < end);
  const time = Math.min(...times);
  const macs = (rows * depth * vocab) / time;
  const peak = Math.max(...peaks) * threads;
  const read = ceiling.length / Math.min(...reads);
  return {
    ...{ type, rows, depth, vocab, threads, repetitions: times.length, milliseconds: time * 1e3 },
    ...{ gigaflops: (2 * macs) / 1e9, ofPeak: macs / peak, peakGigaflops: (2 * peak) / 1e9 },
    ...{ weightGigabytesPerSecond: weight.byteLength / time / 1e9, ofRead: weight.byteLength / time / read },
  };
}

function benchBackward(type: Type, rows: number, weight: LogitsArray, depth: number, threads: number) {
  const vocab = weight.length / depth;
  const hidden = filled(type, rows * depth);
  const tokens = new Int32Array(rows).fill(1);
  const options = { dtype: type, hiddenSize: depth, threads };
  const dLogprob = new Float32Array(rows).fill(1);
  const { state } = linearLogprobs(hidden, weight, tokens, options);
  const out = { dHidden: new Float32Array(rows * depth), dWeight: new Float32Array(vocab * depth) };
  const run = () => void linearLogprobsBackward(hidden, weight, tokens, { dLogprob, state }, { ...options, out });
  run();
  const peak = peakOf('float32') * threads;
  const time = Math.min(seconds(threads, run), seconds(threads, run));
  return {
    type,
    rows,
    depth,
    vocab,
    threads,
    milliseconds: time * 1e3,
    ofFloat32Peak: (3 * rows * depth * vocab) / time / peak,
  };
}

function main(): void {
  console.log(machine());
  const quick = process.argv.includes('--quick');
  for (const type of ['float32', 'bfloat16'] as const) {
    for (const [depth, vocab] of quick ? SHAPES.slice(1, 2) : SHAPES) {
      const weight = filled(type, depth * vocab);
      for (const threads of [1, 2]) {
        for (const rows of ROWS) {
          const r = benchCase(type, rows, weight, depth, threads, quick ? 1000 : 3000);
          const speed = `${r.gigaflops.toFixed(0).padStart(4)} GFLOP/s ${r.ofPeak.toFixed(3)} of peak`;
          const read = `W ${r.weightGigabytesPerSecond.toFixed(1).padStart(5)} GB/s ${r.ofRead.toFixed(3)} of read`;
          const title = `${type.padEnd(8)} H ${depth} V ${vocab} threads ${threads} N ${String(rows).padStart(3)}`;
          console.log(
            `${title} ${r.milliseconds.toFixed(2).padStart(9)} ms  ${speed}  ${read}  (${r.repetitions} runs)`,
          );
        }
      }
    }
    const [depth, vocab] = [896, 32000];
    const weight = filled(type, depth * vocab);
    for (const threads of [1, 2]) {
      const r = benchBackward(type, 256, weight, depth, threads);
      const title = `${type.padEnd(8)} backward H ${depth} V ${vocab} threads ${threads} N 256`;
      console.log(`${title} ${r.milliseconds.toFixed(1)} ms  ${r.ofFloat32Peak.toFixed(3)} of the float32 peak`);
    }
  }
}

main();
