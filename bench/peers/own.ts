import { logprobBackward, SamplingPlan, tokenLogprobs } from '../../lib/index.js';
import { keysOf, operations, settingsOf, type PeerCase, type Problem } from './problem.js';
import { repeat } from './repeat.js';

/** CrossThink's own cases: what the others are divided by. */
export function ownCases(problem: Problem): PeerCase[] {
  const { logits, tokens, dLogprob, rows, threads } = problem;
  const out = { logprob: new Float32Array(rows), entropy: new Float32Array(rows), state: new Float64Array(3 * rows) };
  const state = Float64Array.from(tokenLogprobs(logits, tokens, { threads }).state);
  const gradient = new Float32Array(logits.length);
  const peer = 'crossthink';
  const cases: PeerCase[] = [
    {
      ...{ operation: 'log-prob', peer, how: 'tokenLogprobs' },
      run: repeat(() => void tokenLogprobs(logits, tokens, { entropy: false, out, threads })),
      results: () => ({ logprobs: out.logprob }),
    },
    {
      ...{ operation: 'log-prob + entropy', peer, how: 'tokenLogprobs' },
      run: repeat(() => void tokenLogprobs(logits, tokens, { out, threads })),
      results: () => ({ logprobs: out.logprob, entropies: out.entropy }),
    },
    {
      ...{ operation: 'backward', peer, how: 'logprobBackward' },
      run: repeat(() => void logprobBackward(logits, tokens, { dLogprob, state }, { out: gradient, threads })),
      results: () => ({ gradient: { values: gradient } }),
    },
  ];
  for (const operation of operations.filter((name) => name.startsWith('sample'))) {
    const plan = new SamplingPlan({ ...settingsOf(operation), outputs: ['token'], threads });
    const keys = keysOf(rows);
    let seed = 0;
    let drawn = new Int32Array(rows);
    cases.push({
      ...{ operation, peer, how: 'SamplingPlan' },
      run: repeat(() => {
        drawn = plan.sample(logits, { ...keys, seed: seed++ }).tokens as Int32Array<ArrayBuffer>;
      }),
      results: () => ({ tokens: drawn }),
    });
  }
  return cases;
}
