import { plainAdapter } from './shapes.js';

/** WebInstruct-verified: {question, answer, answer_type, category}; unverified */
export const webinstruct = plainAdapter({
  name: 'webinstruct-verified',
  aliases: ['webinstruct'],
  description: 'WebInstruct-verified: {question, answer, answer_type, category}; unverified',
  licence: 'Apache-2.0',
  domain: 'general',
  question: ['question'],
  answer: ['answer'],
  subject: 'category',
  marks: ['answer_type', 'category'],
});
