import { basename, dirname } from 'node:path';
import { truthOr } from '../answer.js';
import { asObject, isRowObject, requireText, scalarText } from '../fields.js';
import { defineAdapter, type RowContext } from './adapter.js';

/** Columns that are bookkeeping or give the answer away. */
const NOT_SHOWN = /^(?:index|answer|slice|year|id|idx|split|.+_(?:is|are)_.+|.+_met|document_name|source)$/i;

/**
 * LegalBench: one TSV per task, whose columns differ; the answer is under `answer`. The tasks' instructions are not in
 * the files: the question says the task's name and shows the columns by name, the asking one last.
 */
export const legalbench = defineAdapter({
  name: 'legalbench',
  description: 'LegalBench: TSV of {index, answer, text | question | contract | …}',
  licence: 'per task, mostly CC-BY-4.0',
  domain: 'general',
  recognises: (row, { file }) =>
    isRowObject(row) &&
    'answer' in row &&
    ('index' in row || 'idx' in row) &&
    (/\.tsv|legalbench/i.test(file) || (Object.keys(row).length === 3 && 'text' in row)),
  read(row, context) {
    const fields = asObject(row);
    const gold = requireText(fields, 'answer').trim();
    const shown = Object.keys(fields).filter((name) => !NOT_SHOWN.test(name) && scalarText(fields[name]).trim() !== '');
    const ordered = [...shown].sort((a, b) => Number(a === 'question') - Number(b === 'question'));
    const texts = ordered.map((name) => {
      const text = scalarText(fields[name]).trim();
      return ordered.length === 1 || name === 'question' ? text : `${capital(name)}: ${text}`;
    });
    const task = taskOf(context);
    const asks = texts.some((text) => text.endsWith('?'));
    const kind = /^(?:yes|no)$/i.test(gold) ? '\nAnswer yes or no.' : '';
    const lead = asks ? '' : `Legal task: ${task.replaceAll('_', ' ')}.\n`;
    return { question: `${lead}${texts.join('\n')}${kind}`, answer: truthOr(gold, 'general'), subject: task };
  },
});

function taskOf({ file }: RowContext): string {
  const name = basename(file);
  // The copy on the Hugging Face hub: a folder a task.
  return (/^(?:train|test)\b/.test(name) ? basename(dirname(file)) : name)
    .replace(/\.[a-z].*$/i, '')
    .replace(/_(?:train|test)$/i, '');
}

function capital(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
