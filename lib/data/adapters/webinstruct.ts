import { typedAnswer } from '../answer.js';
import { asObject, optionalText, requireScalar, requireText } from '../fields.js';
import { defineAdapter } from './adapter.js';
import { questionWithGold } from './promptRows.js';
import { hasFields, refusePictures } from './shapes.js';

/** Answer types whose golds are formulas. */
const FORMULA = /^(?:expression|matrix|fraction|list)$/i;

/**
 * WebInstruct-verified: `answer_type` says how the gold is written; options of a choice stand in the question. Humanity's
 * Last Exam has the same fields, with pictures. From documented fields.
 */
export const webinstruct = defineAdapter({
  name: 'webinstruct-verified',
  aliases: ['webinstruct'],
  description: 'WebInstruct-verified: {question, answer, answer_type, category}; unverified',
  licence: 'Apache-2.0',
  domain: 'general',
  recognises: (row) => hasFields(row, 'question', 'answer', 'answer_type', 'category'),
  read(row) {
    const fields = asObject(row);
    refusePictures(fields, 'image');
    const subject = optionalText(fields, 'category');
    const domain = /^math/i.test(subject ?? '') ? 'math' : 'general';
    const question = requireText(fields, 'question');
    const gold = requireScalar(fields, 'answer');
    if (FORMULA.test(optionalText(fields, 'answer_type') ?? '')) {
      return { question, answer: typedAnswer(gold, 'math'), domain, subject };
    }
    return { ...questionWithGold(question, gold, domain), domain, subject };
  },
});
