import type { Question } from '../data/question.js';

/** Letters and digits of a text, in lower case, words separated by one space: what copies of a question share. */
export function normalised(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/** Words of a normalised text; Han, Hiragana, Katakana and Hangul count character by character. */
export function wordsOf(text: string): string[] {
  return (
    normalised(text).match(
      /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[^\s\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]+/gu,
    ) ?? []
  );
}

/**
 * The text by which two questions count as the same: the stem, with its options where the stem is short ("Which is
 * true?" is not one question). Options count in any order.
 */
export function duplicateText({ question, options }: Pick<Question, 'question' | 'options'>): string {
  const stem = normalised(question);
  if (stem.length >= 40 || options === undefined) return stem;
  return [stem, ...options.map(({ text }) => normalised(text)).sort()].join(' | ');
}
