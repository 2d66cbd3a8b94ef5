import { softmaxRow } from './logprob.js';

/** The tokens that temperature, top-k and top-p leave, and their re-normalised probabilities, in float64 by a full sort. */
export function keptTokens(
  x: ArrayLike<number>,
  { temperature = 1, topK = 0, topP = 1 }: { temperature?: number; topK?: number; topP?: number },
): Map<number, number> {
  const { probabilities } = softmaxRow(x, temperature);
  const order = Array.from(probabilities.keys())
    .filter((j) => x[j]! > -Infinity)
    .sort((a, b) => x[b]! - x[a]! || a - b);
  const byCount = topK === 0 ? order : order.slice(0, topK);
  const total = byCount.reduce((sum, j) => sum + probabilities[j]!, 0);
  const kept: number[] = [];
  let before = 0;
  for (const j of byCount) {
    if (topP < 1 && before >= topP * total && kept.length > 0) break;
    kept.push(j);
    before += probabilities[j]!;
  }
  return new Map(kept.map((j) => [j, probabilities[j]! / before]));
}

/** Chi-square statistic of counts against expected probabilities, bins below 5 expected joined; with its degrees of freedom. */
export function chiSquare(
  counts: Map<number, number>,
  expected: Map<number, number>,
): { statistic: number; df: number } {
  const total = Array.from(counts.values()).reduce((a, b) => a + b, 0);
  let statistic = 0;
  let bins = 0;
  let rest = { expected: 0, count: 0 };
  for (const [token, p] of expected) {
    const bin = { expected: p * total, count: counts.get(token) ?? 0 };
    if (bin.expected < 5) {
      rest = { expected: rest.expected + bin.expected, count: rest.count + bin.count };
      continue;
    }
    statistic += (bin.count - bin.expected) ** 2 / bin.expected;
    bins++;
  }
  if (rest.expected >= 5) {
    statistic += (rest.count - rest.expected) ** 2 / rest.expected;
    bins++;
  }
  return { statistic, df: Math.max(1, bins - 1) };
}

/** Upper limit that chi-square with df degrees of freedom exceeds with probability 1e-5 (Wilson-Hilferty). */
export function chiSquareLimit(df: number): number {
  const z = 4.265;
  return df * (1 - 2 / (9 * df) + z * Math.sqrt(2 / (9 * df))) ** 3;
}
