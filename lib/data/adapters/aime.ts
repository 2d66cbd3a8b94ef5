import { plainAdapter } from './shapes.js';

/** AIME: {id, problem, solution, answer, url}, answers from 0 to 999 */
export const aime = plainAdapter({
  name: 'aime',
  aliases: ['aime24', 'aime25', 'aime2024', 'aime2025'],
  description: 'AIME: {id, problem, solution, answer, url}, answers from 0 to 999',
  licence: 'MAA, texts not free',
  domain: 'math',
  question: ['problem', 'question'],
  answer: ['answer'],
  marks: ['url', 'solution', 'problem'],
});
