import type { NumberLiteral } from '../answers/number.js';
import { absolute, compare, divide, equals, one, rational, type Rational } from '../answers/rational.js';
import { sameUnit, sameMeasured } from './measure.js';
import { closeRationals, type Context } from './scalar.js';
import type { Expr } from '../expression/ast.js';

const hundred = rational(100n);

/**
 * Whether two number literals are the same under the settings. Exact first; a relative tolerance only where one side is
 * a decimal, never an absolute one (1/2004! is not 1/2006!).
 */
export function sameNumber(gold: NumberLiteral, answer: NumberLiteral, context: Context): boolean {
  const { percent, units } = context.settings;
  if (units !== 'ignore') {
    if (gold.unit !== null && answer.unit !== null) {
      if (!sameUnit(gold.unit, answer.unit)) return sameMeasured(asExpression(gold), asExpression(answer), context);
    } else if (units === 'strict' && gold.unit !== answer.unit) return false;
    // 80 % is not 80 degrees.
    if ((gold.percent && answer.unit !== null) || (answer.percent && gold.unit !== null)) return false;
    if (gold.currency !== null && answer.currency !== null && !sameUnit(gold.currency, answer.currency)) return false;
  }
  const inexact = gold.decimals !== null || answer.decimals !== null;
  const places = gold.decimals === null || answer.decimals === null ? null : Math.min(gold.decimals, answer.decimals);
  const decimals = places ?? gold.decimals ?? answer.decimals;
  const close = (a: Rational, b: Rational): boolean =>
    equals(a, b) || (inexact && closeRationals(a, b, context, decimals));
  if (gold.percent === answer.percent || percent === 'number') return close(gold.value, answer.value);
  const fraction = ({ value, percent: sign }: NumberLiteral): Rational => (sign ? divide(value, hundred) : value);
  // `10` for `10 %` is how people answer `what percentage`; `0.1` for `0.1 %` is a slip.
  const countsPercents = percent === 'either' && compare(absolute(gold.value), one) >= 0;
  return close(fraction(gold), fraction(answer)) || (countsPercents && close(gold.value, answer.value));
}

function asExpression({ value, decimals, unit }: NumberLiteral): Expr {
  const arg: Expr = { k: 'num', value, decimals };
  return unit === null ? arg : { k: 'unit', arg, unit };
}
