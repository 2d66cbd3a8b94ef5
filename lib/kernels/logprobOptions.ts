import { numberIn, requireInteger } from './arguments.js';

/** Numbers of a row's `state`. */
export const STATE_SIZE = 5;

/** Most tokens of one row in `topK`: what a block's shared memory on a GPU holds. */
export const MOST_TOP = 4096;

/** Options of log-probs that are one number for the whole call, on any device. */
export interface LogprobScalars {
  /** Logits become `softcap tanh(x / softcap)` first, so that -inf becomes `-softcap`; default off. */
  readonly softcap?: number | undefined;
  /** Rows with this token (e.g. -100) are not read: results and gradient 0, status `ignored`; default none. */
  readonly ignoreIndex?: number | undefined;
  /** The logits are the columns from here on of a larger vocabulary, see `mergeLogprobs`; default 0. */
  readonly vocabOffset?: number | undefined;
}

const LARGEST = 2 ** 31 - 1;

/** Checked, as the native side takes them: 0 and NaN are off. */
export function checkScalars({ softcap, ignoreIndex, vocabOffset }: LogprobScalars) {
  return {
    softcap: numberIn('options.softcap', softcap, 0, 0, 1e30),
    ignoreIndex:
      ignoreIndex === undefined ? NaN : requireInteger('options.ignoreIndex', ignoreIndex, -LARGEST - 1, LARGEST),
    vocabOffset: vocabOffset === undefined ? 0 : requireInteger('options.vocabOffset', vocabOffset, 0, LARGEST),
  };
}
