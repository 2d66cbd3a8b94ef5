import { asObject, optionalText, requireText, requireTexts } from '../fields.js';
import { goldOption, labelled } from '../options.js';
import { defineAdapter } from './adapter.js';
import { hasFields } from './shapes.js';

/** SuperGPQA: gold as letter and text, which must agree. */
export const superGpqa = defineAdapter({
  name: 'supergpqa',
  aliases: ['super-gpqa'],
  description: 'SuperGPQA: {question, options[], answer, answer_letter, discipline}; from its documented fields',
  licence: 'ODC-BY-1.0',
  domain: 'general',
  recognises: (row) => hasFields(row, 'question', 'options', 'answer_letter'),
  read(row) {
    const fields = asObject(row);
    const options = labelled(requireTexts(fields, 'options'));
    const text = optionalText(fields, 'answer');
    const label = requireText(fields, 'answer_letter');
    return {
      question: requireText(fields, 'question'),
      options,
      answer: goldOption(options, { label, ...(text === undefined ? {} : { text }) }),
      subject: optionalText(fields, 'discipline'),
    };
  },
});
