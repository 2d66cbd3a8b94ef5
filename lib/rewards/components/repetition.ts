export interface RepetitionOptions {
  /** Words per n-gram. Default 3. */
  readonly size?: number;
  /** Penalty where every n-gram but one repeats. Default 1. */
  readonly maximum?: number;
}

/**
 * `-maximum * (1 - distinct / all)` over the n-grams of a response (arXiv 2502.03373, as open-r1 computes it): 0 for a
 * text that never repeats itself, near `-maximum` for one that only does. Scripts without spaces count characters.
 */
export function repetitionPenalty(response: string, { size = 3, maximum = 1 }: RepetitionOptions = {}): number {
  const words =
    response
      .toLowerCase()
      .match(
        /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[^\s\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]+/gu,
      ) ?? [];
  const total = words.length - size + 1;
  if (total < 2) return 0;
  const distinct = new Set<string>();
  for (let i = 0; i < total; i++) distinct.add(words.slice(i, i + size).join('\u0001'));
  const penalty = -maximum * (1 - distinct.size / total);
  return penalty === 0 ? 0 : penalty;
}
