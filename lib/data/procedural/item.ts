import type { Domain } from '../question.js';
import type { Random } from './random.js';

/** One drawn question before it is put in multiple-choice or open-ended form. */
export interface Item {
  readonly question: string;
  /** Type of the open-ended answer. */
  readonly type: 'integer' | 'boolean' | 'text';
  readonly answer: string;
  /** Worked steps that lead to the answer, without the answer itself; a demonstration for the warm start. */
  readonly steps: string;
  /** Three wrong answers of the same kind. */
  readonly distractors: readonly string[];
}

/** A family of questions: one subject, drawn at random or from a table of facts. */
export interface Family {
  /** Also the question's `subject`. */
  readonly name: string;
  readonly domain: Domain;
  /** Fixed phrases and words the family writes, for the tokenizer. */
  readonly phrases: readonly string[];
  draw(random: Random): Item;
}

/** Three different non-negative integers other than `value`, made by `propose`. */
export function wrongNumbers(value: number, propose: () => number): string[] {
  const seen = new Set([value]);
  while (seen.size < 4) {
    const candidate = propose();
    if (candidate >= 0) seen.add(candidate);
  }
  return [...seen].slice(1).map(String);
}

/** Three items of `all` other than `right`, in random order. */
export function wrongItems(random: Random, all: readonly string[], right: string): string[] {
  return random.sample(
    [...new Set(all)].filter((item) => item !== right),
    3,
  );
}
