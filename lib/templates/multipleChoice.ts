import { createHash } from 'node:crypto';
import { invalidValue } from '../errors.js';
import { type Drop, drop } from '../data/ledger.js';
import { comparableText, labelled } from '../data/options.js';
import { type Answer, type Question, questionId } from '../data/question.js';
import type { GoldPool } from './distractors.js';

export interface MultipleChoiceOptions {
  /** Wrong answers to choose from. Texts equal to the gold, or to each other, are left out. */
  readonly distractors?: readonly string[];
  /** Golds of other questions, drawn from where there are no distractors and no near numbers. */
  readonly golds?: GoldPool;
  /** Number of options, the right one included: 2 to 10; default 4. */
  readonly count?: number;
  /** Seed of the order of the options; with the question's id it fixes the order. Default 0. */
  readonly seed?: number;
}

/**
 * The paper's template T_MCQ: an open-ended question with options. Distractors are the caller's; where there are none,
 * integers and decimals get near numbers, other answers golds of other questions (`golds`). The step in the provenance
 * says which: `template:multiple-choice(given | near-numbers | other-golds)`. Without enough distractors the question is dropped (`no-distractors`).
 * Multiple-choice questions stay as they are.
 */
export function toMultipleChoice(question: Question, options: MultipleChoiceOptions = {}): Question | Drop {
  const { count = 4, seed = 0 } = options;
  if (!Number.isInteger(count) || count < 2 || count > 10) throw invalidValue('options.count', '2 to 10', count);
  if (question.form === 'multiple-choice') return question;

  const gold = question.answer.value;
  const taken = new Set([gold, ...(question.answer.alternatives ?? [])].map(comparableText));
  const wrong: string[] = [];
  const { kind, texts: candidates } = wrongAnswers(question, options, count, seed);
  for (const text of candidates) {
    const key = comparableText(text);
    if (key === '' || taken.has(key)) continue;
    taken.add(key);
    wrong.push(text);
    if (wrong.length === count - 1) break;
  }
  if (wrong.length < count - 1) {
    return drop('no-distractors', `expected ${count - 1} wrong answers; ${wrong.length} are at hand`);
  }

  const texts = shuffled([gold, ...wrong], `${seed}:${question.id}`);
  const choices = labelled(texts);
  const right = choices[texts.indexOf(gold)];
  if (right === undefined) return drop('gold-not-an-option', 'the gold was lost while shuffling');
  const answer: Answer = { type: 'option', value: right.label };
  return {
    ...question,
    id: questionId({ source: question.source, question: question.question, options: choices, answer }),
    form: 'multiple-choice',
    options: choices,
    answer,
    provenance: { ...question.provenance, steps: [...question.provenance.steps, `template:multiple-choice(${kind})`] },
  };
}

function wrongAnswers(
  question: Question,
  { distractors, golds }: MultipleChoiceOptions,
  count: number,
  seed: number,
): { kind: string; texts: readonly string[] } {
  if (distractors !== undefined) return { kind: 'given', texts: distractors };
  const numbers = nearNumbers(question.answer, question.id, seed);
  if (numbers.length > 0 || golds === undefined) return { kind: 'near-numbers', texts: numbers };
  return { kind: 'other-golds', texts: golds.candidates(question, count - 1, seed) };
}

/** Wrong numbers of the gold's magnitude and precision, in a fixed order for (id, seed); none for other types. */
function nearNumbers(answer: Answer, id: string, seed: number): string[] {
  if (answer.type !== 'integer' && answer.type !== 'decimal') return [];
  if (/e/i.test(answer.value)) return [];
  const decimals = /\.(\d+)$/.exec(answer.value)?.[1]?.length ?? 0;
  const gold = BigInt(answer.value.replace('.', ''));
  const size = gold < 0n ? -gold : gold;
  const steps = [1n, 2n, 3n, 5n, 10n, size / 10n, size / 5n, size / 2n, size];
  const near = steps.flatMap((step) => [gold + step, gold - step]).filter((value) => gold < 0n || value >= 0n);
  return shuffled(near, `near:${seed}:${id}`).map((value) => withDecimals(value, decimals));
}

function withDecimals(value: bigint, decimals: number): string {
  if (decimals === 0) return value.toString();
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** Order by SHA-256 of key and position: a permutation that depends on the key alone, on every machine. */
function shuffled<T>(items: readonly T[], key: string): T[] {
  return items
    .map((item, i) => ({ item, rank: createHash('sha256').update(`${key}:${i}`).digest('hex') }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ item }) => item);
}
