import { asObject, optionalText, requireScalar, requireText } from '../fields.js';
import { RowProblem } from '../ledger.js';
import { goldOption, labelled } from '../options.js';
import { defineAdapter, type ParsedRow } from './adapter.js';
import { hasFields } from './shapes.js';

/** A row of MedMCQA whose gold `cop` counts from `base`. */
function readMedmcqa(row: unknown, base: number): ParsedRow {
  const fields = asObject(row);
  const gold = Number(requireScalar(fields, 'cop'));
  if (gold === -1) throw new RowProblem('empty-answer', 'cop is -1: the row has no gold answer');
  const options = labelled(['opa', 'opb', 'opc', 'opd'].map((name) => requireScalar(fields, name)));
  return {
    question: requireText(fields, 'question'),
    options,
    answer: goldOption(options, { index: gold - base }),
    subject: optionalText(fields, 'subject_name'),
  };
}

/** MedMCQA as its authors wrote it: the gold `cop` counts from 1. */
export const medmcqa = defineAdapter({
  name: 'medmcqa',
  description: 'MedMCQA: {question, opa, opb, opc, opd, cop, subject_name}, cop from 1 (in Parquet from 0)',
  licence: 'MIT',
  domain: 'general',
  recognises: (row) => hasFields(row, 'question', 'opa', 'opb', 'cop'),
  read: (row, { file }) => readMedmcqa(row, PARQUET.test(file) ? 0 : 1),
});

const PARQUET = /\.parquet$/i;

/** MedMCQA as on the Hugging Face hub, where `cop` counts from 0: told by a first row whose gold is 0 or missing (-1). */
export const medmcqaHub = defineAdapter({
  name: 'medmcqa-hub',
  source: 'medmcqa',
  description: 'MedMCQA of the Hugging Face hub: as medmcqa, cop from 0',
  licence: 'MIT',
  domain: 'general',
  recognises: (row) =>
    hasFields(row, 'question', 'opa', 'opb', 'cop') && [0, -1].includes(Number(row['cop'])) && row['cop'] !== '',
  read: (row) => readMedmcqa(row, 0),
});
