import { plainAdapter } from './shapes.js';

/** NeMo-Skills rows: {problem, expected_answer} */
export const nemoSkills = plainAdapter({
  name: 'nemo-skills',
  aliases: ['nemo_skills_format'],
  description: 'NeMo-Skills rows: {problem, expected_answer}',
  licence: 'see source',
  domain: 'math',
  question: ['problem'],
  answer: ['expected_answer'],
  subject: 'subset_for_metrics',
  marks: ['problem', 'expected_answer'],
});
