import { defineAdapter } from './adapter.js';
import { isRollRow, readRoll } from './roll.js';

/** Multi-subject RLVR in ROLL's layout: short free-form golds in many subjects. */
export const multiSubjectRlvr = defineAdapter({
  name: 'multi-subject-rlvr',
  description: 'Multi-subject RLVR: ROLL rows with tag RLVR, question in the user message',
  licence: 'Apache-2.0',
  domain: 'general',
  recognises: (row) => isRollRow(row) && /rlvr/i.test(String(row['tag'])),
  read: (row) => readRoll(row, 'general'),
});
