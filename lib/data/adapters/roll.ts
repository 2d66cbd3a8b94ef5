import { asObject, optionalText, requireScalar, requireText, type RowObject } from '../fields.js';
import { RowProblem } from '../ledger.js';
import type { Domain } from '../question.js';
import { defineAdapter, type ParsedRow } from './adapter.js';
import { lastUserText } from './messages.js';
import { domainOf, goldText, questionWithGold } from './promptRows.js';
import { hasFields } from './shapes.js';

/** Whether a row has the fields of alibaba/ROLL's training files. */
export function isRollRow(row: unknown): row is RowObject {
  return hasFields(row, 'prompt', 'messages', 'ground_truth', 'tag');
}

/** A ROLL row: the question is the user's last message; `prompt` may hold the system's text instead. */
export function readRoll(row: unknown, domain?: Domain): ParsedRow {
  const fields = asObject(row);
  const text = lastUserText(fields['messages']) ?? lastUserText(requireText(fields, 'prompt'));
  if (text === undefined)
    throw new RowProblem('missing-field', 'neither messages nor prompt hold a message of the user');
  const side = domain ?? domainOf(fields, 'general', 'tag', 'source');
  return { ...questionWithGold(text, goldText(requireScalar(fields, 'ground_truth')), side), domain: side };
}

/** Any other file in ROLL's layout. */
export const roll = defineAdapter({
  name: 'roll',
  description: 'alibaba/ROLL rows: {prompt, messages (JSON text), ground_truth, tag}',
  licence: 'see source',
  domain: 'general',
  recognises: isRollRow,
  read: (row) => ({ ...readRoll(row), subject: optionalText(asObject(row), 'tag') }),
});
