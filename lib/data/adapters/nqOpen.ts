import { answerWithAliases } from '../answer.js';
import { asObject, isRowObject, requireText, requireTexts } from '../fields.js';
import { defineAdapter } from './adapter.js';

/** Natural Questions, open: short answers, each row with the list of those that count. */
export const nqOpen = defineAdapter({
  name: 'nq-open',
  aliases: ['nq', 'natural-questions'],
  description: 'NQ-open: {question, answer: [aliases]}',
  licence: 'CC-BY-SA-3.0',
  domain: 'general',
  // Lone letters are golds of multiple choice.
  recognises: (row) =>
    isRowObject(row) &&
    typeof row['question'] === 'string' &&
    Array.isArray(row['answer']) &&
    !row['answer'].every((gold) => /^[A-Z]$/.test(String(gold))),
  read(row) {
    const fields = asObject(row);
    return {
      question: requireText(fields, 'question'),
      answer: answerWithAliases(requireTexts(fields, 'answer'), 'general'),
    };
  },
});
