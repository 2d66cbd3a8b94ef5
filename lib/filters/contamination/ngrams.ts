import { createHash } from 'node:crypto';
import { drop } from '../../data/ledger.js';
import type { Question } from '../../data/question.js';
import type { Filter } from '../filter.js';
import { duplicateText, wordsOf } from '../normalise.js';

/** Words of an n-gram, as most decontamination reports have it. */
export const NGRAM_WORDS = 13;

/** The questions of benchmarks that must not be trained on: whole normalised texts and all their 13-grams. */
export class BenchmarkIndex {
  readonly #whole = new Map<string, string>();
  readonly #ngrams = new Map<string, string>();

  constructor(private readonly words: number = NGRAM_WORDS) {}

  /** Number of n-grams held. */
  get size(): number {
    return this.#ngrams.size;
  }

  add(benchmark: string, question: Pick<Question, 'question' | 'options'>): void {
    const whole = hash(duplicateText(question));
    if (!this.#whole.has(whole)) this.#whole.set(whole, benchmark);
    for (const ngram of ngramsOf(question.question, this.words)) {
      if (!this.#ngrams.has(ngram)) this.#ngrams.set(ngram, benchmark);
    }
  }

  /** Which benchmark a question overlaps with, and how. */
  find(question: Pick<Question, 'question' | 'options'>): { benchmark: string; how: string } | undefined {
    const whole = this.#whole.get(hash(duplicateText(question)));
    if (whole !== undefined) return { benchmark: whole, how: 'the same question' };
    for (const ngram of ngramsOf(question.question, this.words)) {
      const benchmark = this.#ngrams.get(ngram);
      if (benchmark !== undefined) return { benchmark, how: `${this.words} words in a row` };
    }
    return undefined;
  }
}

/** Drops questions that overlap with a benchmark (`contaminated`); the detail names the benchmark. */
export function decontaminate(index: BenchmarkIndex): Filter {
  return {
    name: 'decontaminate',
    check: (question) => {
      const found = index.find(question);
      return found === undefined ? undefined : drop('contaminated', `${found.benchmark}: ${found.how}`);
    },
  };
}

function* ngramsOf(text: string, size: number): Generator<string> {
  const words = wordsOf(text);
  for (let i = 0; i + size <= words.length; i++) yield hash(words.slice(i, i + size).join(' '));
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64').slice(0, 16);
}
