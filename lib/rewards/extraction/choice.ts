import type { Option } from '../../data/question.js';
import { lookup } from '../lookup.js';
import { normaliseText, stripDelimiters, unwrapLatexText } from '../answers/text.js';

/** What an answer span says about the options: one of them, several, none of the question's, or nothing. */
export type Choice =
  | { readonly kind: 'option'; readonly labels: readonly string[] }
  | { readonly kind: 'several'; readonly labels: readonly string[] }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'none' };

export interface ChoiceOptions {
  readonly letterCase?: 'any' | 'upper';
  /** The span was announced as the answer; if not, a letter in prose needs words before it that make it one. */
  readonly announced?: boolean;
}

const none: Choice = { kind: 'none' };
const unknown: Choice = { kind: 'unknown' };
const letterList = /^\(?[A-Z]\)?(?:\s*(?:,|;|\/|&|and|or|\s)\s*\(?[A-Z]\)?)+$/;
const separator = /^\(?([A-Za-z])(?:\)\s*[.:]?|\s*[.:、]|\s+[-–—]|\s*[-–—]\s)\s*([^]+)$/;

/**
 * Reads an answer span against the options of the question. `options` may be empty: then any capital letter is a label
 * and there are no texts to match. Never picks a letter out of a word (`I don't know`), a negation (`not B`) or a list.
 */
export function readChoice(
  span: string,
  options: readonly Option[],
  { letterCase = 'any', announced = true }: ChoiceOptions = {},
): Choice {
  const text = latinLetter(stripDelimiters(unwrapLatexText(stripDelimiters(span.normalize('NFKC')))));
  if (text === '') return none;
  const known = new Map(options.map((option) => [option.label.toUpperCase(), option.label]));
  const labelOf = (letter: string): string | undefined =>
    options.length === 0 ? letter.toUpperCase() : known.get(letter.toUpperCase());

  const bare = /^[([{]?\s*([A-Za-z0-9]{1,2})\s*[)\]}]?\s*[.:]?$/.exec(text)?.[1];
  if (bare !== undefined && (options.length > 0 || /^[A-Za-z]$/.test(bare))) {
    const label = letterCase === 'upper' && /[a-z]/.test(bare) ? undefined : labelOf(bare);
    if (label !== undefined) return { kind: 'option', labels: [label] };
  }
  if (letterCase === 'upper' && bare !== undefined && /^[a-z]$/.test(bare)) return unknown;
  const exact = matchText(text, options);
  if (exact !== null) return exact;
  if (bare !== undefined && /^[A-Za-z]$/.test(bare)) return unknown;

  const prefixed = separator.exec(text);
  if (prefixed?.[1] !== undefined && prefixed[2] !== undefined) {
    const choice = readPrefixed(prefixed[1], prefixed[2], options, labelOf);
    if (choice !== null) return choice;
  }
  if (letterList.test(text)) {
    const labels = [...text.matchAll(/[A-Z]/g)].map(([letter]) => labelOf(letter));
    if (labels.every((label) => label !== undefined)) return distinct(labels);
  }
  return readProse(text, options, labelOf, announced);
}

const foreignLetters = lookup({
  أ: 'A',
  ا: 'A',
  ب: 'B',
  ج: 'C',
  د: 'D',
  ه: 'E',
  甲: 'A',
  乙: 'B',
  丙: 'C',
  丁: 'D',
  戊: 'E',
});

/** A lone letter of an Arabic or Chinese list as its Latin counterpart. */
function latinLetter(text: string): string {
  return foreignLetters.get(text) ?? text;
}

function distinct(labels: readonly string[]): Choice {
  const set = [...new Set(labels)];
  if (set.length === 0) return none;
  return { kind: set.length === 1 ? 'option' : 'several', labels: set };
}

/** The whole span is the text of one option, or of several alike. */
function matchText(text: string, options: readonly Option[]): Choice | null {
  if (options.length === 0) return null;
  const wanted = normaliseText(text);
  if (wanted === '') return null;
  const labels = options.filter((option) => normaliseText(option.text) === wanted).map(({ label }) => label);
  return labels.length === 0 ? null : distinct(labels);
}

/** `B: text`, `(B) text`, `B. text`: the letter counts unless the text speaks for another option or is a name (`E. coli`). */
function readPrefixed(
  letter: string,
  rest: string,
  options: readonly Option[],
  labelOf: (letter: string) => string | undefined,
): Choice | null {
  const label = labelOf(letter);
  if (label === undefined) return null;
  if (options.length > 0) {
    const named = matchText(rest, options);
    if (named?.kind === 'option') {
      return named.labels[0] === label ? named : { kind: 'several', labels: [label, ...named.labels] };
    }
    const own = normaliseText(options.find((option) => option.label === label)?.text ?? '');
    const said = normaliseText(rest);
    if (own !== '' && said !== '' && (own.startsWith(said) || said.startsWith(own)))
      return { kind: 'option', labels: [label] };
  }
  if (/^[a-z]/.test(letter)) return null;
  // A capital, a full stop and one or two plain words read as a name: `E. coli`, `J. Smith`.
  if (/^\p{L}+(?:\s\p{L}+)?$/u.test(rest.trim()) && options.length > 0) return unknown;
  const others = lettersOf(rest, labelOf).filter((other) => other !== label);
  return others.length === 0 ? { kind: 'option', labels: [label] } : null;
}

const negatedBefore =
  /(?:\b(?:not|nor|neither|non|no|never|without|except|besides|exclud\w*|eliminat\w*|reject\w*|rul\w+ out|rather than|instead of|unlike|over)|n't(?:\s+be)?|n’t(?:\s+be)?|cannot(?:\s+be)?|not be)\s*(?:be\s+|options?\s+|choices?\s+|answers?\s+)?["'*(]*$/i;
const cue =
  /(?:\b(?:answer|option|choice|is|it['’]s|so|therefore|thus|hence|choose|select|pick|go with|be)|[:→=>])\s*(?:is\s+)?(?:option\s+|choice\s+)?["'*([]*$/i;
const cueAfter = /^["'*)\]]*\s+(?:is|would be|must be|seems)\s+(?:the\s+)?(?:correct|right|best|answer|true)\b/i;
const negatedAfter =
  /^["'*)]*\s*(?:is|are|was|were|seems?|looks?)?\s*(?:clearly |also |definitely )?(?:wrong|incorrect|false|not\b|n't|isn't|is out\b|eliminated|ruled out)/i;

/** Capital letters that stand alone and are labels, without the article `A`, the pronoun `I` and negated ones. */
function lettersOf(text: string, labelOf: (letter: string) => string | undefined, announced = true): string[] {
  const found: string[] = [];
  let negatedEnd = -1;
  for (const match of text.matchAll(/(?<![\p{L}\p{N}_\\^]|\p{L}['’])([A-Z])(?![\p{L}\p{N}_^]|['’]\p{L})/gu)) {
    const letter = match[1] ?? '';
    const label = labelOf(letter);
    if (label === undefined) continue;
    const before = text.slice(Math.max(0, match.index - 40), match.index);
    const after = text.slice(match.index + 1, match.index + 40);
    if (letter === 'A' && /^\s+\p{Ll}/u.test(after) && !/^\s+(?:is|because|since|and|or|as|but|are|was)\b/.test(after))
      continue;
    if (letter === 'I' && /^\s+\p{Ll}/u.test(after) && !/^\s+is\b/.test(after)) continue;
    const chained =
      negatedEnd >= 0 && /^["'*).]*\s*(?:,|or|nor|and|\/)+\s*["'*(]*$/.test(text.slice(negatedEnd, match.index));
    if (chained || negatedBefore.test(before)) {
      negatedEnd = match.index + 1;
      continue;
    }
    if (negatedAfter.test(after)) continue;
    if (!announced && !/^\W*$/.test(after) && !cue.test(before) && !cueAfter.test(after)) continue;
    found.push(label);
  }
  return [...new Set(found)];
}

/** Prose around a letter (`Option C is correct`, `C is wrong, so D`) or around the text of one option. */
function readProse(
  text: string,
  options: readonly Option[],
  labelOf: (letter: string) => string | undefined,
  announced: boolean,
): Choice {
  const pair = /\b([A-Z])\)?\s*(?:,|and|or|&|\/)\s*\(?([A-Z])\)?\W*$/.exec(text);
  const both = [pair?.[1], pair?.[2]].flatMap((letter) => (letter === undefined ? [] : [labelOf(letter)]));
  if (
    !announced &&
    both.length === 2 &&
    both.every((label) => label !== undefined) &&
    !negatedBefore.test(text.slice(0, pair?.index))
  ) {
    return distinct(both);
  }
  const letters = lettersOf(text, labelOf, announced);
  if (letters.length > 0) return distinct(letters);
  if (options.length === 0 || /\b(?:not|never|neither|nor|except|cannot)\b|n['’]t\b/i.test(text)) return none;
  const haystack = ` ${normaliseText(text).replace(/[^\p{L}\p{N}%.+-]+/gu, ' ')} `;
  const mentioned = options.filter((option) => {
    const needle = normaliseText(option.text)
      .replace(/[^\p{L}\p{N}%.+-]+/gu, ' ')
      .trim();
    return needle.length > 1 && haystack.includes(` ${needle} `);
  });
  // `lipid A` mentions `lipid` too: an option whose text lies inside another mentioned text does not count.
  const outer = mentioned.filter(
    (option) =>
      !mentioned.some((other) => other !== option && normaliseText(other.text).includes(normaliseText(option.text))),
  );
  return distinct(outer.map(({ label }) => label));
}
