import { grpoStep, logprobBackward, policyLoss, SamplingPlan, tokenLogprobs } from '../lib/index.js';
import { reader } from './read.js';
import { measure, type Case } from './suite.js';

const SHAPES: [rows: number, vocab: number, where: string][] = [
  [1, 128256, 'one row, second-level cache'],
  [256, 128256, '131 MB, main memory'],
];

function logitsOf(rows: number, vocab: number): Float32Array {
  const x = new Float32Array(rows * vocab);
  for (let i = 0; i < x.length; i++) x[i] = ((Math.imul(i, 2654435761) >>> 20) & 1023) * 0.01 - 5;
  return x;
}

/** The same in plain JavaScript, float64 arithmetic, two passes. */
function plainLogprob(x: Float32Array, tokens: Int32Array, vocab: number, out: Float32Array): void {
  for (let i = 0; i < tokens.length; i++) {
    const at = i * vocab;
    let max = -Infinity;
    for (let j = at; j < at + vocab; j++) if ((x[j] ?? 0) > max) max = x[j] ?? 0;
    let sum = 0;
    for (let j = at; j < at + vocab; j++) sum += Math.exp((x[j] ?? 0) - max);
    out[i] = (x[at + (tokens[i] ?? 0)] ?? 0) - max - Math.log(sum);
  }
}

function casesOf(rows: number, vocab: number, threads: number): Case[] {
  const x = logitsOf(rows, vocab);
  const bytes = x.byteLength;
  const tokens = Int32Array.from({ length: rows }, (_, i) => (i * 7919) % vocab);
  const positions = Int32Array.from({ length: rows }, (_, i) => i);
  const keys = { seed: 1, sequences: BigUint64Array.from(positions, BigInt), positions };
  const out = { logprob: new Float32Array(rows), entropy: new Float32Array(rows), state: new Float64Array(5 * rows) };
  const { state } = tokenLogprobs(x, tokens);
  const dLogprob = new Float32Array(rows).fill(1);
  const d = new Float32Array(x.length);
  const sampler = (options: ConstructorParameters<typeof SamplingPlan>[0]): (() => void) => {
    const plan = new SamplingPlan({ ...options, threads });
    return () => void plan.sample(x, keys);
  };
  const batch = {
    ...{ tokens, oldLogprobs: new Float32Array(rows), advantages: new Float32Array(rows).fill(1) },
    cuSeqlens: Int32Array.of(0, rows),
  };
  const composed = (): void => {
    const forward = tokenLogprobs(x, tokens, { entropy: false, threads });
    const { dLogprobs } = policyLoss({ ...batch, logprobs: forward.logprob }, { threads });
    logprobBackward(x, tokens, { dLogprob: dLogprobs, state: forward.state }, { out: d, threads });
  };
  const own: Case[] = [
    { name: 'read (memchr)', bytes, run: reader(bytes, threads) },
    { name: 'log-prob', bytes, run: () => void tokenLogprobs(x, tokens, { entropy: false, out, threads }) },
    { name: 'log-prob + entropy', bytes, run: () => void tokenLogprobs(x, tokens, { out, threads }) },
    { name: 'sample, T = 1', bytes, run: sampler({}) },
    { name: 'sample, T = 0.8', bytes, run: sampler({ temperature: 0.8 }) },
    { name: 'sample, top-k 50 + top-p 0.95', bytes, run: sampler({ topK: 50, topP: 0.95 }) },
    { name: 'sample, top-k 200 + top-p 0.95', bytes, run: sampler({ topK: 200, topP: 0.95 }) },
    { name: 'sample, top-p 0.9, flat', bytes, run: sampler({ topP: 0.9 }) },
    {
      name: 'copy (memcpy, one thread), read + write',
      bytes: 2 * bytes,
      run: () => {
        d.set(x);
      },
    },
    {
      name: 'backward, read + write',
      bytes: 2 * bytes,
      run: () => void logprobBackward(x, tokens, { dLogprob, state }, { out: d, threads }),
    },
    {
      name: 'GRPO step, 2 reads + write',
      bytes: 3 * bytes,
      run: () => void grpoStep(x, batch, { entropy: false, out: d, threads }),
    },
    { name: 'GRPO step by its three calls', bytes: 3 * bytes, run: composed },
  ];
  if (threads > 1) return own;
  return [
    ...own,
    {
      name: 'log-prob in plain JavaScript',
      bytes,
      run: () => {
        plainLogprob(x, tokens, vocab, out.logprob);
      },
    },
  ];
}

/** Log-prob, its gradient and sampling as fractions of the read bandwidth measured beside them. */
export async function benchKernels() {
  const results: Record<string, unknown> = {};
  for (const [rows, vocab, where] of SHAPES) {
    for (const threads of rows === 1 ? [1] : [1, 2]) {
      const title = `float32 [${rows}, ${vocab}], ${where}, ${threads} thread${threads === 1 ? '' : 's'}`;
      results[title] = await measure(title, casesOf(rows, vocab, threads));
    }
  }
  return results;
}
