import { defineAdapter } from './adapter.js';
import { isRollRow, readRoll } from './roll.js';
import { asObject, optionalText, requireScalar, requireText } from '../fields.js';
import { questionWithGold } from './promptRows.js';
import { hasFields } from './shapes.js';

/** DeepMath-103K: ROLL's rows, and the authors' (`question`, `final_answer`, `difficulty`, `topic`). */
export const deepmath = defineAdapter({
  name: 'deepmath',
  aliases: ['deepmath-103k'],
  description: 'DeepMath: ROLL rows with tag deepmath_103k, or {question, final_answer, difficulty, topic}',
  licence: 'MIT',
  domain: 'math',
  recognises: (row) =>
    (isRollRow(row) && /deepmath/i.test(String(row['tag']))) ||
    (hasFields(row, 'question', 'final_answer', 'difficulty') && !Array.isArray(row['final_answer'])),
  read(row) {
    if (isRollRow(row)) return readRoll(row, 'math');
    const fields = asObject(row);
    const parsed = questionWithGold(requireText(fields, 'question'), requireScalar(fields, 'final_answer'), 'math');
    return { ...parsed, subject: optionalText(fields, 'topic') };
  },
});
