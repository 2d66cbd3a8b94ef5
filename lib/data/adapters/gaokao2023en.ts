import { plainAdapter } from './shapes.js';

/** Gaokao 2023 in English: {source, question, lang, answer} */
export const gaokao2023en = plainAdapter({
  name: 'gaokao2023en',
  aliases: ['gaokao2023'],
  description: 'Gaokao 2023 in English: {source, question, lang, answer}',
  licence: 'see source',
  domain: 'math',
  question: ['question'],
  answer: ['answer'],
  marks: ['lang', 'source'],
});
