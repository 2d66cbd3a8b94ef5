import binding = require('#binding');

import {
  groupAdvantages,
  logprobBackward,
  policyLoss,
  SamplingPlan,
  selectByCovariance,
  tokenLogprobs,
} from '../../lib/index.js';
import { randomBatch } from './batches.js';
import { digest, isas, withIsa } from './isas.js';
import { Random } from './random.js';

const [rows, vocab] = [6, 3000];
// Made beforehand: JavaScript's own arithmetic runs in the host's mode.
const x = new Random(9).normals(rows * vocab, 4);
const tokens = Int32Array.from({ length: rows }, (_, i) => 17 * i);
const dLogprob = new Float32Array(rows).fill(1e-39); // Subnormal, and so are the gradients.
const rewards = Float32Array.from([1e-39, 3e-39, 2e-39, 1]);
const batch = randomBatch(5, 12, 0, 30);
const subnormal = { ...batch, advantages: batch.advantages.map((a) => a * 1e-39) };

/** Results in which subnormal numbers and the rounding mode show. */
function results(threads: number): unknown {
  const forward = tokenLogprobs(x, tokens, { threads });
  const keys = { seed: 3, sequences: tokens, positions: tokens };
  return {
    forward,
    backward: logprobBackward(x, tokens, { dLogprob, state: forward.state }, { threads }),
    sampled: new SamplingPlan({ temperature: 0.5, topP: 0.75, threads }).sample(x, keys),
    advantages: groupAdvantages(rewards, { groupSize: 2 }),
    loss: policyLoss(subnormal, { preset: 'dapo', threads }),
    selected: selectByCovariance(batch, { method: 'kl-cov', ratio: 0.1 }),
  };
}

describe('a host process that flushes subnormal numbers and rounds up', () => {
  it.each(isas)('changes no bit on %s, and keeps its mode', (isa) => {
    const expected = digest(withIsa(isa, () => results(1)));
    for (const threads of [1, 2]) {
      let received: unknown;
      const kept = binding.withHostileFloats(() => {
        received = withIsa(isa, () => results(threads));
      });
      expect(kept).toBe(true);
      expect(digest(received) === expected).toBe(true);
    }
  });
});
