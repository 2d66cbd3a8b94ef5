import { functionNames, greek, operators, plainWords, symbolCommands } from './vocabulary.js';
import { NotMath } from './ast.js';
import type { Budget } from '../budget.js';

/** One token; `spaced` where white space stood before it. */
export interface Token {
  readonly t: 'num' | 'sym' | 'fn' | 'op' | 'open' | 'close' | 'text' | 'word' | 'cmd' | 'end';
  readonly v: string;
  readonly spaced: boolean;
  readonly at: number;
}

const superscripts: Readonly<Record<string, string>> = {
  '⁰': '0',
  '¹': '1',
  '²': '2',
  '³': '3',
  '⁴': '4',
  '⁵': '5',
  '⁶': '6',
  '⁷': '7',
  '⁸': '8',
  '⁹': '9',
  '⁻': '-',
  ⁿ: 'n',
};
const vulgar: Readonly<Record<string, string>> = {
  '½': '1/2',
  '⅓': '1/3',
  '⅔': '2/3',
  '¼': '1/4',
  '¾': '3/4',
  '⅕': '1/5',
  '⅖': '2/5',
  '⅗': '3/5',
  '⅘': '4/5',
  '⅙': '1/6',
  '⅚': '5/6',
  '⅛': '1/8',
  '⅜': '3/8',
  '⅝': '5/8',
  '⅞': '7/8',
};

/** Unicode mathematics as its ASCII or LaTeX spelling. Full-width and styled letters become plain (NFKC). */
export function plainMath(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  return text
    .replace(/[⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿ]+/g, (run) => `^{${run.replace(/./g, (c) => superscripts[c] ?? c)}}`)
    .replace(/[₀-₉]+/g, (run) => `_{${run.replace(/./g, (c) => String(c.charCodeAt(0) - 0x2080))}}`)
    .replace(/(\d?)\s?([½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞])/g, (_, whole: string, c: string) =>
      whole === '' ? (vulgar[c] ?? c) : `${whole} ${vulgar[c] ?? c}`,
    )
    .normalize('NFKC')
    .replace(/[−–—‐‑]/g, '-')
    .replace(/[×✕]/g, '\\times ')
    .replace(/[·⋅∙•]/g, '\\cdot ')
    .replace(/÷/g, '/')
    .replace(/√\s*(\d+|[a-zA-Z])/g, '\\sqrt{$1}')
    .replace(/√/g, '\\sqrt ')
    .replace(/[\u200b-\u200f\u2060\ufeff]/g, '')
    .replace(/[\u2061-\u2064]/g, '');
}

const numberPattern = /(?:\d+\.(?![\d.])|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,4}(?![\w.]))?)/y;
const grouped = /[1-9]\d{0,2}(?:(?:\{,\}|,\\!\s*|,)\d{3}(?!\d))+(?:\.\d+)?/y;
const groupedAnywhere = /[1-9]\d{0,2}(?:(?:\{,\}|,\\!\s*)\d{3}(?!\d))+(?:\.\d+)?/y;
const wordPattern = /[A-Za-z]{2,}/y;
const commandPattern = /\\(?:[a-zA-Z]+\*?|.)/suy;
const ignored = new Set([
  'left',
  'right',
  'big',
  'Big',
  'bigg',
  'Bigg',
  'bigl',
  'bigr',
  'Bigl',
  'Bigr',
  'biggl',
  'biggr',
  'displaystyle',
  'textstyle',
  'limits',
  'nolimits',
  'middle',
  'mathstrut',
  'nonumber',
  'hline',
  'phantom',
  'mathopen',
  'mathclose',
  'strut',
  'scriptstyle',
]);
const spaces = new Set([
  ' ',
  ',',
  ';',
  ':',
  '!',
  '>',
  'quad',
  'qquad',
  'thinspace',
  'space',
  '\n',
  '\t',
  'enspace',
  '(',
  ')',
  '[',
  ']',
  '/',
]);
const textCommands =
  /^(?:text(?:bf|it|rm|sf|tt|normal|up|sc)?|mbox|hbox|mathrm|mathbf|mathit|mathsf|mathtt|boldsymbol|bm|bold|operatorname\*?|emph|rm)$/;

/**
 * Splits a string into tokens. `thousands` reads `1,234` outside brackets as one number, else as two. Throws NotMath at
 * anything that has no place in an expression.
 */
export function tokenise(source: string, budget: Budget, thousands = true): Token[] {
  const text = plainMath(source);
  budget.spend(text.length >> 2);
  const tokens: Token[] = [];
  let spaced = false;
  let at = 0;
  const brackets: string[] = [];
  const push = (t: Token['t'], v: string): void => {
    if (t === 'open') brackets.push(v);
    else if (t === 'close') brackets.pop();
    tokens.push({ t, v, spaced, at });
    spaced = false;
  };
  const match = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0] ?? null;
  };
  while (at < text.length) {
    const c = text[at] ?? '';
    if (/\s/.test(c) || c === '$' || c === '~') {
      spaced = true;
      at++;
      continue;
    }
    const mayGroup = thousands && !brackets.some((bracket) => bracket !== '{');
    const digits = /[\d.]/.test(c) ? (match(mayGroup ? grouped : groupedAnywhere) ?? match(numberPattern)) : null;
    if (digits !== null) {
      push('num', digits.replace(/[,{}\\!\s]/g, ''));
      at += digits.length;
      continue;
    }
    const word = match(wordPattern);
    if (word !== null) {
      const known = plainWords.get(word.toLowerCase());
      if (known !== undefined && (known.any === true || word === word.toLowerCase())) push(known.t, known.v);
      else if (functionNames.has(word)) push('fn', word);
      else push('word', word);
      at += word.length;
      continue;
    }
    if (/[A-Za-z]/.test(c)) {
      push('sym', c);
      at++;
      continue;
    }
    if (c === '\\') {
      at = command(text, at, match(commandPattern) ?? '\\', tokens, push, (value) => (spaced = value));
      continue;
    }
    at += operator(text, at, push);
  }
  push('end', '');
  return tokens;
}

type Push = (t: Token['t'], v: string) => void;

/** Reads a LaTeX command at `at`; returns where to go on. */
function command(
  text: string,
  at: number,
  raw: string,
  tokens: readonly Token[],
  push: Push,
  setSpaced: (value: boolean) => void,
): number {
  const glued = /^\\(q?quad|cdot|times|pi|left|right)([a-zA-Z])$/.exec(raw);
  const name = glued?.[1] ?? raw.slice(1);
  const end = at + 1 + name.length;
  if (name === '!') return end;
  if (spaces.has(name)) {
    setSpaced(true);
    // A wide space between values is a separator: `x = 1 \quad x = 2`.
    if (/^q?quad$/.test(name) && tokens.length > 0 && tokens.at(-1)?.v !== ',') push('op', ',');
    return end;
  }
  if (ignored.has(name)) return text[end] === '.' && /^(?:left|right)$/.test(name) ? end + 1 : end;
  if (textCommands.test(name)) return textArgument(text, end, name, push);
  const operatorName = operators.get(name);
  if (operatorName !== undefined) push(operatorName.t, operatorName.v);
  else if (functionNames.has(name)) push('fn', name);
  else if (greek.has(name) || symbolCommands.has(name)) push('sym', `\\${name.replace(/^var/, '')}`);
  else push('cmd', name);
  return end;
}

/** `\text{…}`: words for people, or a symbol in upright letters. */
function textArgument(text: string, at: number, name: string, push: Push): number {
  const argument = /^\s*\{([^{}]*)\}/.exec(text.slice(at, at + 400));
  if (argument?.[1] === undefined) {
    if (text[at] === '{' || name === 'rm') return at;
    const single = /^\s+([A-Za-z0-9])/.exec(text.slice(at, at + 8));
    if (single?.[1] === undefined) return at;
    push('sym', single[1]);
    return at + single[0].length;
  }
  const content = argument[1].trim();
  const word = plainWords.get(content.toLowerCase());
  if (content === '') {
    // Nothing: an invisible spacer.
  } else if (word !== undefined) push(word.t, word.v);
  else if (functionNames.has(content)) push('fn', content);
  else if (/^[A-Za-z]$/.test(content) && name !== 'text') push('sym', content);
  else if (/^[+-]?[\d.,]+$/.test(content)) push('num', content.replace(/,/g, ''));
  else push('text', content);
  return at + argument[0].length;
}

/** Reads an operator or bracket at `at`; returns its length. */
function operator(text: string, at: number, push: Push): number {
  const two = text.slice(at, at + 2);
  const three = text.slice(at, at + 3);
  if (three === '{,}') {
    push('op', '{,}');
    return 3;
  }
  const long = { '**': '^', '<=': '<=', '>=': '>=', '!=': '!=', '==': '=', '->': 'to', '&&': ',', '=<': '<=' }[two];
  if (long !== undefined) {
    push('op', long);
    return 2;
  }
  const c = text[at] ?? '';
  const single: Readonly<Record<string, string>> = {
    '≤': '<=',
    '⩽': '<=',
    '≥': '>=',
    '⩾': '>=',
    '≠': '!=',
    '≈': '~',
    '≃': '~',
    '∈': 'in',
    '∉': 'notin',
    '∪': 'cup',
    '∩': 'cap',
    '±': 'pm',
    '∓': 'mp',
    '∞': 'oo',
    π: 'pi',
    '°': 'deg',
    '∅': 'empty',
    ℝ: 'R',
    '≡': 'equiv',
    '→': 'to',
    '⇒': 'to',
    '、': ',',
    '，': ',',
    '∖': 'setminus',
    '′': "'",
  };
  const named = single[c];
  if (named === 'oo' || named === 'pi') push('sym', `\\${named}`);
  else if (named === 'empty' || named === 'R') push('cmd', named);
  else if (named !== undefined) push('op', named);
  else if ('([{'.includes(c)) push('open', c);
  else if (')]}'.includes(c)) push('close', c);
  else if ("+-*/^_!,;:|=<>%'&".includes(c)) push('op', c === ';' ? ',' : c);
  else if (/[€£¥₹]/.test(c)) push('text', c);
  else if (/\p{Script=Greek}/u.test(c)) push('sym', c);
  else if (/\p{L}/u.test(c)) {
    const run = /^\p{L}[\p{L}\p{M}]*/u.exec(text.slice(at, at + 60))?.[0] ?? c;
    push('text', run);
    return run.length;
  } else if (!(c === '.' && /^[\s$]*$/.test(text.slice(at + 1)))) throw new NotMath(`character ${c}`);
  return c.length;
}
