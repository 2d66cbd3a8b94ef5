import { RowProblem } from '../ledger.js';
import { asObject, isRowObject, requireText } from '../fields.js';
import { goldOption, splitLabelledGold, splitOptionLines } from '../options.js';
import { defineAdapter } from './adapter.js';

/** ROLL's instruction before every question; its wording may change, `\boxed{}` and the line end do not. */
const INSTRUCTION = /^(?:answer|solve|please)\b[^\n]*\\boxed\{\s*\}[^\n]*\n/i;

/**
 * Nemotron-CrossThink QA as alibaba/ROLL re-wrapped it: one prompt of instruction, question and options (`X: …` or
 * `X. …`), gold as `X: text`. In the `X.` rows the gold letter is often random beside a right text (paper.md,
 * section 7), so letter and text must agree, or the row is dropped.
 */
export const nemotronCrossthinkRoll = defineAdapter({
  name: 'nemotron-crossthink-roll',
  aliases: ['nemotron-crossthink', 'crossthinkqa', 'crossthink-qa', 'nemotron-crossthink-qa'],
  source: 'nemotron-crossthink-qa',
  description: 'Nemotron-CrossThink QA re-wrapped by alibaba/ROLL: {prompt, ground_truth, tag: crossthinkqa}',
  licence: 'CC-BY-4.0',
  domain: 'general',
  recognises(row) {
    if (!isRowObject(row) || typeof row['prompt'] !== 'string' || typeof row['ground_truth'] !== 'string') return false;
    return /cross-?think/i.test(`${String(row['tag'])} ${String(row['source'])}`);
  },
  read(row) {
    const fields = asObject(row);
    const prompt = requireText(fields, 'prompt').replace(INSTRUCTION, '');
    const split = splitOptionLines(prompt);
    if (split === undefined)
      throw new RowProblem('too-few-options', 'the prompt lists no options as lines A: … or A. …');
    const groundTruth = requireText(fields, 'ground_truth');
    const gold = splitLabelledGold(groundTruth) ?? { text: groundTruth };
    return { question: split.question, options: split.options, answer: goldOption(split.options, gold) };
  },
});
