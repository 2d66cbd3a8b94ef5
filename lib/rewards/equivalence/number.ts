import type { NumberLiteral } from '../answers/number.js';
import { absolute, compare, divide, equals, multiply, rational, subtract, type Rational } from '../answers/rational.js';
import type { ResolvedSettings } from '../settings.js';

const hundred = rational(100n);

/**
 * Whether two number literals are the same under the settings. Exact first; a relative tolerance only where one side is
 * a decimal, never an absolute one (1/2004! is not 1/2006!).
 */
export function sameNumber(
  gold: NumberLiteral,
  answer: NumberLiteral,
  settings: Pick<ResolvedSettings, 'tolerance' | 'percent' | 'units'>,
  tolerance = settings.tolerance,
): boolean {
  if (!sameUnit(gold.unit, answer.unit, settings.units)) return false;
  const inexact = gold.decimals !== null || answer.decimals !== null;
  const close = (a: Rational, b: Rational): boolean => equals(a, b) || (inexact && within(a, b, tolerance));
  if (gold.percent === answer.percent) return close(gold.value, answer.value);
  const asNumber = close(gold.value, answer.value);
  const asFraction = close(
    gold.percent ? divide(gold.value, hundred) : gold.value,
    answer.percent ? divide(answer.value, hundred) : answer.value,
  );
  if (settings.percent === 'number') return asNumber;
  return settings.percent === 'either' ? asNumber || asFraction : asFraction;
}

/** `|a - b| <= tolerance * max(|a|, |b|)`, exactly. */
function within(a: Rational, b: Rational, tolerance: number): boolean {
  if (tolerance <= 0) return false;
  const larger = compare(absolute(a), absolute(b)) > 0 ? absolute(a) : absolute(b);
  const scale = rational(BigInt(Math.round(tolerance * 1e15)), 10n ** 15n);
  return compare(absolute(subtract(a, b)), multiply(scale, larger)) <= 0;
}

function sameUnit(gold: string | null, answer: string | null, policy: ResolvedSettings['units']): boolean {
  if (policy === 'ignore') return true;
  if (gold === null || answer === null) return gold === answer || policy === 'ignore-missing';
  return plainUnit(gold) === plainUnit(answer);
}

function plainUnit(unit: string): string {
  return unit
    .toLowerCase()
    .replace(/[{}\s\\^]|circ|degrees?|°/g, (part) => (/circ|deg|°/.test(part) ? 'deg' : ''))
    .replace(/(?<=\w{2})s$/, '');
}
