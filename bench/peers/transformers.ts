import { type PeerCase, type Problem } from './problem.js';
import { repeat } from './repeat.js';

export interface Maths {
  softmax(x: Float32Array): Float32Array;
  log_softmax(x: Float32Array): Float32Array;
}

/** transformers.js's own softmax utilities (src/utils/maths.js), which its samplers use row by row. */
export function transformersCases(problem: Problem, maths: Maths): PeerCase[] {
  const { logits, tokens, rows, vocab } = problem;
  const logprobs = new Float32Array(rows);
  const drawn = new Int32Array(rows);
  const peer = 'transformers.js';
  const rowOf = (r: number): Float32Array => logits.subarray(r * vocab, (r + 1) * vocab);
  return [
    {
      ...{ operation: 'log-prob', peer, how: 'log_softmax' },
      run: repeat(() => {
        for (let r = 0; r < rows; r++) logprobs[r] = maths.log_softmax(rowOf(r))[tokens[r]!]!;
      }),
      results: () => ({ logprobs }),
    },
    {
      ...{ operation: 'sample', peer, how: "softmax and its sampler's random choice" },
      run: repeat(() => {
        for (let r = 0; r < rows; r++) {
          const p = maths.softmax(rowOf(r));
          let left = Math.random();
          let token = 0;
          while (token < vocab - 1 && (left -= p[token]!) > 0) token++;
          drawn[r] = token;
        }
      }),
      results: () => ({ tokens: drawn }),
    },
  ];
}
