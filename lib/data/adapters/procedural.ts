import { RowProblem } from '../ledger.js';
import { FAMILIES, LABELS } from '../procedural/generate.js';
import { proceduralRowSchema } from '../procedural/row.js';
import { defineAdapter } from './adapter.js';

const domains = new Map(FAMILIES.map(({ name, domain }) => [name, domain]));

/** Rows of the embedded question families (lib/data/procedural). */
export const procedural = defineAdapter({
  name: 'procedural',
  description: 'embedded questions: {family, question, options?, answer, type, steps}',
  licence: 'Apache-2.0',
  domain: 'general',
  recognises: (row) => proceduralRowSchema.safeParse(row).success,
  read(row) {
    const parsed = proceduralRowSchema.safeParse(row);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new RowProblem('missing-field', `${issue?.path.join('.') ?? 'row'}: ${issue?.message ?? 'not such a row'}`);
    }
    const { family, question, options, answer, type } = parsed.data;
    const domain = domains.get(family);
    return {
      question,
      ...(options === undefined ? {} : { options: options.map((text, i) => ({ label: LABELS[i] ?? '?', text })) }),
      answer: { type, value: answer },
      subject: family,
      ...(domain === undefined ? {} : { domain }),
    };
  },
});
