import { truthOr } from '../answer.js';
import { asObject, isRowObject, requireText, requireTexts } from '../fields.js';
import { defineAdapter } from './adapter.js';
import { hasFields } from './shapes.js';

/** PubMedQA: a question about an abstract, answered yes, no or maybe; the authors' JSON and Hugging Face rows. */
export const pubmedqa = defineAdapter({
  name: 'pubmedqa',
  aliases: ['pubmed-qa'],
  description: 'PubMedQA: {<pmid>: {QUESTION, CONTEXTS[], final_decision}}',
  licence: 'MIT',
  domain: 'general',
  recognises: (row) => hasFields(row, 'final_decision') && ('QUESTION' in row || 'question' in row),
  read(row) {
    const fields = asObject(row);
    const context = isRowObject(fields['context']) ? fields['context'] : fields;
    const contexts = requireTexts(context, 'CONTEXTS' in context ? 'CONTEXTS' : 'contexts');
    const question = requireText(fields, 'QUESTION', 'question');
    return {
      question: `${contexts.join('\n\n')}\n\n${question}\nAnswer yes, no or maybe.`,
      answer: truthOr(requireText(fields, 'final_decision'), 'general'),
    };
  },
});
