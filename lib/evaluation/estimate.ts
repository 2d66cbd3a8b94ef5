import { invalidType, invalidValue } from '../errors.js';

/** A value with its 95 % confidence interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Two-sided 95 % quantile of the normal distribution. */
const Z = 1.959963984540054;

function count(field: string, value: unknown, least: number, most: number, expected: string): void {
  if (typeof value !== 'number') throw invalidType(field, expected, value);
  if (!Number.isSafeInteger(value) || value < least || value > most) throw invalidValue(field, expected, value);
}

/**
 * Share of successes with Wilson's score interval (Wilson 1927), which holds near 0 and 1 and for small n.
 *
 * @throws CrossThinkError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for what are no counts of samples.
 */
export function proportionEstimate(successes: number, n: number): Estimate {
  count('n', n, 1, Infinity, 'an integer >= 1');
  count('successes', successes, 0, n, `an integer from 0 to n (${n})`);
  const share = successes / n;
  const centre = (share + (Z * Z) / (2 * n)) / (1 + (Z * Z) / n);
  const half = (Z / (1 + (Z * Z) / n)) * Math.sqrt((share * (1 - share)) / n + (Z * Z) / (4 * n * n));
  return { value: share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/**
 * Mean with a normal interval from the standard error over `values`. Where several samples of one question count, `values`
 * are the questions' own means: samples of one question are not independent (arXiv 2411.00640).
 *
 * @throws CrossThinkError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` where they are no list of numbers, or an empty one.
 */
export function meanEstimate(values: readonly number[]): Estimate {
  const given: unknown = values; // Array.isArray would make `values` any[].
  if (!Array.isArray(given)) throw invalidType('values', 'an array of numbers', given);
  given.forEach((x: unknown, i) => {
    if (typeof x !== 'number') throw invalidType(`values[${i}]`, 'a number', x);
  });
  if (values.length === 0) throw invalidValue('values', 'at least one value', values);
  const value = values.reduce((sum, x) => sum + x, 0) / values.length;
  const square = values.reduce((sum, x) => sum + (x - value) ** 2, 0);
  const error = values.length > 1 ? Math.sqrt(square / (values.length - 1) / values.length) : 0;
  return { value, low: value - Z * error, high: value + Z * error };
}

/**
 * Unbiased pass@k from n samples of which `correct` are right: 1 - C(n - correct, k) / C(n, k) (arXiv 2107.03374).
 *
 * @throws CrossThinkError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for what are no counts of samples.
 */
export function passAtK(n: number, correct: number, k: number): number {
  count('n', n, 1, Infinity, 'an integer >= 1');
  count('k', k, 1, n, `an integer from 1 to n (${n})`);
  count('correct', correct, 0, n, `an integer from 0 to n (${n})`);
  if (n - correct < k) return 1;
  let miss = 1;
  for (let i = n - correct + 1; i <= n; i++) miss *= 1 - k / i;
  return 1 - miss;
}
