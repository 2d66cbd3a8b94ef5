/**
 * Why a verdict is what it is. The codes are stable: programs may depend on them. A verdict has one code: why the gold
 * cannot be scored, else why the answer is wrong, else why the format is wrong, else `correct`.
 */
export const reasons = {
  correct: 'right answer, right format',
  wrong: 'the extracted answer is not equal to the gold answer',
  no_answer: 'no final answer was found in the response',
  several_answers: 'the response offers a list of candidates or hedges where one answer is asked for',
  unknown_option: 'the extracted answer names no option of the question',
  budget_exhausted: 'comparing would have taken more steps than allowed; counted as wrong',
  input_too_long: 'the response or its answer is longer than allowed; counted as wrong',
  format_no_think: 'no <think>…</think> block',
  format_text_before_think: 'text before <think>',
  format_unclosed_think: '<think> without </think>, or </think> without <think>',
  format_several_think: 'more than one <think> or </think>',
  format_empty_think: 'nothing inside <think>…</think>',
  format_no_box: 'no balanced, non-empty \\boxed{} after </think>',
  format_several_boxes: 'several \\boxed{} with different contents after </think>',
  format_no_answer_tag: 'no <answer>…</answer> block after </think>',
  unscorable_gold_empty: 'the gold answer is empty',
  unscorable_gold_not_an_option: 'the gold answer is none of the options',
  unscorable_gold_label_text_disagree: "the gold's letter and its text name different options",
  unscorable_gold_ambiguous: 'the gold answer fits several options',
  unscorable_gold_unparsable: 'the gold answer cannot be read under its declared type',
} as const;

export type Reason = keyof typeof reasons;

/** What `verify` returns for one response. */
export interface Verdict {
  /** `accuracy` AND `format`: 0 or 1; NaN where the gold cannot be scored. */
  readonly reward: number;
  /** 1 if the final answer is right, whatever the format; else 0; NaN where the gold cannot be scored. */
  readonly accuracy: number;
  /** 1 if the response follows the template, else 0. */
  readonly format: number;
  /** The final answer as the response writes it, without its wrapper; null if none was found. */
  readonly extracted: string | null;
  readonly reason: Reason;
}
