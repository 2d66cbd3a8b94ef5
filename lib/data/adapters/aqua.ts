import { defineAdapter } from './adapter.js';
import { hasFields, readChoices } from './shapes.js';

/** AQuA-RAT: options as `A)text`, gold as a letter. */
export const aqua = defineAdapter({
  name: 'aqua',
  aliases: ['aqua-rat', 'aqua_rat'],
  description: 'AQuA-RAT: {question, options: ["A)…"], rationale, correct}',
  licence: 'Apache-2.0',
  domain: 'math',
  recognises: (row) => hasFields(row, 'question', 'options', 'correct'),
  read: (row) => readChoices(row, { question: 'question', options: 'options', gold: 'correct' }),
});
