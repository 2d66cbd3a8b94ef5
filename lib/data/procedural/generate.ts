import { createHash } from 'node:crypto';
import { invalidValue } from '../../errors.js';
import { biology, geography, history, law } from './facts.js';
import type { Family, Item } from './item.js';
import { EXPLANATIONS } from './knowledge/law.js';
import { arithmetic, sequences, units } from './numbers.js';
import { Random } from './random.js';
import { calendar, logic, tables } from './reasoning.js';
import type { ProceduralRow } from './row.js';

/** Every family of questions, mathematics first. */
export const FAMILIES: readonly Family[] = [
  ...[arithmetic, sequences],
  ...[logic, calendar, units, tables, geography, history, law, biology],
];

/** Words and phrases the families write, for a tokenizer. */
export function proceduralPhrases(): string[] {
  const phrases = FAMILIES.flatMap((family) => [...family.phrases]).filter((phrase) => phrase.length > 1);
  return [...new Set([...phrases, 'th'])];
}

/** Labels of the four options. */
export const LABELS = ['A', 'B', 'C', 'D'] as const;

function openEnded(family: string, { question, type, answer, steps }: Item): ProceduralRow {
  return { family, question, answer, type, steps };
}

function multipleChoice(family: string, item: Item, random: Random): ProceduralRow {
  const options = random.shuffle([item.answer, ...item.distractors]);
  const label = LABELS[options.indexOf(item.answer)] ?? '';
  const steps = `${item.steps}${item.answer} (${label})`;
  return { family, question: item.question, options, answer: label, type: 'option', steps };
}

/** Draws without a new row before a family counts as exhausted. */
const PATIENCE = 200;

/**
 * Draws different rows of every family, in both forms, and a few questions whose answers no rule can verify, so that
 * curation has real work to do.
 *
 * `seed`: equal seeds give equal rows on every machine (default 1). `perForm`: rows per family and form at most (default 1000);
 * a family over small tables may have fewer.
 *
 * @throws CrossThinkError `ERR_INVALID_ARG_VALUE` where one of them is not a (positive) integer.
 */
export function generateRows({ seed = 1, perForm = 1000 }: { seed?: number; perForm?: number } = {}): ProceduralRow[] {
  if (!Number.isInteger(seed)) throw invalidValue('seed', 'an integer', seed);
  if (!Number.isInteger(perForm) || perForm < 1) throw invalidValue('perForm', 'a positive integer', perForm);
  const rows: ProceduralRow[] = [];
  FAMILIES.forEach((family, index) => {
    const random = new Random(Math.imul(seed, 0x9e3779b1) + index);
    rows.push(...distinct(perForm, () => openEnded(family.name, family.draw(random))));
    rows.push(...distinct(perForm, () => multipleChoice(family.name, family.draw(random), random)));
  });
  for (const [question, answer] of EXPLANATIONS)
    rows.push({ family: 'law', question, answer, type: 'text', steps: '' });
  return rows;
}

function distinct(count: number, draw: () => ProceduralRow): ProceduralRow[] {
  const rows = new Map<string, ProceduralRow>();
  for (let misses = 0; rows.size < count && misses < PATIENCE; misses++) {
    const row = draw();
    const key = JSON.stringify([row.question, row.options]);
    if (rows.has(key)) continue;
    rows.set(key, row);
    misses = -1;
  }
  return [...rows.values()];
}

/**
 * Whether a question is held out for testing: the first 32 bits of the SHA-256 of its text (without options) fall in
 * the lowest `share`. Both forms of one question therefore lie on one side, whatever the seed.
 */
export function isHeldOut(question: string, share = 0.2): boolean {
  return createHash('sha256').update(question).digest().readUInt32BE(0) < share * 2 ** 32;
}
