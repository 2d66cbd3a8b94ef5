import { basename } from 'node:path';
import { truthOr } from '../answer.js';
import { asObject, requireScalar, requireText } from '../fields.js';
import { RowProblem } from '../ledger.js';
import { comparableText, goldOption, labelled, splitOptionLines } from '../options.js';
import { defineAdapter, type ParsedRow } from './adapter.js';
import { goldChoice, hasFields } from './shapes.js';

const DASH_OPTIONS = /\n\s*Options:\s*\n((?:\s*- [^\n]*\n?)+)\s*$/;

/**
 * BIG-Bench Hard: options stand in the input as `(A) …` lines or, for words such as valid/invalid, as `- …` lines; yes/no
 * and True/False tasks become truth values, the others short answers. Word lists are sorted texts of many words.
 */
export const bbh = defineAdapter({
  name: 'bbh',
  aliases: ['big-bench-hard', 'bigbench-hard'],
  description: 'BIG-Bench Hard: {examples: [{input, target}]}, options inside the input',
  licence: 'MIT',
  domain: 'general',
  recognises: (row, { envelope, file }) =>
    hasFields(row, 'input', 'target') &&
    Object.keys(row).length <= 3 &&
    (envelope !== undefined || /bbh|big-?bench/i.test(file) || /\nOptions:\n|^Sort the f/.test(String(row['input']))),
  read(row, { file }) {
    const fields = asObject(row);
    const subject = basename(file).replace(/\.json.*$/, '');
    return { ...content(requireText(fields, 'input'), requireScalar(fields, 'target').trim()), subject };
  },
});

function content(input: string, target: string): ParsedRow {
  const dashes = DASH_OPTIONS.exec(input);
  if (dashes?.[1] !== undefined) {
    const texts = [...dashes[1].matchAll(/^\s*- ([^\n]*)$/gm)].map((match) => (match[1] ?? '').trim());
    const question = input.slice(0, dashes.index).trim();
    if (texts.every((text) => /^(?:yes|no|true|false)$/i.test(text))) {
      return { question: `${question}\nAnswer ${texts.join(' or ')}.`, answer: truthOr(target, 'general') };
    }
    const options = labelled(texts);
    return { question, options, answer: goldOption(options, { text: target }) };
  }
  if (/\n\s*Options:\s*\n/.test(input)) {
    const split = splitOptionLines(input);
    if (split === undefined) throw new RowProblem('too-few-options', 'the input lists fewer than two options');
    return { ...split, answer: goldOption(split.options, goldChoice(target)) };
  }
  const sorting = /^sort the following words alphabetically/i.test(input) && comparableText(target).includes(' ');
  if (!sorting) return { question: input, answer: truthOr(target, 'general') };
  // A list, not prose: shown with commas, the source's spelling is as good.
  const words = target.split(/\s+/);
  return { question: input, answer: { type: 'text', value: words.join(', '), alternatives: [words.join(' ')] } };
}
