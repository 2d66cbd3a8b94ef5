import { plainAdapter } from './shapes.js';

/** AMC 2023: {id, problem, answer (float), url} */
export const amc23 = plainAdapter({
  name: 'amc23',
  aliases: ['amc', 'amc2023'],
  description: 'AMC 2023: {id, problem, answer (float), url}',
  licence: 'MAA, texts not free',
  domain: 'math',
  question: ['problem', 'question'],
  answer: ['answer'],
  marks: ['url', 'problem'],
});
