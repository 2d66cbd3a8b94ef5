/** Length limits, in the unit the caller measures in (tokens where it has them). */
export interface OverlongOptions {
  /** Length from which the penalty is -1. */
  readonly maximum: number;
  /** Stretch before `maximum` over which the penalty grows. */
  readonly cache: number;
}

/**
 * Soft overlong punishment of DAPO (arXiv 2503.14476, equation 13): 0 up to `maximum - cache`, falling linearly to -1 at
 * `maximum`, -1 beyond.
 */
export function overlongPenalty(length: number, { maximum, cache }: OverlongOptions): number {
  const threshold = maximum - cache;
  if (length <= threshold) return 0;
  return length > maximum ? -1 : (threshold - length) / cache;
}

export interface CosineOptions {
  /** Length at which the cosine ends. */
  readonly maximum: number;
  /** Reward of a right answer of length 0 and of `maximum`. Default 1 and 0.5. */
  readonly right?: readonly [number, number];
  /** Reward of a wrong answer of length 0 and of `maximum`. Default -1 and -0.5: a wrong answer may think longer. */
  readonly wrong?: readonly [number, number];
}

/** Cosine-scaled length reward (arXiv 2502.03373): short right answers and long wrong ones are worth more. */
export function cosineLength(length: number, correct: boolean, options: CosineOptions): number {
  const [atZero, atMaximum] = correct ? (options.right ?? [1, 0.5]) : (options.wrong ?? [-1, -0.5]);
  const progress = Math.min(1, Math.max(0, length / options.maximum));
  return atMaximum + 0.5 * (atZero - atMaximum) * (1 + Math.cos(progress * Math.PI));
}
