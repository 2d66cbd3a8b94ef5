import { grpoStep, type GrpoStepOptions } from '../../lib/kernels/grpoStep.js';

type Settings = GrpoStepOptions & { readonly temperature?: number };

const VOCAB = 7;
const LENGTHS = [4, 1, 3];
const tokens = Int32Array.of(2, 6, 0, 3, 1, 5, 5, 4);
const advantages = Float32Array.of(1.5, -0.7, -1.1);
const cuSeqlens = Int32Array.of(0, 4, 5, 8);
const start = Float64Array.from({ length: tokens.length * VOCAB }, (_, i) => 1.5 * Math.sin(1.3 * i));

/** Log-probs at temperature T, in float64. */
function logprobs(logits: Float64Array, temperature: number): number[] {
  return [...tokens].map((token, row) => {
    const scaled = [...logits.subarray(row * VOCAB, (row + 1) * VOCAB)].map((x) => x / temperature);
    return scaled[token]! - Math.log(scaled.reduce((sum, x) => sum + Math.exp(x), 0));
  });
}

const old = logprobs(start, 1).map((value, i) => value + 0.3 * Math.sin(5 * i));
const reference = logprobs(start, 1).map((value, i) => value + 0.4 * Math.cos(3 * i));

/** The clipped loss with the k3 penalty, as the paper writes it, in float64. */
function loss(
  logits: Float64Array,
  { clipLow = 0.2, clipHigh = 0.2, klCoef = 0, aggregation, temperature = 1 }: Settings,
): number {
  const perToken = logprobs(logits, temperature).map((value, t) => {
    const sequence = cuSeqlens.findLastIndex((border) => border <= t);
    const a = advantages[sequence]!;
    const ratio = Math.exp(value - old[t]!);
    const clipped = Math.min(Math.max(ratio, 1 - clipLow), 1 + clipHigh);
    const d = reference[t]! - value;
    return -Math.min(ratio * a, clipped * a) + klCoef * (Math.exp(d) - d - 1);
  });
  const sequences = LENGTHS.map((length, i) => perToken.slice(cuSeqlens[i], cuSeqlens[i]! + length));
  const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
  if (aggregation === 'token-mean') return total(perToken) / perToken.length;
  return total(sequences.map((part) => total(part) / part.length)) / sequences.length;
}

test.each<Settings>([
  {},
  { klCoef: 0.3 },
  { klCoef: 0.1, aggregation: 'token-mean' },
  { clipLow: 0.05, clipHigh: 0.1, aggregation: 'token-mean' },
  { temperature: 0.7, klCoef: 0.2 },
])('dLogits is the gradient of the loss: %j', (options) => {
  const { dLogits, loss: value } = grpoStep(
    Float32Array.from(start),
    {
      tokens,
      oldLogprobs: Float32Array.from(old),
      refLogprobs: Float32Array.from(reference),
      advantages,
      cuSeqlens,
    },
    options,
  );
  expect(value).toBeCloseTo(loss(start, options), 5);
  const h = 1e-5;
  dLogits.forEach((got, i) => {
    const at = (sign: number): number =>
      loss(
        start.map((x, j) => (j === i ? x + sign * h : x)),
        options,
      );
    expect(Math.abs(got - (at(1) - at(-1)) / (2 * h))).toBeLessThan(2e-5);
  });
});

test('metrics count clipped tokens and measure the drift from the sampling policy', () => {
  const { metrics } = grpoStep(
    Float32Array.from(start),
    { tokens, oldLogprobs: Float32Array.from(old), advantages, cuSeqlens },
    { clipLow: 0.05, clipHigh: 0.05 },
  );
  const now = logprobs(start, 1);
  const sign = [1, 1, 1, 1, -1, -1, -1, -1];
  const ratio = now.map((value, t) => Math.exp(value - old[t]!));
  expect(metrics.tokens).toBe(8);
  expect(metrics.clippedHigh).toBe(ratio.filter((r, t) => sign[t] === 1 && r > 1.05).length);
  expect(metrics.clippedLow).toBe(ratio.filter((r, t) => sign[t] === -1 && r < 0.95).length);
  expect(metrics.largestDrift).toBeCloseTo(Math.max(...now.map((value, t) => Math.abs(value - old[t]!))), 5);
  const entropy = [...tokens].map((_, row) => {
    const x = [...start.subarray(row * VOCAB, (row + 1) * VOCAB)];
    const z = x.reduce((sum, value) => sum + Math.exp(value), 0);
    return x.reduce((sum, value) => sum - (Math.exp(value) / z) * (value - Math.log(z)), 0);
  });
  expect(metrics.entropySum).toBeCloseTo(
    entropy.reduce((a, b) => a + b, 0),
    4,
  );
});
