import { textOf } from './fields.js';
import { RowProblem } from './ledger.js';
import type { Answer, Option } from './question.js';

/** Label of the option at a 0-based position: `A` to `Z`. */
export function optionLabel(index: number): string {
  return String.fromCharCode(65 + index);
}

/** Options from texts in order, labelled `A`, `B`, …; fewer than two, or more than 26, drop the row. */
export function labelled(texts: readonly string[]): Option[] {
  if (texts.length < 2 || texts.length > 26) {
    throw new RowProblem('too-few-options', `expected 2 to 26 options; received ${texts.length}`);
  }
  return texts.map((text, i) => ({ label: optionLabel(i), text: text.trim() }));
}

/** Text as compared between gold and options: compatibility forms, case, spaces and a final period do not count. */
export function comparableText(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim().replace(/\.$/, '').trimEnd();
}

/** Gold of a multiple-choice row that gives a letter, an index from 0, a text, or letter and text together. */
export interface GoldChoice {
  readonly label?: string;
  readonly index?: number;
  readonly text?: string;
}

/**
 * The gold as an option label. Where the source gives letter *and* text, they must name the same option: a row whose
 * letter points elsewhere than its text is dropped as `label-text-disagree`, one whose gold is no option at all as
 * `gold-not-an-option`.
 */
export function goldOption(options: readonly Option[], gold: GoldChoice): Answer {
  const shown = options.map(({ label }) => label).join(', ');
  const wanted = gold.text === undefined ? undefined : comparableText(gold.text);
  const withText = wanted === undefined ? [] : options.filter(({ text }) => comparableText(text) === wanted);
  const label = gold.index === undefined ? gold.label?.trim().toUpperCase() : options[gold.index]?.label;
  const named = options.find((option) => option.label === label);

  if (gold.label !== undefined || gold.index !== undefined) {
    if (named === undefined) {
      const given = gold.label ?? `index ${gold.index ?? ''}`;
      throw new RowProblem('gold-not-an-option', `gold ${given} is none of the options ${shown}`);
    }
    if (wanted === undefined || withText.includes(named)) return { type: 'option', value: named.label };
    if (withText.length > 0) {
      const others = withText.map((option) => option.label).join(', ');
      throw new RowProblem('label-text-disagree', `gold letter is ${named.label} but its text is option ${others}`);
    }
    throw new RowProblem('gold-not-an-option', `the text of gold ${named.label} is none of the options' texts`);
  }
  const [only, second] = withText;
  if (only === undefined) throw new RowProblem('gold-not-an-option', 'the gold text is none of the options');
  if (second !== undefined) {
    throw new RowProblem('ambiguous-gold', `the gold text is options ${only.label} and ${second.label} alike`);
  }
  return { type: 'option', value: only.label };
}

/** `D: text`, `D. text`, `(D) text` or a lone `D`, as golds are often written; undefined for anything else. */
export function splitLabelledGold(gold: string): { label: string; text?: string } | undefined {
  const match = /^\(?([A-Z])(?:\)|[:.．、])\s*(\S[\s\S]*)?$/.exec(gold.trim());
  if (match?.[1] !== undefined)
    return match[2] === undefined ? { label: match[1] } : { label: match[1], text: match[2] };
  return /^[A-Z]$/.test(gold.trim()) ? { label: gold.trim() } : undefined;
}

/** A question whose options were part of its text, taken apart. */
export interface SplitQuestion {
  readonly question: string;
  readonly options: Option[];
}

const OPTION_LINE = /^\s*\(?([A-Z])\s*[:.)．、]\s*(.*)$/;

/**
 * Takes a text apart whose last part lists options, one a line, as `A: …`, `A. …`, `A) …` or `(A) …`. The *last* run of
 * labels from `A` upwards counts (a stem may list options of its own); lines in between continue an option. Undefined
 * where no run of at least two is found.
 */
export function splitOptionLines(text: string): SplitQuestion | undefined {
  const lines = text.split(/\r?\n/);
  const labels = lines.map((line) => OPTION_LINE.exec(line));
  for (let start = lines.length - 1; start >= 0; start--) {
    if (labels[start]?.[1] !== 'A') continue;
    const options: { label: string; text: string }[] = [];
    for (let i = start; i < lines.length; i++) {
      const match = labels[i];
      const current = options.at(-1);
      if (match?.[1] === optionLabel(options.length)) options.push({ label: match[1], text: match[2] ?? '' });
      else if (current !== undefined) current.text += `\n${lines[i] ?? ''}`;
    }
    if (options.length < 2) continue;
    return {
      question: withoutHeading(lines.slice(0, start).join('\n')),
      options: options.map((option) => ({ label: option.label, text: option.text.trim() })),
    };
  }
  return undefined;
}

/** The question without the words that announce its options. */
function withoutHeading(question: string): string {
  return question.replace(/\n\s*(?:answer )?(?:options|choices)(?: are)?\s*:\s*$/i, '').trim();
}

const INLINE_LABEL = (label: string): RegExp =>
  new RegExp(`(?:^|[\\s。．.?？:：)）])\\(?${label}\\s*[.．、:：)]\\s*`, 'g');

/**
 * Takes a text apart that lists its options in a running line: `… A. one B. two C. three`. The last `A.` from which all
 * further labels follow in order counts. Undefined where fewer than three are found: two may be initials.
 */
export function splitInlineOptions(text: string): SplitQuestion | undefined {
  const starts = [...text.matchAll(INLINE_LABEL('A'))].reverse();
  for (const start of starts) {
    const marks = [{ from: start.index, to: start.index + start[0].length }];
    for (let i = 1; i < 26; i++) {
      const pattern = INLINE_LABEL(optionLabel(i));
      pattern.lastIndex = marks.at(-1)?.to ?? 0;
      const match = pattern.exec(text);
      if (match === null) break;
      marks.push({ from: match.index, to: match.index + match[0].length });
    }
    if (marks.length < 3) continue;
    const texts = marks.map(({ to }, i) => text.slice(to, marks[i + 1]?.from ?? text.length).trim());
    if (texts.includes('')) continue;
    return { question: withoutHeading(text.slice(0, start.index + 1)), options: labelled(texts) };
  }
  return undefined;
}

const LATEX_LABEL = /\$?\s*\\(?:textbf|textrm|text|mathbf|mathrm)\s*\{\s*\(?\s*([A-J])\s*\)?[.:]?\s*\}/g;
/** Spacing of LaTeX around an option, and the dollar of the formula that all options stand in. */
const LATEX_SPACE =
  /^(?:[\s~.,)]|\\(?:q?quad|hspace\{[^}]*\}|[ ,;:!\\]))+|(?:[\s~]|\\(?:q?quad|hspace\{[^}]*\}|[ ,;:!\\]))+$/g;

/** Takes a text apart whose options are labelled in LaTeX, `\\textbf{(A)}\\ 1 \\qquad \\textbf{(B)}\\ 2`; from three on. */
export function splitLatexOptions(text: string): SplitQuestion | undefined {
  const marks = [...text.matchAll(LATEX_LABEL)];
  const start = marks.findLastIndex((mark) => mark[1] === 'A');
  const run = start < 0 ? [] : marks.slice(start);
  if (run.length < 3 || run.some((mark, i) => mark[1] !== optionLabel(i))) return undefined;
  const texts = run.map((mark, i) => latexOption(text.slice(mark.index + mark[0].length, run[i + 1]?.index)));
  if (texts.includes('')) return undefined;
  return { question: text.slice(0, run[0]?.index).trim(), options: labelled(texts) };
}

/** An option's text as a formula of its own where it is part of one that goes on. */
function latexOption(part: string): string {
  const text = part.replace(LATEX_SPACE, '');
  const dollars = text.split('$').length - 1;
  if (dollars % 2 === 0) return dollars === 0 && /[\\^_]/.test(text) ? `$${text}$` : text;
  const inner = text.replace(/^\$|\$$/, '').replace(LATEX_SPACE, '');
  return /[\\^_]/.test(inner) && !inner.includes('$') ? `$${inner}$` : inner;
}

/** Options given as a list of texts that may carry their labels (`(A)text`, `A) text`, `  A. text`): the labels go. */
export function unlabelled(texts: readonly string[]): Option[] {
  return labelled(texts.map((text) => text.trim().replace(/^\(?[A-Z]\s*[).．、:：]\s*(?=\S)/, '')));
}

/** Options given as a mapping from label to text, in the order of the labels. */
export function optionsFromMap(map: Readonly<Record<string, unknown>>): Option[] {
  const entries = Object.entries(map).filter(([, text]) => text !== null && text !== undefined);
  if (entries.length < 2)
    throw new RowProblem('too-few-options', `expected 2 or more options; received ${entries.length}`);
  if (entries.some(([label]) => label.trim() === '')) throw new RowProblem('wrong-type', 'an option has no label');
  return entries
    .map(([label, text]) => ({ label: label.trim().toUpperCase(), text: textOf(text, `option ${label}`).trim() }))
    .sort((a, b) => (a.label < b.label ? -1 : 1));
}

const ABOVE =
  /\b(?:all|none|both|neither|any|two) of (?:the )?(?:above|these|those|them|other choices|options)\b|\b(?:both|neither) \(?[A-J]\)? (?:and|n?or) \(?[A-J]\)?(?![a-z])/i;

/** The first option that speaks of other options ("all of the above"): shuffling or removing options breaks it. */
export function optionAboutOptions(options: readonly Option[]): Option | undefined {
  return options.find(({ text }) => ABOVE.test(text));
}
