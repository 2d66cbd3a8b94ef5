import { plainAdapter } from './shapes.js';

/** GSM-Hard: {input, code, target}; targets are floats */
export const gsmHard = plainAdapter({
  name: 'gsm-hard',
  aliases: [],
  description: 'GSM-Hard: {input, code, target}; targets are floats',
  licence: 'MIT',
  domain: 'math',
  question: ['input'],
  answer: ['target'],
  marks: ['code', 'target'],
  // Targets are quotients printed with all their digits.
  tolerance: 1e-4,
});
