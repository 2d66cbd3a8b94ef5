import { plainAdapter } from './shapes.js';

/** MATH-500: {problem, answer, subject, level, unique_id} */
export const math500 = plainAdapter({
  name: 'math500',
  aliases: ['math-500', 'math_500'],
  description: 'MATH-500: {problem, answer, subject, level, unique_id}',
  licence: 'MIT',
  domain: 'math',
  question: ['problem'],
  answer: ['answer'],
  subject: 'subject',
  marks: ['unique_id', 'subject', 'solution'],
});
