import type { Question } from '../data/question.js';
import { renderPrompt } from '../templates/prompt.js';
import { CompactTokenizer, END } from './tokenizer.js';

const LABELS = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J'];

/** The prompt as one text: the messages of the template, each ended by a line feed. */
export function promptText(question: Pick<Question, 'question' | 'options' | 'form'>): string {
  return renderPrompt(question)
    .map(({ content }) => `${content}\n`)
    .join('');
}

/** An answer in the format that the reward asks for. */
export function answerText(thought: string, answer: string, boxed = true): string {
  return `<think>${thought}</think>${boxed ? `\\boxed{${answer}}` : ` ${answer}`}`;
}

/**
 * Strings that a tokenizer for these prompts should hold as one token each: the instructions (which never vary), the tags
 * and the option labels.
 */
export function fixedTokens(): string[] {
  const instructions = (['multiple-choice', 'open-ended'] as const).map(
    (form) => `${renderPrompt({ form, question: '' })[0]?.content ?? ''}\n`,
  );
  const labels = LABELS.slice(0, 4).flatMap((label) => [`\n${label}. `, ` (${label})`]);
  return [...instructions, '<think>', '</think>', '\\boxed{', ...labels];
}

/** A tokenizer for questions and worked answers of the given texts; `phrases` become one token each. */
export function buildTokenizer(texts: Iterable<string>, phrases: readonly string[], size?: number): CompactTokenizer {
  const fixed = [...fixedTokens(), ...phrases];
  return CompactTokenizer.fromTexts(texts, { fixed, ...(size === undefined ? {} : { size }) });
}

/** The text that the reward judges: without the token that ends an answer. */
export function responseText(tokenizer: CompactTokenizer, tokens: readonly number[]): string {
  const text = tokenizer.decode(tokens);
  return text.endsWith(END) ? text.slice(0, -END.length) : text;
}
