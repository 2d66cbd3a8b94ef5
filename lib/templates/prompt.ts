import type { Question } from '../data/question.js';

/** A chat message, as trainers and servers expect it. */
export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** Names of the built-in prompts. */
export type PromptPreset = 'think-boxed';

export interface PromptOptions {
  /** Default `think-boxed`: reasoning inside `<think></think>`, final answer inside `\boxed{}`, as the paper asks. */
  readonly preset?: PromptPreset;
  /**
   * What the prompt asks of multiple-choice answers: the option's `label` (the paper's "short", its better template) or
   * label and text (`label-text`, "long"). Default `label`.
   */
  readonly answerForm?: 'label' | 'label-text';
}

const THINK =
  'First think about the question inside <think> </think> tags, then give the final answer inside \\boxed{}.';

const ASK = {
  label: 'The final answer is the letter of the correct option only, for example \\boxed{A}.',
  'label-text': 'The final answer is the letter and the text of the correct option, for example \\boxed{A. text}.',
  open: 'The final answer is as short as possible: a number, an expression, a word or a phrase.',
} as const;

/** The question as shown to the model: its text, and its options one a line as `A. text`. */
export function questionText(question: Pick<Question, 'question' | 'options'>): string {
  const options = (question.options ?? []).map(({ label, text }) => `${label}. ${text}`);
  return [question.question, ...options].join('\n');
}

/**
 * The prompt of a question as chat messages. The wording of the paper's prompt is not public; the contract (`<think>`,
 * then `\boxed{}`) is the paper's, the words are ours.
 */
export function renderPrompt(
  question: Pick<Question, 'question' | 'options' | 'form'>,
  options: PromptOptions = {},
): Message[] {
  const ask = question.form === 'multiple-choice' ? ASK[options.answerForm ?? 'label'] : ASK.open;
  return [
    { role: 'system', content: `${THINK} ${ask}` },
    { role: 'user', content: questionText(question) },
  ];
}
