import { asObject, optionalText, requireScalar, requireText } from '../fields.js';
import { goldOption, labelled } from '../options.js';
import { defineAdapter } from './adapter.js';
import { hasFields } from './shapes.js';

/** MedMCQA: the gold `cop` counts from 1 in the authors' JSON, from 0 in the Parquet copy on the Hugging Face hub. */
export const medmcqa = defineAdapter({
  name: 'medmcqa',
  description: 'MedMCQA: {question, opa, opb, opc, opd, cop, subject_name}',
  licence: 'MIT',
  domain: 'general',
  recognises: (row) => hasFields(row, 'question', 'opa', 'opb', 'cop'),
  read(row, { file }) {
    const fields = asObject(row);
    const options = labelled(['opa', 'opb', 'opc', 'opd'].map((name) => requireScalar(fields, name)));
    const base = /\.parquet$/i.test(file) ? 0 : 1;
    return {
      question: requireText(fields, 'question'),
      options,
      answer: goldOption(options, { index: Number(requireScalar(fields, 'cop')) - base }),
      subject: optionalText(fields, 'subject_name'),
    };
  },
});
