import { invalidValue } from '../errors.js';
import type { Question } from '../data/question.js';

/** A chat message, as trainers and servers expect it. */
export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** Names of the built-in prompts. */
export const PROMPT_PRESETS = ['think-boxed', 'verl', 'deepseek-r1', 'simple-evals'] as const;
export type PromptPreset = (typeof PROMPT_PRESETS)[number];

/** A prompt of one's own: `{question}` and `{options}` are replaced; `{options}` may be missing where it is `{question}` that shows them. */
export interface CustomPrompt {
  readonly system?: string;
  /** Must contain `{question}`. */
  readonly user: string;
}

export interface PromptOptions {
  /** Default `think-boxed`: reasoning inside `<think></think>`, final answer inside `\boxed{}`, as the paper asks. */
  readonly preset?: PromptPreset | CustomPrompt;
  /**
   * What the prompt asks of multiple-choice answers: the option's `label` (the paper's "short", its better template) or
   * label and text (`label-text`, "long"). Default `label`. The preset `simple-evals` always asks for the letter.
   */
  readonly answerForm?: 'label' | 'label-text';
}

type Asked = Pick<Question, 'question' | 'options' | 'form'>;

const THINK =
  'First think about the question inside <think> </think> tags, then give the final answer inside \\boxed{}.';

const ASK = {
  label: 'The final answer is the letter of the correct option only, for example \\boxed{A}.',
  'label-text': 'The final answer is the letter and the text of the correct option, for example \\boxed{A. text}.',
  open: 'The final answer is as short as possible: a number, an expression, a word or a phrase.',
} as const;

/** What the final answer of a question should be, in words. */
function ask(question: Asked, { answerForm = 'label' }: PromptOptions): string {
  return question.form === 'multiple-choice' ? ASK[answerForm] : ASK.open;
}

const PRESETS: Readonly<Record<PromptPreset, (question: Asked, options: PromptOptions) => Message[]>> = {
  'think-boxed': (question, options) => [
    { role: 'system', content: `${THINK} ${ask(question, options)}` },
    { role: 'user', content: questionText(question) },
  ],
  // The suffix that verl's mathematical data sets carry.
  verl: (question) => [
    {
      role: 'user',
      content: `${questionText(question)} Let's think step by step and output the final answer within \\boxed{}.`,
    },
  ],
  // No system message, as the model's authors advise; the instruction follows the question.
  'deepseek-r1': (question, options) => {
    const letter = question.form === 'multiple-choice' ? ` ${ask(question, options)}` : '';
    const content = `${questionText(question)}\nPlease reason step by step, and put your final answer within \\boxed{}.${letter}`;
    return [{ role: 'user', content }];
  },
  // After openai/simple-evals: the answer stands on a last line of its own, not in a box.
  'simple-evals': (question) => [{ role: 'user', content: simpleEvals(question) }],
};

function simpleEvals(question: Asked): string {
  if (question.form !== 'multiple-choice') {
    return [
      'Solve the following problem step by step. The last line of your response should be of the form Answer: $ANSWER (without quotes) where $ANSWER is the answer to the problem.',
      question.question,
      'Remember to put your answer on its own line after "Answer:", and you do not need to use a \\boxed command.',
    ].join('\n\n');
  }
  const letters = (question.options ?? []).map(({ label }) => label).join('');
  const shown = (question.options ?? []).map(({ label, text }) => `${label}) ${text}`).join('\n');
  return [
    `Answer the following multiple choice question. The last line of your response should be of the following format: 'Answer: $LETTER' (without quotes) where LETTER is one of ${letters}. Think step by step before answering.`,
    question.question,
    shown,
  ].join('\n\n');
}

/** The options, one a line as `A. text`; empty for open-ended questions. */
function optionLines(question: Pick<Question, 'options'>): string[] {
  return (question.options ?? []).map(({ label, text }) => `${label}. ${text}`);
}

/** The question as shown to the model: its text, and its options one a line as `A. text`. */
export function questionText(question: Pick<Question, 'question' | 'options'>): string {
  return [question.question, ...optionLines(question)].join('\n');
}

/**
 * The prompt of a question as chat messages. The wording of the paper's prompt is not public; the contract (`<think>`,
 * then `\boxed{}`) is the paper's, the words are ours.
 */
export function renderPrompt(question: Asked, options: PromptOptions = {}): Message[] {
  const { preset = 'think-boxed' } = options;
  if (typeof preset !== 'string') return customPrompt(question, preset);
  if (!PROMPT_PRESETS.includes(preset)) throw invalidValue('preset', `one of ${PROMPT_PRESETS.join(', ')}`, preset);
  return PRESETS[preset](question, options);
}

function customPrompt(question: Asked, { system, user }: CustomPrompt): Message[] {
  if (!user.includes('{question}')) throw invalidValue('preset.user', 'a text with {question} in it', user);
  const own = user.includes('{options}');
  // Functions, because replacement texts give $ a meaning and questions are full of it.
  const content = user
    .replaceAll('{question}', () => (own ? question.question : questionText(question)))
    .replaceAll('{options}', () => optionLines(question).join('\n'));
  return [...(system === undefined ? [] : [{ role: 'system' as const, content: system }]), { role: 'user', content }];
}
