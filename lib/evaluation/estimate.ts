import { invalidValue } from '../errors.js';

/** A value with its 95 % confidence interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Two-sided 95 % quantile of the normal distribution. */
const Z = 1.959963984540054;

/** Share of successes with Wilson's score interval (Wilson 1927), which holds near 0 and 1 and for small n. */
export function proportionEstimate(successes: number, n: number): Estimate {
  if (!(n > 0) || successes < 0 || successes > n)
    throw invalidValue('successes', `0 to n (${n}), n above 0`, successes);
  const share = successes / n;
  const centre = (share + (Z * Z) / (2 * n)) / (1 + (Z * Z) / n);
  const half = (Z / (1 + (Z * Z) / n)) * Math.sqrt((share * (1 - share)) / n + (Z * Z) / (4 * n * n));
  return { value: share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/**
 * Mean with a normal interval from the standard error over `values`. Where several samples of one question count, `values`
 * are the questions' own means: samples of one question are not independent (arXiv 2411.00640).
 */
export function meanEstimate(values: readonly number[]): Estimate {
  if (values.length === 0) throw invalidValue('values', 'at least one value', values);
  const value = values.reduce((sum, x) => sum + x, 0) / values.length;
  const square = values.reduce((sum, x) => sum + (x - value) ** 2, 0);
  const error = values.length > 1 ? Math.sqrt(square / (values.length - 1) / values.length) : 0;
  return { value, low: value - Z * error, high: value + Z * error };
}

/**
 * Unbiased pass@k from n samples of which `correct` are right: 1 - C(n - correct, k) / C(n, k) (arXiv 2107.03374).
 */
export function passAtK(n: number, correct: number, k: number): number {
  if (!Number.isInteger(k) || k < 1 || k > n) throw invalidValue('k', `an integer from 1 to n (${n})`, k);
  if (correct < 0 || correct > n) throw invalidValue('correct', `0 to n (${n})`, correct);
  if (n - correct < k) return 1;
  let miss = 1;
  for (let i = n - correct + 1; i <= n; i++) miss *= 1 - k / i;
  return 1 - miss;
}
