import { truthOr } from '../answer.js';
import { asObject, requireText } from '../fields.js';
import { stripInstructions } from '../instructions.js';
import { goldOption, labelled } from '../options.js';
import { defineAdapter } from './adapter.js';
import { hasFields } from './shapes.js';

const OPTION = /\b(?:answer|solution|ending|option)(\d+)\s*:\s*/gi;

/** LLM-Adapters' instruction rows (OpenBookQA, ARC, PIQA, BoolQ, …): options as `Answer1: … Answer2: …` in the text. */
export const llmAdapters = defineAdapter({
  name: 'llm-adapters-instruct',
  aliases: ['llm-adapters'],
  description: 'LLM-Adapters: {instruction (with "Answer1: …"), input, output, answer: "answer1"}',
  licence: 'Apache-2.0',
  domain: 'general',
  recognises: (row) => hasFields(row, 'instruction', 'input', 'output', 'answer'),
  read(row) {
    const fields = asObject(row);
    const text = stripInstructions(requireText(fields, 'instruction'));
    const gold = requireText(fields, 'answer').trim();
    const marks = [...text.matchAll(OPTION)];
    const number = /^(?:answer|solution|ending|option)(\d+)$/i.exec(gold)?.[1];
    const first = marks[0];
    if (number === undefined || first === undefined) return { question: text, answer: truthOr(gold, 'general') };
    const texts = marks.map((mark, i) => text.slice(mark.index + mark[0].length, marks[i + 1]?.index));
    const options = labelled(texts);
    return {
      question: text.slice(0, first.index).trim(),
      options,
      answer: goldOption(options, { index: Number(number) - 1 }),
    };
  },
});
