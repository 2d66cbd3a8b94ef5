import {
  grpoStep,
  logprobBackward,
  SamplingPlan,
  tokenLogprobs,
  type LogitsArray,
  type SamplingOptions,
  type TokenLogprobsOptions,
} from '../../lib/index.js';
import { digest, isas, withIsa } from './isas.js';
import { Random } from './random.js';

// Where there are fewer rows than threads, several threads share rows from 196,608 logits a call on.
const random = new Random(23);
const [stride, most] = [262_200, 3];
const logits = random.normals(stride * most, 3);
logits[5] = logits[140_000] = -Infinity; // Masked, and the first two rows have ties.
logits.copyWithin(stride, 0, 1000);
const halves = Uint16Array.from(new Uint32Array(logits.buffer), (bits) => bits >>> 16);
const vocabs = [65_537, 131_072, 151_936, 262_145];

const forwardOptions: Record<string, TokenLogprobsOptions> = {
  plain: { entropy: false },
  'everything a row': { sumSquares: true, topK: 5, temperature: Float32Array.of(0.7, 1, 2), ignoreIndex: 9 },
  capped: { softcap: 20 },
};

const plans: Record<string, SamplingOptions> = {
  plain: {},
  'T = 0.8, with the entropy': { temperature: 0.8, outputs: ['token', 'logprob', 'rawLogprob', 'rank', 'entropy'] },
  'without raw log-probs': { temperature: 0.8, outputs: ['token', 'logprob'] },
  'top-k and top-p': { topK: 50, topP: 0.9, temperature: Float32Array.of(0, 0.6, 1.2), topLogprobs: 3 },
  'top-p, kept set': { topP: 0.95, temperature: 0.5, outputs: ['token', 'logprob', 'supportMass', 'keptSet'] },
  'min-p': { minP: 0.05 },
  'Gumbel-max': { method: 'gumbel' },
  edits: { bannedTokens: [3], softcap: 30 },
};

/** Expects many threads to give what one gives. */
function bothWays(compute: (threads: number) => unknown): void {
  expect(digest(compute(8)) === digest(compute(1))).toBe(true);
}

describe.each(isas)('long rows that threads share, on %s', (isa) => {
  it.each(vocabs)('have the log-probs, gradients and draws of one thread: %i logits', (vocab) => {
    withIsa(isa, () => {
      for (let rows = 1; rows <= most; rows++) {
        const tokens = Int32Array.of(vocab - 1, 9, 60_000).subarray(0, rows);
        const gradients = { dLogprob: random.normals(rows, 1), dEntropy: random.normals(rows, 1) };
        const keys = { seed: 5, sequences: tokens, positions: tokens };
        for (const [x, dtype] of [
          [logits, undefined],
          [halves, 'bfloat16'],
        ] as const) {
          const shape = { vocab, stride, dtype };
          const row = <T extends { temperature?: unknown }>(options: T): T =>
            options.temperature instanceof Float32Array
              ? { ...options, temperature: options.temperature.subarray(0, rows) }
              : options;
          for (const options of Object.values(forwardOptions)) {
            const settings = { ...row(options), ...shape };
            bothWays((threads) => {
              const forward = tokenLogprobs(x, tokens, { ...settings, threads });
              const { temperature, softcap, ignoreIndex } = settings;
              const backward = { ...shape, temperature, softcap, ignoreIndex, threads };
              return [forward, logprobBackward(x, tokens, { ...gradients, state: forward.state }, backward)];
            });
          }
          for (const options of Object.values(plans)) {
            bothWays((threads) => new SamplingPlan({ ...row(options), threads }).sample(x, { ...keys, ...shape }));
          }
        }
      }
    });
  });
});

describe('long rows that threads share', () => {
  const vocab = 240_001;
  const tokens = Int32Array.of(4);

  it.each([
    ['NaN', 200_000, NaN],
    ['+inf', 239_999, Infinity],
  ])('find %s wherever it is', (_name, at, value) => {
    const x = logits.slice(0, vocab);
    x[at] = value;
    bothWays((threads) => [
      tokenLogprobs(x, tokens, { threads }),
      new SamplingPlan({ threads }).sample(x, { seed: 1, sequences: tokens, positions: tokens }),
    ]);
    expect(tokenLogprobs(x, tokens, { threads: 8 }).status[0]).not.toBe(0);
  });

  it('go through a step in place, and past the caches', () => {
    const batch = {
      tokens,
      oldLogprobs: Float32Array.of(-9),
      advantages: Float32Array.of(1),
      cuSeqlens: Int32Array.of(0, 1),
    };
    bothWays((threads) => {
      const x: LogitsArray = logits.slice(0, vocab);
      return [grpoStep(x, batch, { threads, entropyCoef: 0.1 }), x];
    });
    const long = new Float32Array(4_300_000).map((_, i) => logits[i % 700_000] ?? 0);
    const gradients = { dLogprob: Float32Array.of(0.5), state: tokenLogprobs(long, tokens, { threads: 8 }).state };
    bothWays((threads) => logprobBackward(long, tokens, gradients, { threads }));
  });
});
