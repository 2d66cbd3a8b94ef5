import { stripDelimiters, unwrapLatexText } from '../answers/text.js';
import { findBoxes } from '../extraction/boxed.js';

/** Words that string graders drop: units of measure and things counted (Minerva, appendix D). */
const dropped =
  /\b(?:square|cubic|inches|inch|feet|foot|ft|meters|meter|centimeters|cm|km|miles|mph|hours|hour|hrs|minutes|minute|seconds|days|day|dollars|dollar|cents|cent|degrees|degree|points|point|units|unit|percent|mathrm|pounds|ounces|gallons|liters|edges|students|cards|tickets|sides|multiples|students|tiles|per|mbox)\b/g;

/**
 * Normalised LaTeX of the string graders (Hendrycks MATH, Minerva, DAPO): layout, units, currency and degree signs off,
 * fractions spelled one way, `0.5` as `\frac{1}{2}`. Nothing is evaluated: 2/4 is not 1/2 and the order of a list counts.
 */
export function latexString(source: string): string {
  let text = stripDelimiters(source);
  text = findBoxes(text).at(-1)?.content ?? text;
  const equals = text.split('=');
  if (equals.length === 2 && (equals[0] ?? '').trim().length <= 2) text = equals[1] ?? text;
  text = unwrapTrailingText(text)
    .replace(/\\!|\\[,;: ]|\\q?quad(?![a-z])|~/g, '')
    .replace(/\\[dtc]frac/g, '\\frac')
    .replace(/\\(?:left|right)(?![a-z])/g, '')
    .replace(/\^\s*\{?\s*\\circ\s*\}?|\\circ(?![a-z])|°/g, '')
    .replace(/\\\$|\$|\\%|%/g, '');
  text = unwrapLatexText(text)
    .replace(dropped, '')
    .replace(/^\s*(?:an?|the)\s+/, '');
  text = text.replace(/\s+/g, '').replace(/(?<=\d),(?=\d{3}(?!\d))/g, '');
  text = text
    .replace(/(^|[^\d])\./g, '$10.')
    .replace(/0\.$/, '')
    .replace(/\\sqrt(\w)/g, '\\sqrt{$1}')
    .replace(/\\frac(\d)(\d)/g, '\\frac{$1}{$2}')
    .replace(/\\frac(\d)\{/g, '\\frac{$1}{')
    .replace(/(\\frac\{[^{}]*\})(\d)/g, '$1{$2}')
    .replace(/\.$/, '');
  if (text === '0.5') return '\\frac{1}{2}';
  return text.replace(/^(-?\d+)\/(-?\d+)$/, '\\frac{$1}{$2}').replace(/^(-?\d+)\.0+$/, '$1');
}

/** `10\text{ units}`: text behind a value is a unit; text alone is the answer. */
function unwrapTrailingText(text: string): string {
  const at = text.search(/\\(?:text|mbox|mathrm)\{/);
  return at > 0 && /\d|\}/.test(text.slice(0, at)) ? text.slice(0, at) : text;
}
