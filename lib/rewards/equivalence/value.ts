import { parseNumber } from '../answers/number.js';
import { normaliseText } from '../answers/text.js';
import type { ResolvedSettings } from '../settings.js';
import { sameNumber } from './number.js';

/** Whether an extracted answer equals one gold form: as numbers where both are, else as normalised text. */
export function sameValue(gold: string, answer: string, settings: ResolvedSettings, tolerance?: number): boolean {
  const goldText = normaliseText(gold);
  if (goldText !== '' && goldText === normaliseText(answer)) return true;
  const goldNumber = parseNumber(gold);
  const answerNumber = goldNumber === null ? null : parseNumber(afterEquals(answer));
  if (goldNumber !== null && answerNumber !== null) return sameNumber(goldNumber, answerNumber, settings, tolerance);
  return compactLatex(gold) === compactLatex(answer);
}

/** `x = 5` answers with 5. */
function afterEquals(text: string): string {
  return /^\$?\s*\\?[a-zA-Z]\w{0,10}(?:_\{?\w+\}?)?\s*=\s*([^=]+)$/.exec(text)?.[1] ?? text;
}

/** LaTeX without layout: spaces, `\left`, `\dfrac`, sizes. */
function compactLatex(text: string): string {
  return normaliseText(text)
    .replace(/\\(?:left|right|big|bigg|displaystyle)(?![a-z])/g, '')
    .replace(/\\[dtc]frac/g, '\\frac')
    .replace(/\\frac(\d)(\d)/g, '\\frac{$1}{$2}')
    .replace(/\\sqrt(\d)/g, '\\sqrt{$1}')
    .replace(/\s+/g, '');
}
