import { hash } from 'node:crypto';
import { comparableText } from '../data/options.js';
import type { Question } from '../data/question.js';

/** Golds further from the length of the right answer than this factor give it away. */
const LENGTH_FACTOR = 3;

/**
 * Golds of other questions, to make options from: a wrong answer that is right elsewhere. Only golds of the same domain
 * and answer type are drawn, those of the same subject first.
 */
export class GoldPool {
  readonly #texts = new Map<string, string[]>();
  readonly #seen = new Set<string>();

  /** Number of different golds held. */
  get size(): number {
    return this.#seen.size;
  }

  /** Adds the gold of an open-ended question, or the right option of a multiple-choice one. */
  add(question: Question): void {
    const { answer, options, domain, subject } = question;
    const option = answer.type === 'option' ? options?.find(({ label }) => label === answer.value) : undefined;
    if (answer.type === 'option' && option === undefined) return;
    const text = (option?.text ?? answer.value).trim();
    const type = option === undefined ? answer.type : 'text';
    const key = poolKey(domain, type, subject);
    const identity = `${key}\0${comparableText(text)}`;
    if (text === '' || this.#seen.has(identity)) return;
    this.#seen.add(identity);
    for (const pool of new Set([key, poolKey(domain, type)])) {
      const texts = this.#texts.get(pool);
      if (texts === undefined) this.#texts.set(pool, [text]);
      else texts.push(text);
    }
  }

  /**
   * Candidates for wrong answers, best first, in an order that seed and question decide: of the same subject, then of the
   * same domain; of comparable length before others. Golds and alternatives of the question itself are not among them.
   */
  candidates(question: Question, wanted: number, seed: number): string[] {
    const { answer, domain, subject, id } = question;
    const taken = new Set([answer.value, ...(answer.alternatives ?? [])].map(comparableText));
    const near: string[] = [];
    const far: string[] = [];
    for (const key of new Set([poolKey(domain, answer.type, subject), poolKey(domain, answer.type)])) {
      const texts = this.#texts.get(key) ?? [];
      // Random places instead of a shuffle: pools are large, and a few texts are enough.
      const draws = Math.min(texts.length * 4, 64 + 8 * wanted);
      for (let draw = 0; draw < draws && near.length < wanted; draw++) {
        const text = texts[placeOf(`${seed}:${id}:${key}:${draw}`, texts.length)] ?? '';
        const comparable = comparableText(text);
        if (taken.has(comparable)) continue;
        taken.add(comparable);
        (comparableLength(text, answer.value) ? near : far).push(text);
      }
    }
    return [...near, ...far].slice(0, wanted);
  }
}

function poolKey(domain: string, type: string, subject?: string): string {
  return subject === undefined ? `${domain}/${type}` : `${domain}/${type}/${subject}`;
}

function placeOf(key: string, count: number): number {
  return Number(BigInt(`0x${hash('sha256', key, 'hex').slice(0, 15)}`) % BigInt(count));
}

function comparableLength(a: string, b: string): boolean {
  const [short, long] = [Math.min(a.length, b.length), Math.max(a.length, b.length)];
  return long <= LENGTH_FACTOR * short + 4;
}
