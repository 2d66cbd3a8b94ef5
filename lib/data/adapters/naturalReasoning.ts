import { plainAdapter } from './shapes.js';

/** Natural Reasoning: {question, reference_answer, responses}; unverified */
export const naturalReasoning = plainAdapter({
  name: 'natural-reasoning',
  aliases: ['naturalreasoning', 'facebook-natural-reasoning'],
  description: 'Natural Reasoning: {question, reference_answer, responses}; unverified',
  licence: 'CC-BY-NC-4.0',
  domain: 'general',
  question: ['question'],
  answer: ['reference_answer'],
  marks: ['reference_answer', 'responses'],
});
