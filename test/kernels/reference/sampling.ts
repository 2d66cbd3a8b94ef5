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

/** A row as filters see it: logits and the tokens still in play, in float64. */
interface Chain {
  readonly x: readonly number[];
  temperature: number;
  kept: number[];
}

function masses({ x, temperature, kept }: Chain): Map<number, number> {
  const max = kept.reduce((m, j) => Math.max(m, x[j]!), -Infinity);
  const weights = kept.map((j) => Math.exp((x[j]! - max) / temperature));
  const total = weights.reduce((a, b) => a + b, 0);
  return new Map(kept.map((j, i) => [j, weights[i]! / total]));
}

/** Keeps the head of `order` until the mass in front reaches `p` of all. */
function nucleus(order: readonly number[], mass: Map<number, number>, p: number): number[] {
  let before = 0;
  const kept: number[] = [];
  for (const j of order) {
    if (before >= p && kept.length > 0) break;
    kept.push(j);
    before += mass.get(j)!;
  }
  return kept;
}

export interface ReferenceFilters {
  temperature?: number;
  topK?: number;
  topP?: number;
  minP?: number;
  typicalP?: number;
  topNSigma?: number;
}

/** The tokens that a chain of filters keeps (ascending) and their probabilities, by the textbook and full sorts. */
export function filterChain(
  logits: ArrayLike<number>,
  steps: readonly string[],
  o: ReferenceFilters,
): Map<number, number> {
  const x = Array.from(logits);
  const all = x.map((_, j) => j).filter((j) => x[j]! > -Infinity);
  const chain: Chain = { x, temperature: 1, kept: all };
  const filters: Record<string, () => void> = {
    temperature: () => (chain.temperature = o.temperature ?? 1),
    topK: () => {
      if (o.topK) chain.kept = chain.kept.slice(0, o.topK);
    },
    topP: () => (chain.kept = nucleus(chain.kept, masses(chain), o.topP ?? 1)),
    topPOfRow: () => {
      const head = nucleus(chain.kept, masses({ ...chain, kept: all }), o.topP ?? 1);
      chain.kept = chain.kept.filter((j) => head.includes(j));
    },
    minP: () => {
      const mass = masses(chain);
      const most = Math.max(...mass.values());
      chain.kept = chain.kept.filter((j) => mass.get(j)! >= (o.minP ?? 0) * most);
    },
    typicalP: () => {
      const mass = masses(chain);
      const entropy = chain.kept.reduce((h, j) => h - mass.get(j)! * Math.log(mass.get(j)!), 0);
      const shift = (j: number): number => Math.abs(-Math.log(mass.get(j)!) - entropy);
      const typical = [...chain.kept].sort((a, b) => shift(a) - shift(b) || a - b);
      const head = new Set(nucleus(typical, mass, o.typicalP ?? 1));
      chain.kept = chain.kept.filter((j) => head.has(j));
    },
    topNSigma: () => {
      if (!o.topNSigma) return;
      const mean = all.reduce((a, j) => a + x[j]!, 0) / all.length;
      const deviation = Math.sqrt(all.reduce((a, j) => a + (x[j]! - mean) ** 2, 0) / all.length);
      const largest = all.reduce((m, j) => Math.max(m, x[j]!), -Infinity);
      chain.kept = chain.kept.filter((j) => x[j]! >= largest - o.topNSigma! * deviation);
    },
  };
  chain.kept.sort((a, b) => x[b]! - x[a]! || a - b);
  for (const step of steps) filters[step]?.();
  chain.kept.sort((a, b) => a - b);
  return masses(chain);
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
