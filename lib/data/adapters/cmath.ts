import { plainAdapter } from './shapes.js';

/** CMATH: {question, answer, grade, reasoning_step} */
export const cmath = plainAdapter({
  name: 'cmath',
  aliases: [],
  description: 'CMATH: {question, answer, grade, reasoning_step}',
  licence: 'CC-BY-4.0',
  domain: 'math',
  question: ['question'],
  answer: ['answer', 'golden'],
  marks: ['grade', 'reasoning_step'],
});
