import { SamplingPlan, type LogitsArray, type SamplingOptions } from '../../lib/index.js';
import { sameBits } from './isas.js';
import { fromBfloat16, Random, toBfloat16 } from './random.js';
import { filterChain } from './reference/sampling.js';

const VOCAB = 12_347; // Long enough for the search by a sample, and no multiple of any block.
const DRAWS = 32;
const keys = { seed: 5, sequences: Int32Array.of(3), positions: Int32Array.of(8), samples: DRAWS };

const normals = (scale: number, vocab = VOCAB): Float32Array => new Random(vocab).normals(vocab, scale);
const withHead = (heights: number[]): Float32Array => {
  const x = normals(1);
  heights.forEach((height, i) => (x[(i * 641) % VOCAB] = height));
  return x;
};

/** Rows whose cut lies anywhere: among many, among few, inside ties. */
const ROWS: Record<string, Float32Array> = {
  flat: normals(1),
  'very flat': normals(0.01),
  wide: normals(4),
  'head of five, all of the mass': withHead([20, 19.5, 19, 18.5, 18]),
  'head of half the mass': withHead([9.5]),
  'a head that the sample may or may not meet': withHead(Array.from({ length: 60 }, (_, i) => 9 - 0.05 * i)),
  'all equal': new Float32Array(VOCAB).fill(1.25),
  'two values': new Float32Array(VOCAB).map((_, j) => (j % 3 === 0 ? 1 : 0)),
  'ties on a grid': normals(1).map((v) => Math.round(v * 4) / 4),
  'most are masked': normals(1).map((v, j) => (j % 50 === 7 ? v : -Infinity)),
  'all but one are masked': new Float32Array(VOCAB).fill(-Infinity).fill(3, 9999, 10_000),
  'a masked half, then a ramp': new Float32Array(VOCAB).map((_, j) => (2 * j < VOCAB ? -Infinity : j * 1e-3)),
  'large logits': normals(1).map((v) => 1e4 + v),
};

const draw = (x: LogitsArray, options: SamplingOptions) =>
  sameBits((threads) => {
    const dtype = x instanceof Uint16Array ? 'bfloat16' : 'float32';
    return new SamplingPlan({ ...options, threads }).sample(x, { ...keys, dtype });
  });

/** Tokens and log-probs of a row that lists nothing it need not, and of one whose kept tokens are all listed. */
function drawBothWays(x: LogitsArray, options: SamplingOptions) {
  const unlisted = draw(x, { ...options, outputs: ['token', 'logprob', 'supportMass'] });
  const listed = draw(x, { ...options, outputs: ['token', 'logprob', 'supportMass', 'keptSet'] });
  expect(unlisted.tokens).toEqual(listed.tokens);
  expect(unlisted.logprobs).toEqual(listed.logprobs);
  expect(unlisted.supportMass).toEqual(listed.supportMass);
  return { tokens: listed.tokens, logprobs: listed.logprobs!, kept: Array.from(listed.keptSet!.tokens) };
}

describe('top-p over a long row', () => {
  describe.each(Object.entries(ROWS))('%s', (_, x) => {
    it.each([0.05, 0.5, 0.9, 0.99])('keeps and draws what the textbook does at p = %d', (topP) => {
      const { tokens, logprobs, kept } = drawBothWays(x, { topP });
      const expected = filterChain(x, ['topP'], { topP });
      // Within a few tokens: sums of float64 terms and of integers round differently.
      expect(Math.abs(kept.length - expected.size)).toBeLessThanOrEqual(2);
      const both = kept.filter((token) => expected.has(token));
      expect(both.length).toBeGreaterThanOrEqual(Math.min(kept.length, expected.size));
      const set = new Set(kept);
      tokens.forEach((token, i) => {
        expect(set.has(token)).toBe(true);
        const share = expected.get(token);
        if (share !== undefined) expect(Math.abs(logprobs[i]! - Math.log(share))).toBeLessThan(2e-4);
      });
    });
  });

  it('reads bfloat16 with its many ties', () => {
    const x = toBfloat16(normals(1));
    const { kept } = drawBothWays(x, { topP: 0.9, temperature: 0.8 });
    const expected = filterChain(fromBfloat16(x), ['temperature', 'topP'], { topP: 0.9, temperature: 0.8 });
    expect(Math.abs(kept.length - expected.size)).toBeLessThanOrEqual(2);
  });

  it('draws from a vocabulary of 300,000 in proportion', () => {
    const x = normals(1, 300_000);
    const options = { topP: 0.8, outputs: ['token'] as const };
    const { tokens } = new SamplingPlan({ ...options }).sample(x, { ...keys, samples: 4000 });
    const expected = filterChain(x, ['topP'], { topP: 0.8 });
    let [mass, drawn] = [0, 0];
    for (const [token, p] of expected) if (token < 100_000) mass += p;
    for (const token of tokens) if (token < 100_000) drawn++;
    const deviation = Math.sqrt(4000 * mass * (1 - mass));
    expect(Math.abs(drawn - 4000 * mass)).toBeLessThan(4.5 * deviation);
  });

  it.each<[string, SamplingOptions, string[]]>([
    ['a later min-p', { topP: 0.9, minP: 0.3 }, ['topP', 'minP']],
    ['a later temperature', { topP: 0.9, temperature: 1.6, order: 'llamacpp' }, ['topP', 'temperature']],
    ['a later top-k', { topP: 0.9, topK: 3000, order: ['temperature', 'topP', 'topK'] }, ['topP', 'topK']],
    [
      'a later typical-p',
      { topP: 0.9, typicalP: 0.5, order: ['temperature', 'topP', 'typicalP'] },
      ['topP', 'typicalP'],
    ],
    [
      'a later top-n-sigma',
      { topP: 0.9, topNSigma: 3, order: ['temperature', 'topP', 'topNSigma'] },
      ['topP', 'topNSigma'],
    ],
  ])('leaves its head to %s', (_, options, steps) => {
    const { kept } = drawBothWays(ROWS['flat']!, options);
    const { topP, topK, minP, temperature, typicalP, topNSigma } = options as Record<string, number>;
    const filters = { topP, topK, minP, temperature, typicalP, topNSigma };
    const given = Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined));
    const expected = filterChain(ROWS['flat']!, steps, given);
    expect(Math.abs(kept.length - expected.size)).toBeLessThanOrEqual(2);
  });

  it('keeps all ties where asked, and draws by Gumbel-max from what it keeps', () => {
    const x = ROWS['ties on a grid']!;
    const { kept } = drawBothWays(x, { topP: 0.7, ties: 'all' });
    const least = Math.min(...kept.map((token) => x[token]!));
    expect(kept).toHaveLength(x.filter((v) => v >= least).length);
    const { tokens } = drawBothWays(ROWS['flat']!, { topP: 0.3, method: 'gumbel' });
    expect(new Set(tokens).size).toBeGreaterThan(DRAWS / 2);
  });
});
