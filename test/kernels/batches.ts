import type { PolicyLossInputs } from '../../lib/index.js';
import { generator, randomOffsets } from './random.js';

/** A packed batch as training sees it: log-probs near the old ones, a tenth of the tokens masked. */
export function randomBatch(seed: number, sequences: number, least: number, most: number) {
  const random = generator(seed);
  const cuSeqlens = randomOffsets(random, sequences, least, most);
  const tokens = cuSeqlens[sequences]!;
  const fill = (next: (i: number) => number): Float32Array => Float32Array.from({ length: tokens }, (_, i) => next(i));
  const oldLogprobs = fill(() => -3 * random());
  const logprobs = fill((i) => oldLogprobs[i]! + 0.8 * (random() - 0.5));
  const refLogprobs = fill((i) => logprobs[i]! + 0.6 * (random() - 0.5));
  const advantages = Float32Array.from({ length: sequences }, () => 4 * random() - 2);
  const mask = Uint8Array.from({ length: tokens }, () => (random() < 0.9 ? 1 : 0));
  return { logprobs, oldLogprobs, refLogprobs, advantages, cuSeqlens, mask };
}

/** Sequences [begin, end) of a batch, as a batch of their own. */
export function sliceBatch(batch: PolicyLossInputs, begin: number, end: number): PolicyLossInputs {
  const [from, to] = [batch.cuSeqlens[begin]!, batch.cuSeqlens[end]!];
  return {
    logprobs: batch.logprobs.slice(from, to),
    oldLogprobs: batch.oldLogprobs.slice(from, to),
    refLogprobs: batch.refLogprobs?.slice(from, to),
    advantages: batch.advantages.slice(begin, end),
    cuSeqlens: batch.cuSeqlens.slice(begin, end + 1).map((o) => o - from),
    mask: batch.mask?.slice(from, to),
  };
}
