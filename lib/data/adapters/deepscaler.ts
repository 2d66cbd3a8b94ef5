import { isRowObject } from '../fields.js';
import type { Adapter } from './adapter.js';
import { plainAdapter } from './shapes.js';

const rows = plainAdapter({
  name: 'deepscaler',
  aliases: ['deepscaler_format'],
  description: 'DeepScaleR rows: {problem, answer, difficulty | solution}',
  licence: 'MIT',
  domain: 'math',
  question: ['problem'],
  answer: ['answer'],
  subject: 'type',
  marks: ['problem'],
});

/** DeepScaleR rows: with a difficulty, or, as on the Hugging Face hub, with nothing but a solution beside the answer. */
export const deepscaler: Adapter = {
  ...rows,
  recognises: (row, context) =>
    rows.recognises(row, context) &&
    isRowObject(row) &&
    ('difficulty' in row || ('solution' in row && Object.keys(row).length === 3)),
};
