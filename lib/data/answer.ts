import type { Answer, Domain } from './question.js';

const INTEGER = /^[-+]?\d+$/;
const GROUPED = /^[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$/;
const DECIMAL = /^[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?$/;
const FRACTION = /^([-+]?)\s*(\d+)\s*\/\s*(\d+)$/;
const LATEX_FRACTION = /^([-+]?)\s*\\[dt]?frac\s*\{\s*([-+]?\d+)\s*\}\s*\{\s*(\d+)\s*\}$/;
/** `\frac12`: two arguments of one digit each. */
const SHORT_LATEX_FRACTION = /^([-+]?)\s*\\[dt]?frac\s*(\d)\s*(\d)$/;

/** Questions that ask for all of something, unless it is their sum or number. */
const ASKS_FOR_ALL =
  /\b(?:all|every|what are|list)\b|separated by commas|(?:in|de|a)s?cending order|(?:in|de)creasing order/i;
const ASKS_FOR_ONE =
  /\b(?:sum|product|total|number of|how many|average|mean|median|least|greatest|smallest|largest|maximum|minimum|remainder)\b/i;

/** Whether groups of three digits with commas are several numbers (`153,370,371`), as the question wants, or one. */
function asksForSeveral(asked: string): boolean {
  return /separated by commas/i.test(asked) || (ASKS_FOR_ALL.test(asked) && !ASKS_FOR_ONE.test(asked));
}

/**
 * Types a gold answer that its source gives as bare text: integers, decimals and fractions are recognised in either
 * domain; what remains is an `expression` in mathematics and `text` elsewhere. One pair of `$…$`, `\(…\)` or `\[…\]`, a
 * leading currency sign before a number, space behind its sign, thousands separators and a final period are not part of
 * the value. `asked`, the question, tells several numbers of three digits from thousands.
 */
export function typedAnswer(raw: string, domain: Domain, asked = ''): Answer {
  const value = stripDelimiters(raw.trim());
  const bare = value
    .replace(/^([-+]?)\\?\$\s*(?=[\d.])/, '$1')
    .replace(/^([-+])\s+(?=[\d.\\])/, '$1')
    .replace(/(?<=\d)\.$/, '');
  if (GROUPED.test(bare) && asksForSeveral(asked)) {
    return { type: domain === 'math' ? 'expression' : 'text', value: bare.split(',').join(', ') };
  }
  const number = numericAnswer(bare);
  if (number !== undefined) {
    return bare !== value.replace(/\.$/, '') && value.includes('$') ? { ...number, unit: '$' } : number;
  }
  return { type: domain === 'math' ? 'expression' : 'text', value };
}

/** The numeric answer that `text` spells, or undefined. Integral decimals (`27.0`) are integers. */
export function numericAnswer(text: string): Answer | undefined {
  if (INTEGER.test(text)) return { type: 'integer', value: canonicalInteger(text) };
  if (GROUPED.test(text)) return numericAnswer(text.replaceAll(',', ''));
  const fraction = FRACTION.exec(text) ?? LATEX_FRACTION.exec(text) ?? SHORT_LATEX_FRACTION.exec(text);
  if (fraction !== null) {
    const [, sign, numerator = '', denominator = ''] = fraction;
    if (/^0+$/.test(denominator)) return undefined;
    const signed = sign === '-' ? -BigInt(numerator) : BigInt(numerator);
    return { type: 'fraction', value: `${signed}/${BigInt(denominator)}` };
  }
  if (!DECIMAL.test(text)) return undefined;
  if (/^[-+]?\d+\.0*$/.test(text)) return { type: 'integer', value: canonicalInteger(text.replace(/\..*$/, '')) };
  return { type: 'decimal', value: text.replace(/^\+/, '').replace(/^(-?)\./, '$10.') };
}

function canonicalInteger(digits: string): string {
  if (/^[1-9]/.test(digits)) return digits;
  // BigInt keeps answers beyond 2^53 exact; "-0" becomes "0".
  return BigInt(digits.replace(/^\+/, '')).toString();
}

const DELIMITED = [/^\$\$([^$]+)\$\$$/, /^\$([^$]+)\$$/, /^\\\(((?:(?!\\\)).)+)\\\)$/s, /^\\\[((?:(?!\\\]).)+)\\\]$/s];

/** Removes one pair of `$…$`, `$$…$$`, `\(…\)` or `\[…\]` around the whole text. */
function stripDelimiters(text: string): string {
  if (!text.startsWith('$') && !text.startsWith('\\')) return text;
  for (const pattern of DELIMITED) {
    const inner = pattern.exec(text)?.[1];
    if (inner !== undefined) return inner.trim();
  }
  return text;
}

/** `yes`, `no`, `true` and `false` as a truth value; anything else typed as by `typedAnswer`. */
export function truthOr(raw: string, domain: Domain, asked = ''): Answer {
  const word = raw.trim().toLowerCase().replace(/\.$/, '');
  if (word === 'yes' || word === 'true') return { type: 'boolean', value: 'true' };
  if (word === 'no' || word === 'false') return { type: 'boolean', value: 'false' };
  return typedAnswer(raw, domain, asked);
}

/**
 * A gold with alternatives: the first is the value, the others count where they differ from it. Alternatives share the
 * value's type, so a gold whose forms type differently is text throughout.
 */
export function answerWithAliases(raws: readonly string[], domain: Domain): Answer {
  const typed = [...new Set(raws.map((raw) => raw.trim()).filter((raw) => raw !== ''))].map((raw) =>
    typedAnswer(raw, domain),
  );
  const [first, ...others] = typed;
  if (first === undefined) return { type: 'text', value: '' };
  if (others.length === 0) return first;
  const same = others.every(({ type }) => type === first.type);
  const [value, ...rest] = same ? typed.map((answer) => answer.value) : raws.map((raw) => raw.trim());
  const alternatives = [...new Set(rest)].filter((text) => text !== '' && text !== value);
  return {
    type: same ? first.type : 'text',
    value: value ?? '',
    ...(alternatives.length === 0 ? {} : { alternatives }),
  };
}
