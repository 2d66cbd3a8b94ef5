import { plainAdapter } from './shapes.js';

/** CARP in English: {content, answer, steps, exprs} */
export const carpEn = plainAdapter({
  name: 'carp-en',
  aliases: ['carp'],
  description: 'CARP in English: {content, answer, steps, exprs}',
  licence: 'MIT',
  domain: 'math',
  question: ['content'],
  answer: ['answer'],
  marks: ['content', 'steps'],
});
