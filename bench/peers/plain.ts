import { TEMPERATURE, TOP_K, TOP_P, type PeerCase, type Problem } from './problem.js';
import { repeat } from './repeat.js';

/** Careful plain JavaScript: typed arrays, float64 arithmetic, no allocation per element. */
export function plainCases(problem: Problem): PeerCase[] {
  const { logits, tokens, rows, vocab } = problem;
  const logprobs = new Float32Array(rows);
  const entropies = new Float32Array(rows);
  const gradient = new Float32Array(logits.length);
  const drawn = new Int32Array(rows);
  const peer = 'plain JavaScript';
  const largestOf = (at: number): number => {
    let largest = -Infinity;
    for (let j = at; j < at + vocab; j++) if (logits[j]! > largest) largest = logits[j]!;
    return largest;
  };
  const forward = (withEntropy: boolean): void => {
    for (let r = 0; r < rows; r++) {
      const at = r * vocab;
      const largest = largestOf(at);
      let sum = 0;
      let weighted = 0;
      for (let j = at; j < at + vocab; j++) {
        const d = logits[j]! - largest;
        const e = Math.exp(d);
        sum += e;
        if (withEntropy) weighted += e * d;
      }
      logprobs[r] = logits[at + tokens[r]!]! - largest - Math.log(sum);
      entropies[r] = Math.log(sum) - weighted / sum;
    }
  };
  const backward = (): void => {
    for (let r = 0; r < rows; r++) {
      const at = r * vocab;
      const logsumexp = logits[at + tokens[r]!]! - logprobs[r]!;
      for (let j = at; j < at + vocab; j++) gradient[j] = -Math.exp(logits[j]! - logsumexp);
      gradient[at + tokens[r]!]! += 1;
    }
  };
  const sample = (): void => {
    for (let r = 0; r < rows; r++) {
      const at = r * vocab;
      const largest = largestOf(at);
      let sum = 0;
      for (let j = at; j < at + vocab; j++) sum += Math.exp(logits[j]! - largest);
      let left = Math.random() * sum;
      let token = 0;
      while (token < vocab - 1 && (left -= Math.exp(logits[at + token]! - largest)) >= 0) token++;
      drawn[r] = token;
    }
  };
  const best = new TopList(TOP_K);
  const filtered = (): void => {
    for (let r = 0; r < rows; r++) {
      best.fill(logits, r * vocab, vocab);
      drawn[r] = drawTopP(best.values, best.ids);
    }
  };
  const values = { logprobs, entropies };
  return [
    {
      ...{ operation: 'log-prob', peer, how: 'two loops' },
      run: repeat(() => {
        forward(false);
      }),
      results: () => ({ logprobs }),
    },
    {
      ...{ operation: 'log-prob + entropy', peer, how: 'two loops' },
      run: repeat(() => {
        forward(true);
      }),
      results: () => values,
    },
    {
      ...{ operation: 'backward', peer, how: 'one loop, log-sum-exp given' },
      run: repeat(backward),
      results: () => ({ gradient: { values: gradient } }),
    },
    { ...{ operation: 'sample', peer, how: 'inverse CDF' }, run: repeat(sample), results: () => ({ tokens: drawn }) },
    {
      ...{ operation: 'sample, top-k 50 + top-p 0.95', peer, how: 'insertion into a sorted list' },
      run: repeat(filtered),
      results: () => ({ tokens: drawn }),
    },
  ];
}

/** The k largest of a row in descending order. */
class TopList {
  readonly values: Float32Array;
  readonly ids: Int32Array;

  constructor(k: number) {
    this.values = new Float32Array(k);
    this.ids = new Int32Array(k);
  }

  fill(x: Float32Array, at: number, n: number): void {
    const { values, ids } = this;
    const last = values.length - 1;
    values.fill(-Infinity);
    for (let i = 0; i < n; i++) {
      const v = x[at + i]!;
      if (!(v > values[last]!)) continue;
      let j = last;
      for (; j > 0 && values[j - 1]! < v; j--) {
        values[j] = values[j - 1]!;
        ids[j] = ids[j - 1]!;
      }
      values[j] = v;
      ids[j] = i;
    }
  }
}

/** Top-p and the draw over logits in descending order. */
export function drawTopP(values: ArrayLike<number>, ids: ArrayLike<number | bigint>): number {
  const masses = Array.from(values, (v) => Math.exp((v - values[0]!) / TEMPERATURE));
  const total = masses.reduce((a, b) => a + b, 0);
  let kept = 0;
  let mass = 0;
  while (kept < masses.length && mass < TOP_P * total) mass += masses[kept++]!;
  let left = Math.random() * mass;
  let i = 0;
  while (i < kept - 1 && (left -= masses[i]!) >= 0) i++;
  return Number(ids[i]);
}
