import { invalidValue } from '../errors.js';
import type { PackedTokens } from './policy.js';

/** A prompt with an answer to learn from. */
export interface TrainingSequence {
  readonly prompt: readonly number[];
  /** At least one token. */
  readonly answer: readonly number[];
}

/** Sequences packed for the policy, with what each chosen row should predict. */
export interface PackedBatch extends PackedTokens {
  /** Answer tokens, one for each row. */
  readonly targets: Int32Array;
  /** [sequences + 1], cumulative answer lengths: where each sequence's rows lie. */
  readonly answerCuSeqlens: Int32Array;
}

/**
 * Packs prompts and answers without padding. The last token of an answer is predicted but never an input, so it is left
 * out of the tokens. Logits are asked for where an answer token is predicted, and nowhere else.
 */
export function packSequences(sequences: readonly TrainingSequence[]): PackedBatch {
  const cuSeqlens = new Int32Array(sequences.length + 1);
  const answerCuSeqlens = new Int32Array(sequences.length + 1);
  sequences.forEach(({ prompt, answer }, i) => {
    if (prompt.length === 0) throw invalidValue(`sequences[${i}].prompt`, 'at least one token', prompt);
    if (answer.length === 0) throw invalidValue(`sequences[${i}].answer`, 'at least one token', answer);
    cuSeqlens[i + 1] = (cuSeqlens[i] ?? 0) + prompt.length + answer.length - 1;
    answerCuSeqlens[i + 1] = (answerCuSeqlens[i] ?? 0) + answer.length;
  });
  const tokens = new Int32Array(cuSeqlens[sequences.length] ?? 0);
  const rows = new Int32Array(answerCuSeqlens[sequences.length] ?? 0);
  const targets = new Int32Array(rows.length);
  sequences.forEach(({ prompt, answer }, i) => {
    const start = cuSeqlens[i] ?? 0;
    const answerStart = answerCuSeqlens[i] ?? 0;
    tokens.set(prompt, start);
    tokens.set(answer.slice(0, -1), start + prompt.length);
    targets.set(answer, answerStart);
    for (let t = 0; t < answer.length; t++) rows[answerStart + t] = start + prompt.length - 1 + t;
  });
  return { tokens, cuSeqlens, rows, targets, answerCuSeqlens };
}
