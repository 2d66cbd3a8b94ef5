import { stripDelimiters } from '../answers/text.js';
import { plainMath } from '../expression/lexer.js';

/** Prefixes of a line that end where a sentence or a reason does; empty where the line has no such end before its own. */
export function firstSentence(line: string): string[] {
  const end =
    /(?<!\b\p{L})[.!?。](?=\s+[\p{L}\d"'(*\\$<]|\s*$)|[,;]?\s+(?:because|since|as it|which|where|so that)\b|<\|/u.exec(line);
  return end === null || end.index === 0 ? [] : [line.slice(0, end.index)];
}

const mathSpans =
  /\$\$([^$]+)\$\$|\\\[([^]+?)\\\]|\\\(([^]+?)\\\)|(?<![\\$])\$((?:\\.|[^$\n\\])+)\$(?!\d)|\\begin\{(?:align|equation|gather)\*?\}([^]+?)\\end\{/g;

/** Contents of the `$…$`, `\(…\)`, `\[…\]` of a text, in order. */
export function mathSpansOf(text: string): string[] {
  return [...text.matchAll(mathSpans)].map((match) => match.slice(1).find((group: string | undefined) => group !== undefined) ?? '');
}

const literals =
  /-?\\[dtc]?frac\s?\{[^{}]{1,40}\}\s?\{[^{}]{1,40}\}|(?<![\w.\\])[-−]?\s?(?:\\?[$€£])?(?:\d[\d,]*\d(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?:\s?\/\s?\d+(?:\.\d+)?)?(?:[eE][+-]?\d+)?(?:\s?\\?%)?(?:\s(?:percent|pct)\b)?(?!\d)(?![\p{L}_](?<!\b(?:[cmk]?m|k?g|[smh]|km|kg|cm|mm|in|ft|lb|x)))/gu;

/** Number literals of a text, in order, signs and percent signs included; none from lines of program code. */
export function numbersOf(text: string): string[] {
  if (/__\w+__|\w\(['"]|\blambda\b/.test(text)) return [];
  const found = plainMath(text.slice(-4000)).match(literals) ?? [];
  // A minus sign after a digit or a letter is an operator: `5 - 3`.
  return found.map((literal) => literal.trim().replace(/^[-−]\s+/, ''));
}

/** Control tokens of chat templates, and what a model wrote after them. */
export function cutControlTokens(text: string): string {
  const at = text.search(/<\|(?:im_start|im_end|eot_id|endoftext|end|start_header_id|user|assistant)\|?>?|<\/s>|<end_of_turn>/);
  return at <= 0 ? text : text.slice(0, at);
}

/** Readings of a stretch of prose, the likeliest first: itself, its math spans, its numbers. */
export function readingsOf(line: string, preferred: 'first' | 'last'): string[] {
  const spans = mathSpansOf(line);
  const numbers = numbersOf(line.includes('=') ? line.slice(line.lastIndexOf('=') + 1) : line);
  const pick = (list: readonly string[]): string[] => {
    const one = preferred === 'first' ? list[0] : list.at(-1);
    return one === undefined ? [] : [stripDelimiters(one)];
  };
  return [...pick(spans), ...pick(numbers)];
}
