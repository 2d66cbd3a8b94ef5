import { defineAdapter } from './adapter.js';
import { hasFields, readChoices } from './shapes.js';

/** MMLU STEM as math evaluation suites ship it: choices and a 0-based index, the subject under `type`. */
export const mmluStem = defineAdapter({
  name: 'mmlu-stem',
  description: 'MMLU STEM: {question, type, choices[], answer: index}',
  licence: 'MIT',
  domain: 'general',
  recognises: (row) => hasFields(row, 'question', 'choices', 'answer', 'type'),
  read: (row) => readChoices(row, { question: 'question', options: 'choices', gold: 'answer', subject: 'type' }),
});
