import { asObject, isRowObject, optionalText, requireScalar, requireText, type RowObject, textOf } from '../fields.js';
import { describe } from '../../errors.js';
import { RowProblem } from '../ledger.js';
import { goldOption } from '../options.js';
import type { Option } from '../question.js';
import { defineAdapter } from './adapter.js';
import { readInlineChoices } from './shapes.js';

/**
 * CommonsenseQA and ARC in the AI2 layout: `{question: {stem, choices: [{label, text}]}, answerKey}`, and their Hugging
 * Face rows, where `question` is the text and `choices` a pair of columns. ARC labels some options 1 to 4; they are shown
 * as A to D.
 */
export const commonsenseqa = defineAdapter({
  name: 'commonsenseqa',
  aliases: ['commonsense-qa', 'arc', 'ai2-arc', 'arc-challenge', 'arc-easy', 'openbookqa'],
  description: 'CommonsenseQA, ARC, OpenBookQA: {question: {stem, choices}, answerKey} or Hugging Face rows',
  licence: 'MIT',
  domain: 'general',
  recognises: (row) => isRowObject(row) && 'answerKey' in row && ('question' in row || 'question_stem' in row),
  read(row) {
    const fields = asObject(row);
    const inner = isRowObject(fields['question']) ? fields['question'] : fields;
    const key = requireScalar(fields, 'answerKey').trim();
    // AI2's CSV has the options in the question.
    const inline = 'choices' in inner ? undefined : readInlineChoices(requireText(inner, 'question'), key);
    if (inline !== undefined) return inline;
    const given = choicesOf(inner);
    const position = given.findIndex(({ label }) => label === key);
    const options = given.map(({ text }, i) => ({ label: String.fromCharCode(65 + i), text }));
    if (position < 0) throw new RowProblem('gold-not-an-option', `gold ${key || '(empty)'} is none of the labels`);
    return {
      question: requireText(inner, 'stem', 'question', 'question_stem'),
      options,
      answer: goldOption(options, { index: position }),
      subject: optionalText(inner, 'question_concept'),
    };
  },
});

function choicesOf(row: RowObject): Option[] {
  const choices = row['choices'];
  if (Array.isArray(choices)) {
    return choices.map((choice: unknown) => {
      const { label, text } = asObject(choice);
      return { label: textOf(label, 'label'), text: textOf(text, 'text').trim() };
    });
  }
  if (isRowObject(choices) && Array.isArray(choices['label']) && Array.isArray(choices['text'])) {
    const texts = choices['text'] as readonly unknown[];
    return choices['label'].map((label: unknown, i) => ({
      label: textOf(label, 'label'),
      text: textOf(texts[i], 'text').trim(),
    }));
  }
  throw new RowProblem('wrong-type', `choices must be a list or columns label and text; received ${describe(choices)}`);
}
