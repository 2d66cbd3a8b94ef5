import { invalidType } from '../errors.js';
import type { Answer, Option, Question } from '../data/question.js';
import { normaliseText, stripDelimiters, unwrapLatexText } from './answers/text.js';
import { parseNumber } from './answers/number.js';
import { readChoice } from './extraction/choice.js';
import { boxRun, findBoxes } from './extraction/boxed.js';
import { boxedAnswer } from './extraction/extract.js';
import { prepareGold, type PreparedGold } from './equivalence/value.js';
import type { Reason } from './verdict.js';

/** A gold answer as callers write it: bare, as alternatives, or our typed record. */
export type Gold = string | number | boolean | Answer | readonly (string | number | boolean)[];

/** What `verify` compares with: a question, or a gold answer alone. */
export type VerifyQuestion = Pick<Question, 'form' | 'options' | 'answer'> | Gold;

/** The gold answer made ready: accepted forms, their type, the options to choose from; or why it cannot be scored. */
export type Target =
  | {
      readonly kind: 'option';
      readonly labels: readonly string[];
      readonly options: readonly Option[];
      /** All labels must be chosen (a multiple-response question), not one of them. */
      readonly every: boolean;
    }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | {
      readonly kind: 'value';
      readonly golds: readonly PreparedGold[];
      readonly type: Answer['type'] | 'any';
      readonly tolerance?: number;
    }
  | { readonly kind: 'unscorable'; readonly reason: Reason };

const unscorable = (reason: Reason): Target => ({ kind: 'unscorable', reason });

/** Reads a question's gold answer once. Throws CrossThinkError where it is of no accepted type. */
export function readTarget(question: VerifyQuestion): Target {
  if (typeof question === 'object' && 'answer' in question) {
    return fromParts(question.answer, question.options ?? [], question.form);
  }
  return fromParts(question, []);
}

/** As `readTarget`, from a gold in any form and the options it refers to. */
export function fromParts(gold: Gold, options: readonly Option[], form?: Question['form']): Target {
  const answer = toAnswer(gold);
  const golds = [answer.value, ...(answer.alternatives ?? [])].map(cleanGold).filter((text) => text !== '');
  if (golds.length === 0) return unscorable('unscorable_gold_empty');
  const type = answer.type;
  const { unit, tolerance } = answer;
  if (options.length > 0 && (form !== 'open-ended' || type === 'option')) return optionTarget(golds, options);
  const lettered = type === 'text' || form === 'open-ended' ? null : letteredGold(golds, form);
  if (lettered !== null) return { kind: 'option', labels: [lettered.label], options: [lettered], every: false };
  if (type === 'option' || (type === 'any' && form !== 'open-ended' && golds.every(isLetter))) {
    const labels = golds.flatMap((text) => {
      const choice = readChoice(text, []);
      return choice.kind === 'option' ? choice.labels : [];
    });
    return labels.length === 0
      ? unscorable('unscorable_gold_not_an_option')
      : { kind: 'option', labels, options: [], every: false };
  }
  const truth = readBoolean(golds[0] ?? '');
  if (type === 'boolean' && truth === null) return unscorable('unscorable_gold_unparsable');
  if ((type === 'boolean' || (type === 'any' && golds.length === 1)) && truth !== null)
    return { kind: 'boolean', value: truth };
  if (
    (type === 'integer' || type === 'decimal' || type === 'fraction') &&
    golds.every((text) => parseNumber(text) === null)
  ) {
    return unscorable('unscorable_gold_unparsable');
  }
  return {
    kind: 'value',
    golds: golds.map((text) => prepareGold(unit === undefined || text.includes(unit) ? text : `${text} ${unit}`)),
    type,
    ...(tolerance === undefined ? {} : { tolerance }),
  };
}

type Untyped = Omit<Answer, 'type'> & { readonly type: Answer['type'] | 'any' };

function toAnswer(gold: Gold): Untyped {
  if (Array.isArray(gold)) {
    const values = (gold as readonly unknown[]).map((value) => scalar(value, 'gold[]'));
    return { type: 'any', value: values[0] ?? '', alternatives: values.slice(1) };
  }
  if (typeof gold === 'object' && 'value' in gold) return gold;
  return { type: 'any', value: scalar(gold, 'gold') };
}

function scalar(value: unknown, field: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return String(value);
  if (typeof value === 'number') return '';
  throw invalidType(field, 'a string, number, boolean, array of these, or an Answer { type, value }', value);
}

/** The answer part of a gold that is a whole solution: after `####`, or in its last boxes. */
function cleanGold(gold: string): string {
  const hash = gold.lastIndexOf('####');
  if (hash >= 0) return gold.slice(hash + 4).trim();
  const run = boxRun(gold, findBoxes(gold));
  if (run.length === 0)
    return gold.trim().replace(/^(?:the\s+)?(?:final\s+)?(?:answer|solution)s?\s*(?:is|are)?\s*:\s*(?=\S)/i, '');
  return run.map((box) => boxedAnswer(gold, box)).join(', ');
}

/** A gold that carries its option's text with the letter, the options themselves being unknown: `F: Kantian ethics`, `(D) Alina`. */
function letteredGold(golds: readonly string[], form?: Question['form']): Option | null {
  const [only] = golds;
  if (golds.length !== 1 || only === undefined) return null;
  const match =
    /^(?:\(([A-Z])\)\s*|([A-Z])\s?[:)]\s+)(\S[^]*)$/.exec(only) ??
    (form === 'multiple-choice' ? /^([A-Z])()\.\s+(\S[^]*)$/.exec(only) : null);
  const text = match?.[3];
  if (text === undefined || /^[\d(=]/.test(text)) return null;
  return { label: match?.[1] ?? match?.[2] ?? '', text };
}

function isLetter(text: string): boolean {
  return /^\(?[A-Z]\)?\.?$/.test(stripDelimiters(unwrapLatexText(text)));
}

/** `yes`, `no`, `true`, `false` as a whole answer; null otherwise. */
export function readBoolean(text: string): boolean | null {
  const word = normaliseText(text);
  if (word === 'yes' || word === 'true' || word === 'correct') return true;
  if (word === 'no' || word === 'false' || word === 'incorrect') return false;
  return null;
}

function optionTarget(golds: readonly string[], options: readonly Option[]): Target {
  const labels = new Set<string>();
  const several = golds.length === 1 ? severalLabels(golds[0] ?? '', options) : null;
  if (several !== null && !options.some(({ text }) => normaliseText(text) === normaliseText(golds[0] ?? ''))) {
    return { kind: 'option', labels: several, options, every: true };
  }
  for (const gold of golds) {
    const label = goldLabel(gold, options);
    if (typeof label !== 'string') return unscorable(label.fault);
    labels.add(label);
  }
  return { kind: 'option', labels: [...labels], options, every: false };
}

/** `AC`, `A, C`, `A and C`: the labels of a gold that names several options; null where it does not. */
function severalLabels(gold: string, options: readonly Option[]): readonly string[] | null {
  const text = stripDelimiters(unwrapLatexText(gold));
  if (!/^[A-Z](?:(?:\s*(?:,|;|&|and)\s*|\s*)[A-Z])+$/.test(text)) return null;
  const labels = (text.replace(/and/g, '').match(/[A-Z]/g) ?? []).map(
    (letter) => options.find(({ label }) => label === letter)?.label,
  );
  return labels.every((label) => label !== undefined) && new Set(labels).size === labels.length ? labels : null;
}

/** The option a gold names: by label, by text, or by both, which must then agree. */
function goldLabel(gold: string, options: readonly Option[]): string | { readonly fault: Reason } {
  const text = stripDelimiters(unwrapLatexText(gold));
  const bare = /^\(?\s*(\w{1,2})\s*\)?[.:]?$/.exec(text)?.[1]?.toUpperCase();
  const byLabel = options.find(({ label }) => label.toUpperCase() === bare);
  if (byLabel !== undefined) return byLabel.label;
  const sameText = (wanted: string): readonly Option[] =>
    options.filter((option) => normaliseText(option.text) === normaliseText(wanted));
  const byText = sameText(text);
  if (byText.length > 1) return { fault: 'unscorable_gold_ambiguous' };
  if (byText[0] !== undefined) return byText[0].label;
  const both = /^\(?(\w{1,2})\)?\s*[.:)]\s*([^]+)$/.exec(text);
  const named = options.find(({ label }) => label.toUpperCase() === both?.[1]?.toUpperCase());
  if (both?.[2] === undefined || named === undefined) return { fault: 'unscorable_gold_not_an_option' };
  return sameText(both[2]).includes(named) ? named.label : { fault: 'unscorable_gold_label_text_disagree' };
}
