import { isDate } from '../answers/calendar.js';
import { stripDelimiters } from '../answers/text.js';
import { isUnitWord } from '../answers/units.js';
import { plainMath } from '../expression/lexer.js';

/** Prefixes of a line that end where a sentence or a reason does; empty where the line has no such end before its own. */
export function firstSentence(line: string): string[] {
  const end =
    /(?<!\b\p{L})[.!?。](?=\s+[\p{L}\d"'(*\\$<]|\s*$)|[,;]?\s+(?:because|since|as it|which|where|so that)\b|<\|/u.exec(
      line,
    );
  return end === null || end.index === 0 ? [] : [line.slice(0, end.index)];
}

const mathSpans =
  /\$\$([^$]+)\$\$|\\\[([^]+?)\\\]|\\\(([^]+?)\\\)|(?<![\\$])\$((?:\\.|[^$\n\\])+)\$(?!\d)|\\begin\{(?:align|equation|gather)\*?\}([^]+?)\\end\{/g;

/** Contents of the `$…$`, `\(…\)`, `\[…\]` of a text, in order. */
export function mathSpansOf(text: string): string[] {
  return [...text.matchAll(mathSpans)].map(
    (match) => match.slice(1).find((group: string | undefined) => group !== undefined) ?? '',
  );
}

const literals =
  /-?\\[dtc]?frac\s?\{[^{}]{1,40}\}\s?\{[^{}]{1,40}\}|(?<![\w.\\^]|[\^_]\{)-?\s?(?:\\?[$€£])?(?:\d[\d,]*\d(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?:\s?\/\s?\d+(?:\.\d+)?)?(?:[eE][+-]?\d+)?(?:\s?\\?%)?(?:\s(?:percent|pct)\b)?(?!\d)/g;

interface Found {
  readonly text: string;
  readonly at: number;
}

/** Number literals of a text, signs and percent signs included; none from lines of program code, none inside words. */
function numbersIn(text: string): Found[] {
  if (/__\w+__|\w\(['"]|\blambda\b/.test(text)) return [];
  const found: Found[] = [];
  for (const match of text.matchAll(literals)) {
    const glued = /^[A-Za-z]+/.exec(text.slice(match.index + match[0].length, match.index + match[0].length + 20))?.[0];
    if (glued !== undefined && !isUnitWord(glued)) continue;
    // A minus sign with a space behind it is an operator: `5 - 3`.
    found.push({ text: match[0].trim().replace(/^-\s+/, ''), at: match.index });
  }
  return found;
}

/** Formulas of a text; a stretch between two dollar signs that reads as prose is none. */
function formulasIn(text: string): (Found & { readonly end: number })[] {
  return [...text.matchAll(mathSpans)]
    .map((match) => ({
      text: stripDelimiters(match.slice(1).find((group: string | undefined) => group !== undefined) ?? ''),
      at: match.index,
      end: match.index + match[0].length,
    }))
    .filter((one) => !/(?<![\\a-zA-Z])[a-zA-Z]{3,}[\s?!]+[a-zA-Z]{3,}/.test(one.text));
}

/** `N`, `f(x)`, `\alpha`: a name, which is worth less than a value beside it. */
const isName = ({ text }: Found): boolean =>
  /^(?:\\[a-zA-Z]+|[a-zA-Z]+)(?:_\{?\w+\}?)?(?:\([a-z, ]{1,9}\))?$/.test(text);

/** Control tokens of chat templates, and what a model wrote after them. */
export function cutControlTokens(text: string): string {
  const at = text.search(
    /<\|(?:im_start|im_end|eot_id|endoftext|end|start_header_id|user|assistant)\|?>?|<\/s>|<end_of_turn>/,
  );
  return at <= 0 ? text : text.slice(0, at);
}

const verbs = /\b(?:is|are|was|were|be|equals?|becomes?|gives?|get|have|has|total(?:s|ing)?)\b|=(?!=)|:\s/g;

/**
 * What a stretch of prose comes down to: its formula or number after the last `is`, `are` or `=`; else the last of the
 * last sentence that has one (`preferred` last), or the first (`preferred` first).
 */
export function readingsOf(prose: string, preferred: 'first' | 'last'): string[] {
  const line = plainMath(prose.slice(-4000));
  if (isDate(line)) return [];
  const formulas = formulasIn(line);
  const inside = (at: number): boolean => formulas.some((formula) => at >= formula.at && at < formula.end);
  const numbers = numbersIn(line).filter(({ at }) => !inside(at));
  const all = [...formulas, ...numbers].sort((x, y) => x.at - y.at);
  const values = all.filter((one) => !isName(one));
  const found = values.length > 0 ? values : all;
  if (found.length === 0) return [];
  const bounds =
    preferred === 'first'
      ? [0]
      : [0, ...[...line.matchAll(/[.!?。]\s+(?=[\p{Lu}\p{Lo}$\\*])/gu)].map((match) => match.index)];
  const start = bounds.filter((bound) => found.some(({ at }) => at >= bound)).at(-1) ?? 0;
  const sentence = found.filter(({ at }) => at >= start);
  const said = [...line.matchAll(verbs)].map((match) => match.index).filter((at) => at >= start && !inside(at));
  for (const verb of said.reverse()) {
    const after = sentence.find(({ at }) => at > verb);
    if (after !== undefined) return [after.text];
  }
  // `5 cars drove through in the first 15 minutes`: a sentence that starts with its number is about it.
  const leads = sentence[0] !== undefined && /^[\s.!?*]*$/.test(line.slice(start, sentence[0].at));
  const one = preferred === 'first' || leads ? sentence[0] : sentence.at(-1);
  return one === undefined ? [] : [one.text];
}
