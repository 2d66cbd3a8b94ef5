import { type Drop, drop } from '../data/ledger.js';
import type { Question } from '../data/question.js';
import type { Filter } from './filter.js';

/** Longest open-ended gold of the paper, in words. */
export const PAPER_MAX_WORDS = 10;

/**
 * The paper's filter H(D) (paper.md, section 3), which keeps what a rule can verify:
 * - multiple-choice: the gold is one of the options (reason `gold-not-an-option`); that letter and text name the same
 *   option is checked by the adapter, where the text still exists (`label-text-disagree`);
 * - open-ended, general: the gold has at most `maxWords` words (`answer-too-long`);
 * - mathematics: the gold is not empty (`empty-answer`).
 * Words are what white space separates; the paper does not say how it counts. A list of short items (words to sort, a
 * numbered assignment) counts as its longest item: it is compared item by item.
 */
export function verifiable(options: { maxWords?: number } = {}): Filter {
  const maxWords = options.maxWords ?? PAPER_MAX_WORDS;
  return { name: 'verifiable', check: (question) => objection(question, maxWords) };
}

function objection(question: Question, maxWords: number): Drop | undefined {
  const { answer, options } = question;
  if (answer.value.trim() === '') return drop('empty-answer', 'the gold answer has no text');
  if (question.form === 'multiple-choice') {
    if (answer.type === 'option' && options?.some(({ label }) => label === answer.value) === true) return undefined;
    const shown = options?.map(({ label }) => label).join(', ') ?? 'none';
    return drop('gold-not-an-option', `gold ${answer.value.slice(0, 40)} is none of the options ${shown}`);
  }
  if (question.domain === 'math') return undefined;
  const words = longestItem(answer.value);
  return words > maxWords ? drop('answer-too-long', `the gold has ${words} words; at most ${maxWords}`) : undefined;
}

/** Words as white space separates them. */
export function countWords(text: string): number {
  return text.split(/\s+/).filter((word) => word !== '').length;
}

const LIST_ITEM_WORDS = 5;

/** Words of the longest item of a list; of the whole text where it is no list of three or more short items. */
function longestItem(text: string): number {
  const items = text
    .split(/[\n;,]+/)
    .map(countWords)
    .filter((words) => words > 0);
  const longest = Math.max(...items);
  return items.length >= 3 && longest <= LIST_ITEM_WORDS ? longest : countWords(text);
}
