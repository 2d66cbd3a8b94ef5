import { divide, rational } from '../answers/rational.js';
import { reduceUnit } from '../answers/units.js';
import { normaliseText } from '../answers/text.js';
import type { Expr } from '../expression/ast.js';
import { closeRationals, constantValue, sameScalar, type Context } from './scalar.js';
import { evaluateExactly } from './exact.js';

/** A scalar without the unit and the percent sign at its top. */
interface Measured {
  readonly core: Expr;
  readonly unit: string | null;
  readonly percent: boolean;
}

function measure(e: Expr): Measured {
  let core = e;
  let unit: string | null = null;
  let percent = false;
  let negative = false;
  for (;;) {
    if (core.k === 'unit') {
      unit = unit === null ? core.unit : `${core.unit} ${unit}`;
      core = core.arg;
    } else if (core.k === 'percent') {
      percent = true;
      core = core.arg;
    } else if (core.k === 'neg' && (core.arg.k === 'unit' || core.arg.k === 'percent')) {
      negative = !negative;
      core = core.arg;
    } else break;
  }
  return { core: negative ? { k: 'neg', arg: core } : core, unit, percent };
}

/** Scalars with their units and percent signs, under the settings. */
export function sameMeasured(gold: Expr, answer: Expr, context: Context): boolean {
  const g = measure(gold);
  const a = measure(answer);
  const { percent, units } = context.settings;
  const goldUnit = units === 'ignore' ? null : spokenUnit(g.unit);
  const answerUnit = units === 'ignore' ? null : spokenUnit(a.unit);
  if (goldUnit !== null && answerUnit !== null) {
    if (!sameUnit(goldUnit, answerUnit)) return converted(g.core, goldUnit, a.core, answerUnit, context);
  } else if (units === 'strict' && goldUnit !== answerUnit) return false;
  // 80 % is not 80 degrees.
  if ((g.percent && answerUnit !== null) || (a.percent && goldUnit !== null)) return false;
  if (g.percent === a.percent || percent === 'number') return sameScalar(g.core, a.core, context);
  const asFraction = sameScalar(scaled(g), scaled(a), context);
  const size = percent === 'either' ? constantValue(g.core, context.budget) : null;
  return asFraction || (size !== null && Math.abs(size) >= 1 && sameScalar(g.core, a.core, context));
}

/** `units` and an empty text say nothing. */
function spokenUnit(unit: string | null): string | null {
  const plain = unit === null ? '' : normaliseText(unit).replace(/^(?:units?|in units?)$/, '');
  return plain === '' ? null : (unit ?? '');
}

function scaled({ core, percent }: Measured): Expr {
  if (!percent) return core;
  if (core.k === 'num') return { ...core, value: divide(core.value, rational(100n)) };
  return { k: 'div', left: core, right: { k: 'num', value: rational(100n), decimals: null } };
}

/** Same spelling, same physical unit, or counted things that share their noun. */
export function sameUnit(gold: string, answer: string): boolean {
  if (/^(?:base|mod)\b/.test(gold) || /^(?:base|mod)\b/.test(answer))
    return normaliseText(gold) === normaliseText(answer);
  const [a, b] = [reduceUnit(gold), reduceUnit(answer)];
  if (a !== null && b !== null) return a.dimension === b.dimension && a.factor === b.factor && a.offset === b.offset;
  const nouns = (text: string): string[] =>
    normaliseText(text)
      .split(/[^\p{L}\p{N}]+/u)
      .filter((word) => word !== '' && !/^(?:of|the|a|an|per|in|units?)$/.test(word))
      .map((word) => (word.length > 3 ? word.replace(/(?:es|s)$/, '') : word));
  const [x, y] = [nouns(gold), nouns(answer)];
  if (x.length === 0 || y.length === 0) return true;
  if (a !== null || b !== null) return x.join(' ') === y.join(' ');
  return x.some((word) => y.includes(word));
}

/** Two quantities of one dimension in different units. */
function converted(gold: Expr, goldUnit: string, answer: Expr, answerUnit: string, context: Context): boolean {
  const [a, b] = [reduceUnit(goldUnit), reduceUnit(answerUnit)];
  if (a === null || a.dimension !== b?.dimension) return false;
  const [x, y] = [evaluateExactly(gold, context.budget), evaluateExactly(answer, context.budget)];
  if (x === null || y === null) return false;
  const base = (n: typeof x, unit: typeof a): number => (Number(n.n) / Number(n.d) + unit.offset) * unit.factor;
  const [p, q] = [base(x, a), base(y, b)];
  const toRational = (n: number): typeof x => rational(BigInt(Math.round(n * 1e12)), 10n ** 12n);
  return Number.isFinite(p) && Number.isFinite(q) && (p === q || closeRationals(toRational(p), toRational(q), context));
}
