import { repairEscapes, stripDelimiters } from '../answers/text.js';
import { afterLast, anchors, finalAnchors } from './anchors.js';
import { boxRun, findBoxes, type Box } from './boxed.js';
import { fromJson } from './json.js';
import { cutControlTokens, firstSentence, mathSpansOf, readingsOf } from './prose.js';
import { splitThinking } from './sections.js';

/** Where an answer was found. */
export type Source = 'regex' | 'boxed' | 'answer-tag' | 'json' | 'final' | 'hash' | 'anchor' | 'tail' | 'whole';

/** A span of the response taken for its final answer. */
export interface Extraction {
  /** The span without markdown, quotes and math delimiters. */
  readonly answer: string;
  readonly source: Source;
  /** Other extents of the same span (whole line, first sentence). */
  readonly variants: readonly string[];
  /** Where the span is prose: the formula or number it comes down to. */
  readonly inner: readonly string[];
  /** The capture groups, where a pattern was asked to match in all or any of them. */
  readonly groups?: readonly string[];
}

export interface ExtractionOptions {
  readonly sources: readonly Source[];
  readonly patterns: readonly string[];
  readonly patternFlags: '' | 'i';
  readonly answerInThinking: 'fallback' | 'ignore';
  readonly thinkTags: readonly [string, string];
}

export const allSources = ['regex', 'boxed', 'answer-tag', 'json', 'final', 'hash', 'anchor', 'tail', 'whole'] as const;
export const defaultSources: readonly Source[] = ['boxed', 'answer-tag', 'json', 'final', 'hash', 'anchor', 'tail'];

/** Longest answer handed on; what is longer is cut (and will equal no gold). */
const maximumAnswer = 20_000;

/** The spans that may be the final answer, most trusted first: at most one per source. */
export function extractAnswers(response: string, options: ExtractionOptions): Extraction[] {
  const { final, thinking, opens, closes } = splitThinking(response, ...options.thinkTags);
  const unfinished = opens > 0 && closes === 0;
  if (options.answerInThinking === 'ignore' && (unfinished || thinking === null)) return [];
  // Nothing after the reasoning: its last answer is the only one there is.
  const inside = final.trim() === '' && thinking !== null && options.answerInThinking === 'fallback';
  const text = collapse(cutControlTokens(inside ? thinking : final));
  const found: Extraction[] = [];
  for (const source of options.patterns.length > 0 ? ['regex' as const, ...options.sources] : options.sources) {
    const extraction = extractors[source](text, options);
    if (extraction !== null) found.push(extraction);
  }
  return found;
}

/** Long runs of white space as short ones: patterns may then look across a gap without trying every cut of it. */
function collapse(text: string): string {
  return text
    .replace(/[^\S\n]{3,}/g, '  ')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

const extractors: Readonly<Record<Source, (text: string, options: ExtractionOptions) => Extraction | null>> = {
  regex: fromPatterns,
  boxed: fromBoxes,
  'answer-tag': fromTag,
  json: (text) => span('json', fromJson(text) ?? ''),
  final: (text) => fromAnchors('final', text, finalAnchors),
  hash: (text) =>
    text.includes('####') ? fromRest('hash', text.slice(text.lastIndexOf('####') + 4).slice(0, 2000)) : null,
  anchor: (text) => fromAnchors('anchor', text, anchors),
  tail: fromTail,
  whole: (text) => span('whole', text),
};

function span(
  source: Source,
  text: string,
  variants: readonly string[] = [],
  inner: readonly string[] = [],
): Extraction | null {
  const answer = stripDelimiters(repairEscapes(text.slice(0, maximumAnswer)));
  if (answer === '') return null;
  const others = variants.map(stripDelimiters).filter((variant) => variant !== '' && variant !== answer);
  return { answer, source, variants: others, inner };
}

function fromPatterns(text: string, { patterns, patternFlags }: ExtractionOptions): Extraction | null {
  for (const pattern of patterns) {
    let last: RegExpMatchArray | null = null;
    for (const match of text.matchAll(new RegExp(pattern, `g${patternFlags}`))) last = match;
    if (last === null) continue;
    const groups = last.length > 1 ? last.slice(1).map((group: string | undefined) => group ?? '') : [last[0]];
    const found = span('regex', groups[0] ?? '');
    if (found !== null) return { ...found, groups };
  }
  return null;
}

function fromBoxes(text: string): Extraction | null {
  const boxes = findBoxes(text).filter((box) => box.content.trim() !== '');
  const run = boxRun(text, boxes);
  if (run.length === 0) return null;
  const contents = run.map((box) => boxedAnswer(text, box));
  return span('boxed', contents.join(', '));
}

/** What a box says, its own inner box taken off and a percent sign behind it (`\boxed{20}\%`) put on. */
export function boxedAnswer(text: string, box: Box): string {
  const inner = findBoxes(box.content);
  const only = inner[0];
  const whole = inner.length === 1 && only !== undefined && only.end - only.start === box.content.trim().length;
  const content = stripDelimiters(whole ? only.content : box.content);
  const after = text.slice(box.end, box.end + 16);
  return /^\s*(?:\$|\\\))?\s*(?:\\?%|per\s?cent\b)/.test(after) && !/%|percent/.test(content)
    ? `${content}\\%`
    : content;
}

const tags = ['answer', 'final_answer', 'choice', 'solution'] as const;

function fromTag(text: string): Extraction | null {
  for (const tag of tags) {
    const close = text.lastIndexOf(`</${tag}>`);
    const open = text.lastIndexOf(`<${tag}>`, close < 0 ? undefined : close);
    if (open < 0) continue;
    const content = text.slice(open + tag.length + 2, close < open ? undefined : close).slice(0, maximumAnswer);
    const found = span('answer-tag', content, [], readingsOf(content.trim(), 'last'));
    if (found !== null) return found;
  }
  return null;
}

function fromAnchors(source: Source, text: string, patterns: readonly RegExp[]): Extraction | null {
  for (const pattern of patterns) {
    const rest = afterLast(text, pattern);
    const found = rest === null ? null : fromRest(source, rest);
    if (found !== null) return found;
  }
  return null;
}

const leadingSpan = /^[([]?(?:\$\$([^$]+)\$\$|\\\[([^]+?)\\\]|\$((?:\\.|[^$\n\\])+)\$|\\\(([^]+?)\\\))/;

/** The answer at the start of a text: a formula, else the line's first sentence (the next line's where it is blank). */
function fromRest(source: Source, rest: string): Extraction | null {
  const start = rest.replace(/^[\s*_:：]+/, '');
  const line = /^[^\n]*/.exec(start)?.[0] ?? '';
  const [sentence = line] = firstSentence(line);
  const formula = leadingSpan.exec(start);
  const content = formula?.slice(1).find((group: string | undefined) => group !== undefined);
  // `$x = 1$ or $x = 2$`: several formulas are one answer; a formula alone is the answer.
  if (content !== undefined && mathSpansOf(sentence).length <= 1) return span(source, content, [sentence, line]);
  return span(source, sentence, [line], readingsOf(sentence, 'first'));
}

/** The end of the response: its last line; where that is prose, the last formula or number in it. */
function fromTail(text: string): Extraction | null {
  const display = /(?:\$\$([^$]+)\$\$|\\\[([^]+?)\\\])[\s.]*$/.exec(text.slice(-2000));
  const content = display?.[1] ?? display?.[2];
  if (content !== undefined) return span('tail', content);
  const line = text.slice(text.lastIndexOf('\n') + 1).slice(-2000);
  const statement = /\b(?:is|are|was|were)\s+(?:the\s+)?((?:(?!\b(?:is|are|was|were)\b)[^.!?])+)[.!?]?$/i.exec(
    line.slice(-300),
  )?.[1];
  return span('tail', line, statement === undefined ? [] : [statement], readingsOf(line, 'last'));
}
