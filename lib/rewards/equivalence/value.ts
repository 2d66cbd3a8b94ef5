import { parseNumber, type NumberLiteral } from '../answers/number.js';
import { sameDate, sameTime } from '../answers/calendar.js';
import {
  normaliseSquad,
  normaliseText,
  repairEscapes,
  stripDelimiters,
  unwrapLatexText,
  wordToNumber,
} from '../answers/text.js';
import { Budget, BudgetExceeded } from '../budget.js';
import { NotMath, type Expr } from '../expression/ast.js';
import { parseExpression } from '../expression/parser.js';
import type { ResolvedSettings } from '../settings.js';
import { sameExpression } from './compare.js';
import { latexString } from './latexString.js';
import { sameNumber } from './number.js';

/** Longest string read as mathematics; a longer one is text. */
const maximumMath = 4000;

/** A gold form with what can be read once for all responses. */
export interface PreparedGold {
  readonly text: string;
  readonly plain: string;
  readonly number: NumberLiteral | null;
  /** Parsed when first needed. */
  expression?: readonly Expr[];
}

export function prepareGold(source: string): PreparedGold {
  const text = repairEscapes(source);
  const plain = normaliseText(text);
  return { text, plain, number: parseNumber(text) ?? wordToNumber(plain) };
}

/** Whether a string reads as mathematics: a number, a formula, a list of them. */
export function isMath(text: string, budget: Budget): boolean {
  return (
    parseNumber(text) !== null || (!isProse(normaliseText(text)) && readings(text, budget).some((e) => e.k !== 'text'))
  );
}

/**
 * Whether an answer equals one gold form: as text; as number literals; as dates and times; as parsed mathematics. Throws
 * BudgetExceeded.
 */
export function sameValue(
  gold: PreparedGold,
  answer: string,
  settings: ResolvedSettings,
  budget: Budget,
  tolerance?: number,
): boolean {
  const plain = normaliseText(answer);
  if (gold.plain !== '' && gold.plain === plain) return true;
  if (settings.comparison === 'text') return sameText(gold.plain, plain, settings);
  if (settings.comparison === 'latex-string') return latexString(gold.text) === latexString(answer);
  const context = { settings, budget, ...(tolerance === undefined ? {} : { tolerance }) };
  const number = parseNumber(answer) ?? wordToNumber(plain);
  if (gold.number !== null && number !== null) return sameNumber(gold.number, number, context);
  const calendar = sameTime(gold.plain, plain) ?? sameDate(gold.plain, plain);
  if (calendar !== null) return calendar;
  if (sameText(gold.plain, plain, settings)) return true;
  // `1993-94` is a span of years, not their difference.
  if (numberRange.test(gold.plain) && numberRange.test(plain))
    return gold.plain.replace(/\s/g, '') === plain.replace(/\s/g, '');
  if (isProse(gold.plain) || answer.length > maximumMath || (loneWord.test(gold.plain) && loneWord.test(plain)))
    return false;
  gold.expression ??= goldReadings(gold.text);
  if (gold.expression.length === 0) return compactLatex(gold.text) === compactLatex(answer);
  const answers = readings(answer, budget);
  return gold.expression.some((g) => answers.some((a) => sameExpression(g, a, context)));
}

const numberRange = /^\d+\s?-\s?\d+$/;

/** Two words are compared as words: `cat` is not the product `act`. */
const loneWord = /^[a-z]{2,}$/;

function sameText(gold: string, answer: string, settings: ResolvedSettings): boolean {
  if (settings.text === 'exact') return false;
  const [g, a] = [normaliseSquad(gold), normaliseSquad(answer)];
  // Only words: punctuation and articles are part of formulas.
  return g !== '' && g === a && /\p{L}{3}/u.test(g) && !/[\\^_=<>{}]/.test(gold + answer);
}

/** Several words that are no mathematics: not worth a parse. */
function isProse(plain: string): boolean {
  if (/[\\^_=<>{}[\]|+*/]/.test(plain)) return false;
  return (plain.match(/\p{L}{4,}/gu) ?? []).length > 2;
}

/** The ways to read a string as mathematics, the likeliest first; none where it is not mathematics. */
function readings(text: string, budget: Budget): Expr[] {
  const source = stripDelimiters(text);
  const found: Expr[] = [];
  const attempt = (reading: string, thousands?: boolean): void => {
    try {
      found.push(parseExpression(reading, budget, thousands));
    } catch (error) {
      if (!(error instanceof NotMath)) throw error;
    }
  };
  attempt(source);
  // `100,200` may be one number or two; `2,74` may be a decimal comma.
  if (/(?<!\d)\d{1,3}(?:,\d{3})+(?!\d)/.test(source)) attempt(source, false);
  if (/^-?(?:\d+,\d{1,2}|\d+,\d{4,}|0,\d+|\d{4,},\d+)$/.test(source)) attempt(source.replace(',', '.'));
  return found;
}

/** Steps reading a gold may take: its own, so that the verdict does not depend on whether it was read before. */
const goldBudget = 100_000;

function goldReadings(text: string): Expr[] {
  try {
    return readings(text, new Budget(goldBudget));
  } catch (error) {
    if (error instanceof BudgetExceeded) return [];
    throw error;
  }
}

/** LaTeX without layout: spaces, `\left`, `\dfrac`, sizes. */
function compactLatex(text: string): string {
  return unwrapLatexText(normaliseText(text))
    .replace(/\\(?:left|right|big|bigg|displaystyle)(?![a-z])/g, '')
    .replace(/\\[dtc]frac/g, '\\frac')
    .replace(/\\frac(\d)(\d)/g, '\\frac{$1}{$2}')
    .replace(/\\sqrt(\d)/g, '\\sqrt{$1}')
    .replace(/\\[ ,;:!]|[\s$]+/g, '');
}
