import { stripDelimiters } from '../answers/text.js';
import { findBoxes, type Box } from './boxed.js';
import { splitThinking } from './sections.js';

/** Where an answer was found, in order of trust. */
export type Source = 'regex' | 'boxed' | 'answer-tag' | 'json' | 'anchor' | 'hash' | 'tail';

/** A span of the response taken for its final answer. */
export interface Extraction {
  /** The span without markdown, quotes and math delimiters. */
  readonly answer: string;
  readonly source: Source;
  /** Shorter readings of the same span (up to the sentence's end), tried after `answer`. */
  readonly variants: readonly string[];
  /** All boxes of a run joined by commas or `and`, where there is more than one. */
  readonly run?: readonly string[];
}

export interface ExtractionOptions {
  /** Sources tried, in this order. Default: all but `regex`, as in `Source`. */
  readonly sources?: readonly Source[];
  /** Patterns for `regex`, tried first where given; the first group (or the whole match) of the last match counts. */
  readonly patterns?: readonly string[];
}

export const defaultSources: readonly Source[] = ['boxed', 'answer-tag', 'json', 'anchor', 'hash', 'tail'];

/** All spans worth comparing, most trusted first: at most one per source. */
export function extractAnswers(response: string, options: ExtractionOptions = {}): Extraction[] {
  const { final, thinking } = splitThinking(response);
  // Nothing after the reasoning: its last answer is the only one there is.
  const text = final.trim() === '' && thinking !== null ? thinking : final;
  const found: Extraction[] = [];
  for (const source of options.sources ?? defaultSources) {
    const extraction = extractors[source](text, options);
    if (extraction !== null) found.push(extraction);
  }
  return found;
}

const extractors: Readonly<Record<Source, (text: string, options: ExtractionOptions) => Extraction | null>> = {
  regex: (text, { patterns = [] }) => fromPatterns(text, patterns),
  boxed: fromBoxes,
  'answer-tag': fromTag,
  json: fromJson,
  anchor: fromAnchor,
  hash: fromHash,
  tail: fromTail,
};

function span(source: Source, answer: string, variants: readonly string[] = []): Extraction | null {
  const clean = stripDelimiters(answer);
  return clean === '' ? null : { answer: clean, source, variants };
}

function fromPatterns(text: string, patterns: readonly string[]): Extraction | null {
  for (const pattern of patterns) {
    let last: RegExpExecArray | null = null;
    for (const match of text.matchAll(new RegExp(pattern, 'g'))) last = match;
    if (last !== null) return span('regex', last[1] ?? last[0]);
  }
  return null;
}

function fromBoxes(text: string): Extraction | null {
  const boxes = findBoxes(text).filter((box) => box.content.trim() !== '');
  const last = boxes.at(-1);
  if (last === undefined) return null;
  const run = lastRun(text, boxes);
  const found = span('boxed', unwrapNestedBox(last.content));
  if (found === null || run.length < 2) return found;
  return { ...found, run: run.map((box) => stripDelimiters(box.content)) };
}

function unwrapNestedBox(content: string): string {
  const inner = findBoxes(content);
  const only = inner[0];
  return inner.length === 1 && only !== undefined && only.end - only.start === content.trim().length
    ? only.content
    : content;
}

const connector =
  /^(?:[\s$,;.]|\\[,;:!()[\]\s]|\\q?quad|\\text\{|\}|\band\b|\bor\b|\\(?:text|mathrm|mbox)|[a-zA-Z]\w?_?\{?\w?\}?\s*=|\*\*)*$/;

/** The boxes at the end that only commas, `and` or nothing stand between: `\boxed{1} and \boxed{2}` is one answer. */
function lastRun(text: string, boxes: readonly Box[]): readonly Box[] {
  let first = boxes.length - 1;
  while (first > 0 && boxes.length - first < 64) {
    const previous = boxes[first - 1];
    const current = boxes[first];
    if (previous === undefined || current === undefined || current.start - previous.end > 40) break;
    const gap = text.slice(previous.end, current.start);
    if (gap !== '' && (!connector.test(gap) || !/,|;|and|or/.test(gap))) break;
    first--;
  }
  return boxes.slice(first);
}

function fromTag(text: string): Extraction | null {
  const close = text.lastIndexOf('</answer>');
  const open = text.lastIndexOf('<answer>', close < 0 ? undefined : close);
  if (open < 0) return null;
  return span('answer-tag', text.slice(open + 8, close < open ? undefined : close));
}

const jsonKey =
  /["'](?:final_answer|answer_choice|answer|choice|prediction)["']\s*:\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(-?[\w.,%/]+)|\[([^[\]]*)\])/gi;

function fromJson(text: string): Extraction | null {
  let last: RegExpMatchArray | null = null;
  for (const match of text.matchAll(jsonKey)) last = match;
  if (last === null) return null;
  const groups: readonly (string | undefined)[] = last;
  const quoted = groups[1] ?? groups[2];
  if (quoted === undefined) return span('json', groups[3] ?? groups[4] ?? '');
  return span('json', groups[1] === undefined ? quoted : unescape(quoted));
}

/** A JSON string's value; its raw text where models wrote LaTeX with single backslashes. */
function unescape(quoted: string): string {
  if (/(?<!\\)(?:\\\\)*\\[^"\\/nu]/.test(quoted)) return quoted.replace(/\\"/g, '"');
  try {
    return JSON.parse(`"${quoted}"`) as string;
  } catch {
    return quoted;
  }
}

const beforeAnswer = String.raw`(?:final|correct|right|best|my|the|overall|option selected|selected option)`;
const anchorWords = String.raw`answer(?:s)?|answer choice|choice|option|solution|result|conclusion`;
const anchors: readonly RegExp[] = [
  // Strong: the words announce the final answer.
  new RegExp(String.raw`\bfinal\s+(?:${anchorWords})\b[^\n:=]{0,40}?(?:\bis\b|\bare\b|:|=)\s*:?`, 'gi'),
  new RegExp(
    String.raw`\b(?:${beforeAnswer}\s+){0,3}(?:answer choice|answers?|ans|choice|option)\b\s*(?:selected|to (?:the|this) (?:question|problem)|here)?\s*(?:\([^()\n]{0,20}\)\s*)?(?:[*_"]*\s*(?:is|are|was|would be|should be|must be|will be|=|:)(?![a-z])[*_]*)\s*:?`,
    'gi',
  ),
  /(?:答案|答|最终答案|所以|因此|Antwort|R[ée]ponse|Respuesta|Resposta|Risposta|Ответ|الإجابة|답|答え|उत्तर)\s*(?:是|为|為|est|ist|es|é|è)?\s*[:：=]\s*/gi,
  /^[ \t]*\**A\s*:\s*/gm,
];

function fromAnchor(text: string): Extraction | null {
  for (const anchor of anchors) {
    let last: RegExpMatchArray | null = null;
    for (const match of text.matchAll(anchor)) last = match;
    if (last?.index === undefined) continue;
    const rest = text.slice(last.index + last[0].length, last.index + last[0].length + 4000);
    const found = fromRest('anchor', rest);
    if (found !== null) return found;
  }
  return null;
}

/** The answer at the start of a text: a math span, else the line (the next one where this is blank), else its first sentence. */
function fromRest(source: Source, rest: string): Extraction | null {
  const start = rest.replace(/^[\s*_:]+/, '');
  const display = /^(?:\$\$([^]+?)\$\$|\\\[([^]+?)\\\]|\$([^$\n]+)\$|\\\(([^]+?)\\\))/.exec(start);
  const line = /^[^\n]*/.exec(start)?.[0] ?? '';
  const math = display?.slice(1).find((group: string | undefined) => group !== undefined);
  const readings = [...sentences(line), line];
  if (math !== undefined) return span(source, math, readings.map(stripDelimiters));
  return span(source, readings[0] ?? line, readings.slice(1).map(stripDelimiters));
}

/** Prefixes of a line that end where a sentence or a reason does, shortest last; empty where the line has no such end. */
function sentences(line: string): string[] {
  const end =
    /(?<!\b\p{L})[.!?](?=\s+[\p{Lu}\d"'(*\\$<]|\s*$)|\s+(?:because|since|as it|which)\b|\.\s+I hope\b|<\|/u.exec(line);
  return end === null ? [] : [line.slice(0, end.index)];
}

function fromHash(text: string): Extraction | null {
  const at = text.lastIndexOf('####');
  return at < 0 ? null : fromRest('hash', text.slice(at + 4, at + 2000));
}

/** The last non-empty line; for numeric golds the comparison then looks for its last number. */
function fromTail(text: string): Extraction | null {
  const lines = text.trimEnd().split('\n');
  const line = lines.at(-1) ?? '';
  return span('tail', line.length > 2000 ? line.slice(-2000) : line);
}
