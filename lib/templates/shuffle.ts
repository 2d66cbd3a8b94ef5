import { hash } from 'node:crypto';
import { type Drop, drop } from '../data/ledger.js';
import { optionAboutOptions, optionLabel } from '../data/options.js';
import { type Question, questionId } from '../data/question.js';

/**
 * The options in an order that seed and question decide, against position bias. The step `shuffle:CADB` in the provenance
 * is the audit: the old labels in their new order. Questions with options about options ("all of the above") are dropped
 * (`all-of-the-above`); open-ended ones stay as they are.
 */
export function shuffleOptions(question: Question, seed = 0): Question | Drop {
  const { options, answer } = question;
  if (options === undefined) return question;
  const fixed = optionAboutOptions(options);
  if (fixed !== undefined) return drop('all-of-the-above', `option ${fixed.label} speaks of other options`);
  const ranked = options
    .map((option, i) => ({ option, rank: hash('sha256', `shuffle:${seed}:${question.id}:${i}`, 'hex') }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ option }) => option);
  const shuffled = ranked.map(({ text }, i) => ({ label: optionLabel(i), text }));
  const place = ranked.findIndex(({ label }) => label === answer.value);
  if (place < 0) return drop('gold-not-an-option', 'the gold label is none of the options');
  const gold = { ...answer, value: optionLabel(place) };
  const step = `shuffle:${ranked.map(({ label }) => label).join('')}`;
  return {
    ...question,
    id: questionId({ source: question.source, question: question.question, options: shuffled, answer: gold }),
    options: shuffled,
    answer: gold,
    provenance: { ...question.provenance, steps: [...question.provenance.steps, step] },
  };
}
