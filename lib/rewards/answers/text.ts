import type { NumberLiteral } from './number.js';

/** LaTeX commands that only set the type of their argument. */
const wrappers =
  /\\(?:text(?:bf|it|rm|sf|tt|normal|up|sc)?|math(?:rm|bf|it|sf|tt)|mbox|hbox|bm|boldsymbol|operatorname\*?|emph|underline|bold|pmb)\s*\{([^{}]*)\}/g;

/** Unwraps `\text{…}`, `\mathbf{…}` and their like, from the inside out. */
export function unwrapLatexText(text: string): string {
  let current = text;
  for (let depth = 0; depth < 8 && current.includes('\\'); depth++) {
    const next = current.replace(wrappers, '$1');
    if (next === current) break;
    current = next;
  }
  return current;
}

const pairs: readonly (readonly [string, string])[] = [
  ['**', '**'],
  ['__', '__'],
  ['*', '*'],
  ['`', '`'],
  ['$$', '$$'],
  ['$', '$'],
  ['\\(', '\\)'],
  ['\\[', '\\]'],
  ['"', '"'],
  ["'", "'"],
  ['“', '”'],
  ['‘', '’'],
  ['«', '»'],
];

const commandNames =
  'frac|dfrac|tfrac|cfrac|left|right|sqrt|text|textbf|mathrm|mathbf|mathbb|pi|theta|alpha|beta|boxed|begin|end|cdot|times|infty|cup|cap|in|pm|leq|geq|le|ge|neq|ln|log|sin|cos|tan|circ|binom|overline|quad|langle|rangle';
const doubled = new RegExp(String.raw`(?<!\\)\\\\(?=(?:${commandNames})(?![a-z]))`, 'g');

/** LaTeX whose backslashes were escaped once too often (`\\frac{1}{2}`), as JSON in JSON leaves them. */
export function repairEscapes(text: string): string {
  if (!text.includes('\\\\') || text.search(doubled) < 0) return text;
  const runs = text.match(/\\+/g) ?? [];
  if (runs.every(({ length }) => length % 2 === 0)) return text.replace(/\\\\/g, '\\');
  return text.replace(doubled, '\\');
}

/**
 * Takes off what surrounds an answer without being part of it: white space, markdown, quotes, math delimiters, and the
 * full stop of the sentence. Stops where the content itself holds the delimiter (`$1$ and $2$`).
 */
export function stripDelimiters(text: string): string {
  let current = text.trim();
  for (let round = 0; round < 12; round++) {
    const before = current;
    current = current.replace(/^[*_\s]+(?=[*_\s])/, '').trim();
    for (const [open, close] of pairs) {
      if (current.length <= open.length + close.length - 1) continue;
      if (!current.startsWith(open) || !current.endsWith(close)) continue;
      const inside = current.slice(open.length, current.length - close.length);
      if (inside.includes(open) || inside.includes(close) || inside.trim() === '') continue;
      current = inside.trim();
    }
    current = stripEnd(current);
    if (current === before) break;
  }
  return current;
}

/** Sentence punctuation at the end; a full stop stays where it ends an initialism such as `U.S.`. */
function stripEnd(text: string): string {
  const stripped = text.replace(/(?:\s|\\[ ,;!])+$/, '');
  if (/[;:!,。，；：！?？]$/.test(stripped) && !/\\[;:!,]$/.test(stripped)) {
    return /[!]$/.test(stripped) && /[\d)n]!$/.test(stripped) ? stripped : stripped.slice(0, -1).trimEnd();
  }
  if (stripped.endsWith('.') && !/(?:^|[\s.])\p{L}\.$/u.test(stripped)) return stripped.slice(0, -1).trimEnd();
  return stripped;
}

const articles = /^(?:the|an?)\s+/;

/**
 * Normal form under which two short texts count as the same: Unicode NFKC, lower case, dashes and quotes made plain,
 * LaTeX text wrappers and surrounding punctuation off, white space collapsed, a leading article dropped.
 */
export function normaliseText(text: string): string {
  let current = stripDelimiters(unwrapLatexText(stripDelimiters(text)));
  current = current
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\u200b-\u200f\u2060\ufeff]/g, '')
    .replace(/[‐‑‒–—−]/g, '-')
    .replace(/[‘’ʼ`]/g, "'")
    .replace(/[“”]/g, '"')
    .replace(/\\[ ,;:!]|~/g, ' ')
    .replace(/\\([%$&#_{}])/g, '$1')
    .replace(/\s+/g, ' ')
    .trim();
  current = stripDelimiters(current).replace(/^[("'[\s]+(?=[^)\]]*$)/, '');
  return current.replace(articles, '').trim();
}

/** SQuAD normal form: lower case, no punctuation, no articles, single spaces (hotpotqa and SQuAD evaluation scripts). */
export function normaliseSquad(text: string): string {
  return text
    .toLowerCase()
    .replace(/[!-/:-@[-`{-~]/g, '')
    .replace(/\b(?:a|an|the)\b/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Token F1 of SQuAD over normalised words: 2PR/(P+R), counting repeated words; 1 where both are empty. `keepArticles` skips the normalisation but for case. */
export function tokenF1(response: string, gold: string, { keepArticles = false } = {}): number {
  const normal = (text: string): string =>
    keepArticles ? text.toLowerCase().replace(/\s+/g, ' ').trim() : normaliseSquad(text);
  const a = words(normal(response));
  const b = words(normal(gold));
  if (a.length === 0 || b.length === 0) return a.length === b.length ? 1 : 0;
  const left = new Map<string, number>();
  for (const word of b) left.set(word, (left.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of a) {
    const n = left.get(word) ?? 0;
    if (n > 0) {
      common++;
      left.set(word, n - 1);
    }
  }
  return (2 * common) / (a.length + b.length);
}

function words(text: string): string[] {
  return text === '' ? [] : text.split(' ');
}

const small =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const tens = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');

/** `seven`, `twenty-one`, `forty two` as a number literal; null for other words. */
export function wordToNumber(plain: string): NumberLiteral | null {
  const digit = '〇一二三四五六七八九十'.indexOf(plain);
  if (plain.length === 1 && digit >= 0)
    return { value: { n: BigInt(digit), d: 1n }, decimals: null, percent: false, currency: null, unit: null };
  if (!/^[a-z]{3,9}(?:[- ][a-z]{3,5})?$/.test(plain)) return null;
  const [first = '', second] = plain.split(/[- ]/);
  let value = small.indexOf(first);
  if (value < 0) value = 20 + 10 * tens.indexOf(first);
  if (value < (tens.includes(first) ? 20 : 0) || (!small.includes(first) && !tens.includes(first))) return null;
  if (second !== undefined) {
    const unit = small.indexOf(second);
    if (!tens.includes(first) || unit < 1 || unit > 9) return null;
    value += unit;
  }
  return { value: { n: BigInt(value), d: 1n }, decimals: null, percent: false, currency: null, unit: null };
}
