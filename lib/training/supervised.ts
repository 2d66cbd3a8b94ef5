import { logprobBackward, tokenLogprobs } from '../kernels/logprob.js';
import { LogitsBuffer } from './logitsBuffer.js';
import { packSequences, type TrainingSequence } from './packing.js';
import type { OptimizerStep, ReferencePolicy } from './policy.js';

/** What one supervised step reports. */
export interface SupervisedMetrics {
  /** Mean negative log-likelihood of the answer tokens, nats. */
  readonly loss: number;
  readonly gradientNorm: number;
  /** Answer tokens of the batch. */
  readonly tokens: number;
}

const buffer = new LogitsBuffer();

/** One step of maximum likelihood on the answers (token mean over the batch). */
export function supervisedStep(
  policy: ReferencePolicy,
  sequences: readonly TrainingSequence[],
  optimizer: OptimizerStep,
): SupervisedMetrics {
  const batch = packSequences(sequences);
  const { vocab } = policy.shape;
  const logits = buffer.view(batch.rows.length, vocab);
  policy.forward(batch, logits);
  const { logprob, state } = tokenLogprobs(logits, batch.targets, { vocab, entropy: false });
  const tokens = batch.targets.length;
  const dLogprob = new Float32Array(tokens).fill(-1 / tokens);
  logprobBackward(logits, batch.targets, { dLogprob, state }, { vocab, out: logits });
  policy.backward(logits);
  const gradientNorm = policy.step(optimizer);
  return { loss: -logprob.reduce((sum, value) => sum + value, 0) / tokens, gradientNorm, tokens };
}
