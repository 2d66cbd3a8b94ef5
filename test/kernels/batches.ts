import type { PolicyLossInputs } from '../../lib/index.js';
import { Random } from './random.js';

/** Offsets of `count` rows with lengths in [least, most]. */
export function randomOffsets(random: Random, count: number, least: number, most: number): Int32Array {
  const offsets = new Int32Array(count + 1);
  for (let i = 0; i < count; i++) offsets[i + 1] = offsets[i]! + least + random.integer(most - least + 1);
  return offsets;
}

/** A packed batch as training sees it: log-probs near the old ones, a tenth of the tokens masked. */
export function randomBatch(seed: number, sequences: number, least: number, most: number) {
  const random = new Random(seed);
  const cuSeqlens = randomOffsets(random, sequences, least, most);
  const tokens = cuSeqlens[sequences]!;
  const fill = (next: (i: number) => number): Float32Array => Float32Array.from({ length: tokens }, (_, i) => next(i));
  const near = (of: Float32Array, width: number) => fill((i) => of[i]! + width * (random.uniform() - 0.5));
  const oldLogprobs = fill(() => -0.3 - 3 * random.uniform());
  const logprobs = near(oldLogprobs, 0.8);
  return {
    logprobs,
    oldLogprobs,
    refLogprobs: near(logprobs, 0.6),
    rolloutLogprobs: near(oldLogprobs, 0.2),
    entropies: fill(() => 2 * random.uniform()),
    weights: fill(() => 0.5 + random.uniform()),
    selected: Uint8Array.from({ length: tokens }, () => (random.uniform() < 0.1 ? 1 : 0)),
    advantages: Float32Array.from({ length: sequences }, () => 4 * random.uniform() - 2),
    cuSeqlens,
    mask: Uint8Array.from({ length: tokens }, () => (random.uniform() < 0.9 ? 1 : 0)),
  } satisfies PolicyLossInputs;
}

/** Sequences [begin, end) of a batch, as a batch of their own. */
export function sliceBatch(batch: PolicyLossInputs, begin: number, end: number): PolicyLossInputs {
  const [from, to] = [batch.cuSeqlens[begin]!, batch.cuSeqlens[end]!];
  const tokens = batch.logprobs.length;
  const cut = Object.entries(batch).map(([name, array]: [string, Float32Array | Int32Array | Uint8Array]) => {
    if (name === 'cuSeqlens') return [name, batch.cuSeqlens.slice(begin, end + 1).map((o) => o - from)];
    return [name, array.length === tokens ? array.slice(from, to) : array.slice(begin, end)];
  });
  return Object.fromEntries(cut) as PolicyLossInputs;
}
