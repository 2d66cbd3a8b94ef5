import fc from 'fast-check';

import {
  rowStatus,
  SamplingPlan,
  speculativeSample,
  type SamplingOptions,
  type SpeculativeInputs,
} from '../../lib/index.js';
import { sameBits } from './isas.js';
import { Random, toBfloat16 } from './random.js';
import { chiSquare, chiSquareLimit, keptTokens } from './reference/sampling.js';

const range = (n: number, from = 0): Int32Array => Int32Array.from({ length: n }, (_, i) => from + i);

/** `sequences` times the rows [drafts (+ 1), vocab]. */
function repeat(rows: Float32Array, sequences: number): Float32Array {
  const all = new Float32Array(rows.length * sequences);
  for (let s = 0; s < sequences; s++) all.set(rows, s * rows.length);
  return all;
}

function softmax(x: Float32Array): number[] {
  const largest = x.reduce((a, b) => Math.max(a, b));
  const weights = Array.from(x, (v) => Math.exp(v - largest));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / total);
}

/** Many chains over the same rows, with drafts that are drawn from the draft rows. */
function chains(sequences: number, drafts: number, vocab: number, kind: string, options: SamplingOptions, seed = 7) {
  const random = new Random(seed);
  const [targetRows, draftRows] = [random.normals((drafts + 1) * vocab, 1.5), random.normals(drafts * vocab, 1.5)];
  const plan = new SamplingPlan({ ...options, outputs: ['token', 'logprob', 'rawLogprob'] });
  const draftPlan = new SamplingPlan({ temperature: 0.8, topK: 9 });
  const draftLogits = repeat(draftRows, sequences);
  const keys = { seed: 99, sequences: range(sequences * drafts), positions: new Int32Array(sequences * drafts) };
  const sampler = kind === 'logits' ? draftPlan : new SamplingPlan();
  const draftTokens =
    kind === 'certain' ? likelyTokens(targetRows, sequences, drafts, vocab) : sampler.sample(draftLogits, keys).tokens;
  const inputs: SpeculativeInputs = {
    targetLogits: repeat(targetRows, sequences),
    draftTokens,
    ...(kind === 'logits' && { draftLogits, draftPlan }),
    ...(kind === 'probabilities' && {
      draftProbabilities: repeat(
        Float32Array.from(
          Array.from({ length: drafts }, (_, i) => softmax(draftRows.subarray(i * vocab, (i + 1) * vocab))).flat(),
        ),
        sequences,
      ),
    }),
  };
  const speculativeKeys = { seed: 5, sequences: range(sequences), positions: new Int32Array(sequences).fill(10) };
  return { plan, inputs, keys: speculativeKeys, targetRows, vocab, draftRows };
}

/** Certain drafts: at each step a token that the target likes. 1 and 4 are banned in some tests. */
function likelyTokens(targetRows: Float32Array, sequences: number, drafts: number, vocab: number): Int32Array {
  return Int32Array.from({ length: sequences * drafts }, (_, i) => {
    const row = targetRows.slice((i % drafts) * vocab, ((i % drafts) + 1) * vocab);
    row[1] = row[4] = -Infinity;
    return row.indexOf(row.reduce((a, b) => Math.max(a, b)));
  });
}

describe('speculativeSample', () => {
  const filters: [string, SamplingOptions][] = [
    ['plain', {}],
    ['temperature', { temperature: 0.6 }],
    ['top-k and top-p', { topK: 8, topP: 0.9, temperature: 1.2 }],
    ['min-p', { minP: 0.1 }],
    ['edited', { bannedTokens: [1, 4], logitBias: new Map([[3, 1]]) }],
  ];

  describe.each(['logits', 'probabilities', 'certain'])('drafts by %s', (kind) => {
    it.each(filters)('%s: every token is distributed as the target', (_, options) => {
      const [sequences, drafts, vocab] = [6000, 2, 14];
      const { plan, inputs, keys, targetRows } = chains(sequences, drafts, vocab, kind, options);
      const { accepted, tokens, logprobs, status } = speculativeSample(plan, inputs, keys);
      expect(status.every((s) => s === rowStatus.ok)).toBe(true);
      expect(new Set(accepted).size).toBe(drafts + 1); // Every length occurs.
      const width = drafts + 1;
      for (let step = 0; step < width; step++) {
        const row = targetRows.slice(step * vocab, (step + 1) * vocab);
        if (options.bannedTokens !== undefined) {
          row[1] = row[4] = -Infinity;
          row[3]! += 1;
        }
        const kept = keptReference(row, options);
        const counts = new Map<number, number>();
        let largestError = 0;
        for (let s = 0; s < sequences; s++) {
          if (accepted[s]! < step) continue;
          const token = tokens[s * width + step]!;
          counts.set(token, (counts.get(token) ?? 0) + 1);
          const error = Math.abs(logprobs![s * width + step]! - Math.log(kept.get(token) ?? NaN));
          largestError = error <= largestError ? largestError : error;
        }
        expect(largestError).toBeLessThan(4e-6);
        const { statistic, df } = chiSquare(counts, kept);
        expect(statistic).toBeLessThan(chiSquareLimit(df));
      }
    });
  });

  it('accepts as often as min(p, q) says', () => {
    const [sequences, vocab] = [20_000, 14];
    const { plan, inputs, keys, targetRows, draftRows } = chains(sequences, 1, vocab, 'probabilities', {});
    const [p, q] = [softmax(targetRows.subarray(0, vocab)), softmax(draftRows)];
    const expected = p.reduce((sum, x, j) => sum + Math.min(x, q[j]!), 0);
    const { accepted } = speculativeSample(plan, inputs, keys);
    const rate = accepted.reduce((a, b) => a + b, 0) / sequences;
    expect(Math.abs(rate - expected)).toBeLessThan(5 * Math.sqrt((expected * (1 - expected)) / sequences));
  });

  it('pads with -1 and NaN, and gives raw log-probs', () => {
    const { plan, inputs, keys, vocab, targetRows } = chains(200, 3, 20, 'certain', { topK: 5 });
    const { accepted, tokens, logprobs, rawLogprobs } = sameBits(() => speculativeSample(plan, inputs, keys));
    accepted.forEach((count, s) => {
      for (let step = 0; step < 4; step++) {
        const at = s * 4 + step;
        const token = tokens[at]!;
        if (step > count) {
          expect([token, logprobs![at], rawLogprobs![at]]).toEqual([-1, NaN, NaN]);
        } else {
          if (step < count) expect(token).toBe(inputs.draftTokens[s * 3 + step]);
          const row = softmax(targetRows.subarray(step * vocab, (step + 1) * vocab));
          expect(rawLogprobs![at]).toBeCloseTo(Math.log(row[token]!), 5);
        }
      }
    });
  });

  it('without drafts it is plan.sample', () => {
    const random = new Random(3);
    const x = random.normals(6 * 3000, 2);
    for (const options of [{}, { topK: 40, topP: 0.9 }, { temperature: 0 }]) {
      const plan = new SamplingPlan(options);
      const keys = { seed: 8, sequences: range(6), positions: range(6, 4) };
      const sampled = plan.sample(x, keys);
      const none = speculativeSample(plan, { targetLogits: x, draftTokens: new Int32Array(0) }, keys);
      expect([none.tokens, none.logprobs, none.rawLogprobs]).toEqual([
        sampled.tokens,
        sampled.logprobs,
        sampled.rawLogprobs,
      ]);
      // The same where a chain of -1 ends at once.
      const padded = new Float32Array(2 * x.length);
      for (let s = 0; s < 6; s++) padded.set(x.subarray(s * 3000, (s + 1) * 3000), 2 * s * 3000);
      const ended = speculativeSample(plan, { targetLogits: padded, draftTokens: new Int32Array(6).fill(-1) }, keys);
      expect(ended.tokens.filter((_, i) => i % 2 === 0)).toEqual(sampled.tokens);
      expect(ended.accepted).toEqual(new Int32Array(6));
    }
  });

  it('accepts everything where draft and target agree', () => {
    const vocab = 500;
    const x = new Random(4).normals(40 * vocab, 2);
    const keys = { seed: 1, sequences: range(10), positions: new Int32Array(10) };
    const targetLogits = new Float32Array(10 * 5 * vocab);
    for (let s = 0; s < 10; s++) targetLogits.set(x.subarray(s * 4 * vocab, (s + 1) * 4 * vocab), s * 5 * vocab);
    for (const options of [{}, { topK: 20, topP: 0.8 }, { temperature: 0 }]) {
      const plan = new SamplingPlan(options);
      const draftTokens = plan.sample(x, { seed: 77, sequences: range(40), positions: new Int32Array(40) }).tokens;
      const { accepted } = speculativeSample(plan, { targetLogits, draftTokens, draftLogits: x }, keys);
      expect(accepted).toEqual(new Int32Array(10).fill(4));
    }
  });

  it('greedy: keeps the longest prefix of largest logits', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }), fc.nat(), (right, seed) => {
        const [vocab, drafts] = [33, right.length];
        const x = new Random(seed).normals((drafts + 1) * vocab);
        const best = range(drafts + 1).map((i) => {
          const row = x.subarray(i * vocab, (i + 1) * vocab);
          return row.indexOf(row.reduce((a, b) => Math.max(a, b)));
        });
        const draftTokens = Int32Array.from(right, (ok, i) => (ok ? best[i]! : (best[i]! + 1) % vocab));
        const keys = { seed, sequences: Int32Array.of(0), positions: Int32Array.of(0) };
        const plan = new SamplingPlan({ temperature: 0 });
        const result = speculativeSample(plan, { targetLogits: x, draftTokens }, keys);
        const prefix = right.includes(false) ? right.indexOf(false) : drafts;
        expect(result.accepted[0]).toBe(prefix);
        expect(Array.from(result.tokens.subarray(0, prefix + 1))).toEqual(Array.from(best.subarray(0, prefix + 1)));
      }),
    );
  });

  it('returns the same bits on every instruction set, thread count and batch', () => {
    const [sequences, drafts, vocab] = [5, 3, 4500];
    for (const kind of ['logits', 'probabilities', 'certain']) {
      for (const options of [{}, { topK: 30 }, { topP: 0.95, temperature: 0.9 }, { frequencyPenalty: 0.5 }]) {
        const { plan, inputs, keys } = chains(sequences, drafts, vocab, kind, options, 21);
        const draftTokens =
          kind === 'certain' ? inputs.draftTokens.map((_, i) => (i * 37) % vocab) : inputs.draftTokens;
        const run = (threads: number) =>
          speculativeSample(new SamplingPlan({ ...plan.options, threads }), { ...inputs, draftTokens }, keys);
        const all = sameBits(run);
        // The last two sequences alone.
        const part = speculativeSample(
          plan,
          {
            targetLogits: inputs.targetLogits.slice(3 * (drafts + 1) * vocab),
            draftTokens: draftTokens.slice(3 * drafts),
            draftLogits: inputs.draftLogits?.slice(3 * drafts * vocab),
            draftProbabilities: inputs.draftProbabilities?.slice(3 * drafts * vocab),
            draftPlan: inputs.draftPlan,
          },
          { seed: keys.seed, sequences: keys.sequences.slice(3), positions: keys.positions.slice(3) },
        );
        expect(part.tokens).toEqual(all.tokens.slice(3 * (drafts + 1)));
        expect(part.logprobs).toEqual(all.logprobs!.slice(3 * (drafts + 1)));
      }
    }
  });

  it('takes bfloat16', () => {
    const { plan, inputs, keys } = chains(30, 2, 300, 'logits', {});
    const halves = (x: unknown) => toBfloat16(x as Float32Array);
    const { tokens } = speculativeSample(
      plan,
      { ...inputs, targetLogits: halves(inputs.targetLogits), draftLogits: halves(inputs.draftLogits) },
      { ...keys, dtype: 'bfloat16' },
    );
    expect(tokens.every((token) => token >= -1 && token < 300)).toBe(true);
  });

  it('counts the drafts before a row as output', () => {
    const vocab = 40;
    const targetLogits = new Float32Array(3 * vocab).fill(-30);
    for (let row = 0; row < 3; row++) targetLogits[row * vocab + 7] = 20;
    const keys = { seed: 1, sequences: Int32Array.of(0), positions: Int32Array.of(0) };
    const draftTokens = Int32Array.of(7, 7);
    const free = speculativeSample(new SamplingPlan(), { targetLogits, draftTokens }, keys);
    expect(free.accepted[0]).toBe(2);
    const plan = new SamplingPlan({ presencePenalty: 100 });
    const once = sameBits(() => speculativeSample(plan, { targetLogits, draftTokens }, keys));
    expect(once.accepted[0]).toBe(1); // The second 7 is penalised for the first.
    expect(once.tokens[1]).not.toBe(7);
    const history = { output: { tokens: Int32Array.of(7), offsets: Int32Array.of(0, 1) }, prompt: [1, 2] };
    expect(speculativeSample(plan, { targetLogits, draftTokens }, { ...keys, history }).accepted[0]).toBe(0);
  });

  it('says which sequences are bad, and leaves the others alone', () => {
    const [sequences, drafts, vocab] = [6, 2, 50];
    const { plan, inputs, keys } = chains(sequences, drafts, vocab, 'probabilities', {});
    const clean = sameBits(() => speculativeSample(plan, inputs, keys));
    const targetLogits = inputs.targetLogits.slice() as Float32Array;
    const draftTokens = inputs.draftTokens.slice();
    const draftProbabilities = inputs.draftProbabilities!.slice();
    targetLogits[0] = NaN; // Sequence 0: its first row.
    draftTokens[1 * drafts] = vocab; // Sequence 1.
    draftProbabilities.fill(NaN, 2 * drafts * vocab, 2 * drafts * vocab + vocab); // Sequence 2.
    targetLogits.fill(-Infinity, 3 * 3 * vocab, 3 * 3 * vocab + vocab); // Sequence 3.
    const bad = sameBits(() => speculativeSample(plan, { targetLogits, draftTokens, draftProbabilities }, keys));
    const { nan, targetOutOfRange, allMasked, ok } = rowStatus;
    expect(Array.from(bad.status)).toEqual([nan, targetOutOfRange, nan, allMasked, ok, ok]);
    expect(Array.from(bad.tokens.subarray(0, 12))).toEqual(new Array(12).fill(-1));
    expect(bad.tokens.subarray(12)).toEqual(clean.tokens.subarray(12));
  });

  it('takes row strides and bitmasks per row', () => {
    const [sequences, drafts, vocab, stride] = [3, 1, 64, 70];
    const { plan, inputs, keys } = chains(sequences, drafts, vocab, 'certain', {});
    const padded = new Float32Array(6 * stride).fill(NaN);
    for (let row = 0; row < 6; row++) {
      padded.set((inputs.targetLogits as Float32Array).subarray(row * vocab, (row + 1) * vocab), row * stride);
    }
    const draftTokens = inputs.draftTokens;
    const strided = speculativeSample(plan, { targetLogits: padded, draftTokens }, { ...keys, vocab, stride });
    expect(strided).toEqual(speculativeSample(plan, { targetLogits: inputs.targetLogits, draftTokens }, keys));
    const bitmask = new Int32Array(6 * 2);
    for (let row = 0; row < 6; row++) bitmask[2 * row + 1] = 1 << row; // Only token 32 + row.
    const masked = sameBits(() =>
      speculativeSample(plan, { targetLogits: inputs.targetLogits, draftTokens }, { ...keys, bitmask }),
    );
    expect(Array.from(masked.tokens)).toEqual([32, -1, 34, -1, 36, -1]);
  });

  it('draws all the same where the filters leave no mass at all', () => {
    // With a threshold of 0 every token reaches it, and the least probable one has none of the 2^40 units of mass.
    const [sequences, vocab] = [3, 700];
    const targetLogits = Float32Array.from({ length: 2 * sequences * vocab }, (_, i) => -((i * 11) % vocab));
    const draftTokens = Int32Array.of(1, 2, 3);
    const keys = { seed: 4, sequences: range(sequences), positions: range(sequences) };
    const plan = new SamplingPlan({ xtc: { probability: 1, threshold: 0 } });
    const { accepted, tokens, status } = sameBits(() => speculativeSample(plan, { targetLogits, draftTokens }, keys));
    expect([Array.from(accepted), Array.from(status)]).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    tokens.forEach((token, i) => {
      expect(token).toBe(i % 2 === 0 ? targetLogits.subarray(i * vocab, (i + 1) * vocab).indexOf(1 - vocab) : -1);
    });
  });

  it('refuses arguments that do not fit', () => {
    const { plan, inputs, keys } = chains(4, 2, 10, 'logits', {});
    const call =
      (change: object, plan_ = plan, keys_ = keys) =>
      () =>
        speculativeSample(plan_, { ...inputs, ...change }, keys_);
    expect(call({ draftTokens: new Int32Array(7) })).toThrow('draftTokens');
    expect(call({ draftLogits: null as never })).toThrow('logits must be');
    expect(call({ draftProbabilities: null as never })).toThrow('draftProbabilities must be');
    expect(call({ draftProbabilities: new Float32Array(80) })).toThrow('draftProbabilities');
    expect(call({ draftLogits: undefined, draftProbabilities: new Float32Array(3) })).toThrow('draftProbabilities');
    expect(call({ draftLogits: new Float32Array(79) })).toThrow('logits');
    expect(call({ draftLogits: new Uint16Array(80) })).toThrow('dtype');
    expect(call({}, new SamplingPlan({ outputs: ['keptSet'] }))).toThrow('plan.outputs');
    expect(call({}, new SamplingPlan({ topLogprobs: 2 }))).toThrow('topLogprobs');
    expect(call({}, plan, { ...keys, sequences: range(3) })).toThrow('sequences');
  });
});

function keptReference(row: Float32Array, options: SamplingOptions): Map<number, number> {
  if (options.minP !== undefined) {
    const p = softmax(row);
    const least = (options.minP as number) * p.reduce((a, b) => Math.max(a, b));
    const kept = Array.from(p.entries()).filter(([, x]) => x >= least);
    const total = kept.reduce((sum, [, x]) => sum + x, 0);
    return new Map(kept.map(([j, x]) => [j, x / total]));
  }
  return keptTokens(row, options as { temperature?: number; topK?: number; topP?: number });
}
