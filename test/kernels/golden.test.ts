import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { logprobBackward, runtimeInfo, SamplingPlan, tokenLogprobs, type TokenLogprobs } from '../../lib/index.js';
import { lossCases } from './goldenLosses.js';
import { digest, sameBits } from './isas.js';
import { Random, toBfloat16 } from './random.js';

/**
 * Hashes of results over seeded inputs. A change here is a change of the numeric specification: explain it in
 * docs/numerics.md, raise its number, and only then run with UPDATE_GOLDEN=1.
 */
const FILE = path.join(__dirname, 'golden.json');
const SHAPES: [rows: number, vocab: number, scale: number][] = [
  [4, 100, 1],
  [3, 5000, 5],
  [2, 32000, 0.1],
  [1, 128256, 3],
];

/** What is promised: the layout of `state` is not, and the backward pass shows its numbers. */
const resultsOf = ({ logprob, entropy, logsumexp, status }: TokenLogprobs) => ({ logprob, entropy, logsumexp, status });

const range = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i);

function results(): Record<string, (threads: number) => unknown> {
  const cases: Record<string, (threads: number) => unknown> = {};
  for (const [rows, vocab, scale] of SHAPES) {
    const random = new Random(rows * vocab);
    const x = random.normals(rows * vocab, scale);
    const halves = toBfloat16(x);
    const tokens = Int32Array.from({ length: rows }, () => random.integer(vocab));
    const gradients = { dLogprob: random.normals(rows), dEntropy: random.normals(rows) };
    const keys = { seed: 2025, sequences: range(rows), positions: range(rows) };
    const shape = `[${rows}, ${vocab}]`;
    cases[`tokenLogprobs ${shape}`] = (threads) => resultsOf(tokenLogprobs(x, tokens, { threads, temperature: 0.9 }));
    cases[`tokenLogprobs bfloat16 ${shape}`] = (threads) =>
      resultsOf(tokenLogprobs(halves, tokens, { threads, dtype: 'bfloat16' }));
    cases[`logprobBackward ${shape}`] = (threads) => logprobBackward(x, tokens, gradients, { threads });
    cases[`logprobBackward bfloat16 ${shape}`] = (threads) =>
      logprobBackward(halves, tokens, gradients, { threads, dtype: 'bfloat16' });
    for (const options of [{}, { temperature: 0.7 }, { topK: 50, topP: 0.95 }, { topP: 0.9 }]) {
      cases[`sample ${JSON.stringify(options)} ${shape}`] = (threads) =>
        new SamplingPlan({ ...options, threads }).sample(x, keys);
    }
  }
  return cases;
}

describe('golden hashes', () => {
  const cases = { ...results(), ...lossCases() };
  const golden = JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, string>;
  const actual: Record<string, string> = {};

  it.each(Object.keys(cases))('%s', (name) => {
    actual[name] = createHash('sha256')
      .update(digest(sameBits(cases[name]!)))
      .digest('hex')
      .slice(0, 24);
    if (process.env['UPDATE_GOLDEN'] === undefined) expect(actual[name]).toBe(golden[name]);
  });

  it('has no hash without a case', () => {
    if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(FILE, `${JSON.stringify(actual, null, 2)}\n`);
    else expect(Object.keys(golden).sort()).toEqual(Object.keys(cases).sort());
  });
});

describe('instruction sets', () => {
  it('runs every one that this processor offers', () => {
    const { isas } = runtimeInfo();
    process.stderr.write(`instruction sets executed by the kernel tests: ${isas.join(', ')}\n`);
    const expected = ['scalar'];
    if (process.arch === 'arm64') expected.push('neon');
    if (process.arch === 'x64' && process.platform === 'linux') {
      const cpu = readFileSync('/proc/cpuinfo', 'utf8');
      const flags = new Set(/^flags\s*:(.*)$/m.exec(cpu)?.[1]?.trim().split(' '));
      if (['avx2', 'fma', 'f16c'].every((flag) => flags.has(flag))) expected.push('avx2');
      if (['avx512f', 'avx512bw', 'avx512dq', 'avx512vl'].every((flag) => flags.has(flag))) expected.push('avx512');
      if (expected.includes('avx512') && flags.has('avx512_bf16')) expected.push('avx512bf16');
    }
    expect(isas).toEqual(expected);
  });
});
