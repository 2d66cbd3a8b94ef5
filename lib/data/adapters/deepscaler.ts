import { plainAdapter } from './shapes.js';

/** DeepScaleR rows: {problem, answer, difficulty | aime_number} */
export const deepscaler = plainAdapter({
  name: 'deepscaler',
  aliases: ['deepscaler_format'],
  description: 'DeepScaleR rows: {problem, answer, difficulty | aime_number}',
  licence: 'MIT',
  domain: 'math',
  question: ['problem'],
  answer: ['answer'],
  subject: 'type',
  marks: ['difficulty', 'problem'],
});
