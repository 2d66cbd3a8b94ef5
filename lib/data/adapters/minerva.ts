import { plainAdapter } from './shapes.js';

/** Minerva Math: {problem, solution, answer?, idx}; without answer, the last box of the solution is the gold. */
export const minerva = plainAdapter({
  name: 'minerva',
  aliases: ['minerva_math'],
  description: 'Minerva Math: {problem, solution, answer?, idx}',
  licence: 'see source',
  domain: 'math',
  question: ['problem', 'question'],
  answer: ['answer'],
  solution: 'solution',
  marks: ['idx', 'solution'],
});
