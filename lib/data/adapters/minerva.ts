import { plainAdapter } from './shapes.js';

/** Minerva Math: {problem, solution | type, answer, idx} */
export const minerva = plainAdapter({
  name: 'minerva',
  aliases: ['minerva_math'],
  description: 'Minerva Math: {problem, solution | type, answer, idx}',
  licence: 'see source',
  domain: 'math',
  question: ['problem', 'question'],
  answer: ['answer'],
  marks: ['idx', 'solution'],
});
