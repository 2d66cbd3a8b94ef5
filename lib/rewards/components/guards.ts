import type { Option } from '../../data/question.js';
import { normaliseText } from '../answers/text.js';
import { findBoxes } from '../extraction/boxed.js';
import { splitThinking } from '../extraction/sections.js';

/** Ways of collecting reward without solving the question. */
export const guardCodes = {
  several_boxes: 'more than one different \\boxed{} after the reasoning',
  stuffed_answer: 'the boxed answer lists many candidates or is longer than an answer can be',
  empty_think: 'the reasoning block is missing or empty',
  copied_options: 'the final part repeats every option',
  copied_question: 'the boxed answer is the question, or most of it',
} as const;

export type GuardCode = keyof typeof guardCodes;

export interface GuardOptions {
  /** Longest boxed answer, in characters. Default 400. */
  readonly maximumAnswer?: number;
  /** Most items of a boxed list. Default 24. */
  readonly maximumItems?: number;
  /** Fewest words of reasoning. Default 1. */
  readonly minimumThinking?: number;
}

/** The guards a response trips; empty where it trips none. Accuracy is not looked at. */
export function trippedGuards(
  response: string,
  question: { readonly question?: string; readonly options?: readonly Option[] } = {},
  { maximumAnswer = 400, maximumItems = 24, minimumThinking = 1 }: GuardOptions = {},
): GuardCode[] {
  const { thinking, final } = splitThinking(response);
  const tripped: GuardCode[] = [];
  const contents = findBoxes(final).map(({ content }) => content.trim());
  if (new Set(contents).size > 1) tripped.push('several_boxes');
  const answer = contents.at(-1) ?? '';
  if (answer.length > maximumAnswer || answer.split(/[,;]|\bor\b/).length > maximumItems)
    tripped.push('stuffed_answer');
  if ((thinking ?? '').split(/\s+/).filter(Boolean).length < minimumThinking) tripped.push('empty_think');
  if (copiesOptions(final, question.options ?? [])) tripped.push('copied_options');
  if (copiesQuestion(answer, question.question ?? '')) tripped.push('copied_question');
  return tripped;
}

function copiesOptions(final: string, options: readonly Option[]): boolean {
  if (options.length < 3) return false;
  const text = normaliseText(final.slice(0, 20_000));
  return options.every((option) => {
    const own = normaliseText(option.text);
    return own.length > 1 && text.includes(own);
  });
}

function copiesQuestion(answer: string, question: string): boolean {
  const [a, q] = [normaliseText(answer), normaliseText(question)];
  return a.length >= 30 && (q.includes(a) || a.includes(q)) && q !== '' && a.length > q.length / 2;
}
