import { asObject, isRowObject, optionalText, requireText, type RowObject, scalarText } from '../fields.js';
import { goldOption, optionsFromMap } from '../options.js';
import { defineAdapter } from './adapter.js';
import { hasFields } from './shapes.js';

/** MedQA (USMLE): options as a mapping, gold as letter and text, which must agree. */
export const medqa = defineAdapter({
  name: 'medqa',
  aliases: ['medqa-usmle', 'usmle'],
  description: 'MedQA: {question, options: {A: …}, answer, answer_idx}',
  licence: 'MIT',
  domain: 'general',
  recognises: (row) => hasFields(row, 'question', 'options', 'answer_idx') && optionMap(row['options']) !== undefined,
  read(row) {
    const fields = asObject(row);
    const options = optionsFromMap(optionMap(fields['options']) ?? asObject(fields['options']));
    const text = optionalText(fields, 'answer');
    const label = requireText(fields, 'answer_idx');
    return {
      question: requireText(fields, 'question'),
      options,
      answer: goldOption(options, { label, ...(text === undefined ? {} : { text }) }),
      subject: optionalText(fields, 'meta_info'),
    };
  },
});

/** `{A: …}`, also as `[{key: 'A', value: …}]`, as the copy of bigbio has it. */
function optionMap(options: unknown): RowObject | undefined {
  if (!Array.isArray(options)) return isRowObject(options) ? options : undefined;
  const pairs = options.filter((option) => hasFields(option, 'key', 'value'));
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs.map(({ key, value }) => [scalarText(key), value]));
}
