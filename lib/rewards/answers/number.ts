import { stripDelimiters, unwrapLatexText } from './text.js';
import { reduceUnit } from './units.js';
import { add, fromDecimal, multiply, negate, powerOfTen, rational, type Rational } from './rational.js';

/** A number as an answer writes it. */
export interface NumberLiteral {
  readonly value: Rational;
  /** Digits after the decimal point; null where the literal is exact (integer or fraction). */
  readonly decimals: number | null;
  readonly percent: boolean;
  readonly currency: string | null;
  /** What follows the number, e.g. `cm`; null where nothing does. */
  readonly unit: string | null;
}

/** Longest literal read; longer ones are text. Keeps BigInt arithmetic far from its limits. */
export const maximumDigits = 2000;

const currencies = /^(?:\\\$|\$|€|£|¥|₹|₽|US\$|USD|EUR|GBP|Rs\.?)\s*/;
const spacing = /\\[,!;: ]|\\(?:thinspace|quad|qquad)(?![a-zA-Z])|[\u00a0\u2000-\u200a\u202f]/g;
const plain = String.raw`(?:[1-9]\d{0,2}(?:,\d{3})+(?!\d)|\d{1,3}(?: \d{3})+(?![\d/])|\d+)(?:\.\d*)?|\.\d+`;
const body = new RegExp(
  [
    String.raw`^(?<mixed>\d+)\s*(?:\\[dtc]?frac\s*\{(?<mn>\d+)\}\s*\{(?<md>\d+)\}|\s(?<sn>\d+)\s*/\s*(?<sd>\d+))`,
    String.raw`^\\[dtc]?frac\s*(?:\{\s*(?<fs>-?)\s*(?<fn>${plain})\s*\}|(?<fn1>\d)\s*)\s*(?:\{\s*(?<fd>-?(?:${plain}))\s*\}|(?<fd1>\d))`,
    String.raw`^\(?(?<qn>${plain})\)?\s*/\s*\(?(?<qd>${plain})\)?`,
    String.raw`^(?<number>${plain})`,
  ].join('|'),
);
const exponent =
  /^(?:[eE]([+-]?\d{1,4})|\s*(?:\\times|\\cdot|×|\*|x|·)\s*10\s*(?:\^|\*\*)\s*(?:\{\s*([+-]?\d{1,4})\s*\}|\(([+-]?\d{1,4})\)|([+-]?\d{1,4})))(?!\w)/;

/**
 * Reads a whole string as one number: integers with or without thousands separators, decimals, fractions, mixed
 * numbers, scientific notation, with a sign, a currency before or after it, a percent sign, and a unit. Null where the
 * string is anything else, or the number is longer than `maximumDigits`.
 */
export function parseNumber(source: string): NumberLiteral | null {
  if (source.length > maximumDigits) return null;
  let text = unwrapLatexText(stripDelimiters(source))
    .replace(/\{,\}|\\!/g, (part) => (part === '{,}' ? ',' : ''))
    .replace(/,\s+(?=\d{3}(?:\D|$))/g, source.includes('\\!') ? ',' : '$&')
    .replace(spacing, ' ')
    .replace(/[−–](?=\s*[\d.$\\])/g, '-')
    .trim();
  let negative = false;
  let currency: string | null = null;
  for (let round = 0; round < 3; round++) {
    const sign = /^([+-])\s*/.exec(text);
    if (sign !== null && !negative) {
      negative = sign[1] === '-';
      text = text.slice(sign[0].length);
    }
    const money = currencies.exec(text);
    if (money !== null && currency === null) {
      currency = money[0].trim();
      text = text.slice(money[0].length);
    }
  }
  const match = body.exec(text);
  if (match === null) return null;
  const parts = readBody(match.groups ?? {});
  if (parts === null) return null;
  let { value, decimals } = parts;
  let rest = text.slice(match[0].length);
  const power = exponent.exec(rest);
  if (power !== null) {
    const n = Number(power[1] ?? power[2] ?? power[3] ?? power[4]);
    value = multiply(value, powerOfTen(n));
    if (decimals !== null) decimals = Math.max(0, decimals - n);
    rest = rest.slice(power[0].length);
  }
  if (rest !== '' && !/^(?:\s|%|\\%|\\\$|[$€£¥₹°]|\^|\p{L}|-(?=\p{L})|\\circ|\\degree)/u.test(rest)) return null;
  const tail = rest.trim();
  const percent = /^(?:\\?%|percent\b|percentage\b|pct\b|per cent\b)/i.exec(tail);
  let unit = tail
    .slice(percent?.[0].length ?? 0)
    .replace(/^-(?=\p{L})/u, '')
    .replace(/\.$/, '')
    .trim();
  const moneyAfter = /^(?:\\\$|[$€£¥₹])$/.exec(unit);
  if (moneyAfter !== null) {
    currency ??= unit;
    unit = '';
  }
  if (unit !== '' && !isUnitLike(unit)) return null;
  // `5abc`: a word glued to a number is its unit only where it is one.
  if (unit !== '' && /^[a-zA-Z]/.test(rest) && reduceUnit(unit) === null) return null;
  if (negative) value = negate(value);
  return { value, decimals, percent: percent !== null, currency, unit: unit === '' ? null : unit };
}

type Groups = Readonly<Record<string, string | undefined>>;

function readBody(groups: Groups): { value: Rational; decimals: number | null } | null {
  const digits = (text: string): string => text.replace(/[, ]/g, '');
  if (groups['mixed'] !== undefined) {
    const denominator = BigInt(groups['md'] ?? groups['sd'] ?? '0');
    if (denominator === 0n) return null;
    const part = rational(BigInt(groups['mn'] ?? groups['sn'] ?? '0'), denominator);
    return { value: add(rational(BigInt(groups['mixed'])), part), decimals: null };
  }
  const over = groups['fn'] ?? groups['fn1'] ?? groups['qn'];
  if (over !== undefined) {
    const numerator = fromDecimal(digits(over));
    const denominator = fromDecimal(digits(groups['fd'] ?? groups['fd1'] ?? groups['qd'] ?? '0'));
    if (denominator.n === 0n) return null;
    const value = rational(numerator.n * denominator.d, numerator.d * denominator.n);
    return { value: groups['fs'] === '-' ? negate(value) : value, decimals: null };
  }
  const number = digits(groups['number'] ?? '');
  const point = number.indexOf('.');
  const decimals = point < 0 || point === number.length - 1 ? null : number.length - point - 1;
  return { value: fromDecimal(number), decimals };
}

/** Words that may be a unit: letters with powers, products and quotients (`km/h`, `m^2`, `square feet`), at most six. */
function isUnitLike(text: string): boolean {
  if (/[\^\d]/.test(text.replace(/\^?\s*\{?\s*\\(?:circ|degree)\s*\}?/g, '')) && reduceUnit(text) === null)
    return false;
  if (text.length > 60 || text.split(/\s+/).length > 6) return false;
  if (/^[a-zA-Z]$/.test(text)) return /^[cCKFmsgLlhNJWVAgtTHr]$/.test(text);
  return (
    /^(?:\^?\\?\{?\^?\\?(?:circ|degree)\}?|°)?\s*[\p{L}°µμ%²³\\/^{}()·*\d\s.-]*$/u.test(text) &&
    /[\p{L}°]|circ/u.test(text)
  );
}
