import { setTimeout } from 'node:timers/promises';

import {
  grpoStep,
  grpoStepAsync,
  logprobBackward,
  policyLoss,
  rowStatus,
  tokenLogprobs,
  type GrpoBatch,
  type GrpoStepOptions,
} from '../../lib/index.js';
import { sameBits } from './isas.js';
import { Random, toBfloat16, toFloat16Grid } from './random.js';

const random = new Random(77);
const [rows, vocab] = [23, 700];
const logits = random.normals(rows * vocab, 3);
const tokens = Int32Array.from({ length: rows }, () => random.integer(vocab));
const { logprob: current } = tokenLogprobs(logits, tokens);
const near = (): Float32Array => current.map((v) => v + 0.3 * (random.uniform() - 0.5));
const cuSeqlens = Int32Array.of(0, 5, 5, 16, 23);
const base: GrpoBatch = { tokens, oldLogprobs: near(), advantages: Float32Array.of(1.5, 0, -0.8, 0.4), cuSeqlens };
const full: GrpoBatch = {
  ...base,
  refLogprobs: near(),
  rolloutLogprobs: near(),
  weights: Float32Array.from({ length: rows }, () => random.uniform()),
  mask: Uint8Array.from({ length: rows }, (_, i) => (i % 4 === 2 ? 0 : 1)),
  selected: Uint8Array.from({ length: rows }, (_, i) => (i % 9 === 1 ? 1 : 0)),
};

/** The step by the operations it is made of. */
function composed(x: Float32Array | Uint16Array, batch: GrpoBatch, o: GrpoStepOptions) {
  const { dtype, temperature, softcap, ignoreIndex, keptSet, entropy = true, outDtype, out, ...settings } = o;
  const row = { dtype, temperature, softcap, ignoreIndex, keptSet };
  const forward = tokenLogprobs(x, batch.tokens, { ...row, entropy });
  const inputs = { ...batch, logprobs: forward.logprob, entropies: forward.entropy };
  const { loss, dLogprobs, dEntropies, metrics } = policyLoss(inputs, settings);
  const bonus = (o.entropyCoef ?? 0) !== 0;
  const upstream = { dLogprob: dLogprobs, dEntropy: bonus ? dEntropies : undefined, state: forward.state };
  const dLogits = logprobBackward(x, batch.tokens, upstream, { ...row, outDtype, out });
  return { loss, dLogits, logprobs: forward.logprob, entropies: forward.entropy, status: forward.status, metrics };
}

/** Checks a step against its parts, out of place and in place, on every instruction set and thread count. */
function check(x: Float32Array | Uint16Array, batch: GrpoBatch, options: GrpoStepOptions) {
  const expected = composed(x, batch, options);
  const step = sameBits((threads) => grpoStep(x.slice(), batch, { ...options, threads }));
  const { largestDrift, ...metrics } = step.metrics;
  expect({ ...step, metrics }).toEqual({ ...expected, metrics: expected.metrics });
  expect(largestDrift).toBeGreaterThan(0);
  const before = x.slice();
  const out = x.slice().fill(1);
  expect(grpoStep(x, batch, { ...options, out }).dLogits).toBe(out);
  expect(out).toEqual(expected.dLogits);
  expect(x).toEqual(before);
}

describe('grpoStep has the bits of tokenLogprobs, policyLoss and logprobBackward', () => {
  const presets = ['grpo', 'dr_grpo', 'dapo', 'gspo', 'cispo', 'gmpo', 'sapo', 'vespo', 'luspo'] as const;
  const trainers = ['trl@2026-07', 'verl@2026-08'] as const;

  it.each([...presets, ...trainers])('preset %s', (preset) => {
    const horizon = preset === 'dr_grpo' ? { horizon: 16 } : {};
    check(logits, base, { preset, ...horizon });
    check(logits, full, { preset, ...horizon, klCoef: 0.1, entropyCoef: 0.01, temperature: 0.8 });
  });

  it('the dated preset with a KL, without entropies, per-row temperatures and per-token advantages', () => {
    const temperature = Float32Array.from({ length: rows }, () => 0.5 + random.uniform());
    check(logits, full, { preset: 'nemo-rl@2026-08', entropy: false, temperature });
    check(logits, { ...full, advantages: random.normals(rows) }, { preset: 'dapo' });
    check(logits, { ...full, promptOffsets: Int32Array.of(0, 2, 4) }, { aggregation: 'prompt-mean' });
  });

  it('halves, in their own type and in float32', () => {
    for (const dtype of ['bfloat16', 'float16'] as const) {
      const x = dtype === 'bfloat16' ? toBfloat16(logits) : toFloat16Grid(logits).halves;
      check(x, full, { dtype, klCoef: 0.1, entropyCoef: 0.1 });
      const step = grpoStep(x, full, { dtype, outDtype: 'float32' });
      expect(step.dLogits).toEqual(composed(x, full, { dtype, outDtype: 'float32' }).dLogits);
    }
  });

  it('softcap, kept sets and ignored rows', () => {
    const ignored = tokens.map((token, i) => (i === 7 ? -100 : token));
    const offsets = Int32Array.from({ length: rows + 1 }, (_, i) => i);
    const keptSet = { tokens, offsets };
    check(logits, { ...full, tokens: ignored }, { softcap: 9, ignoreIndex: -100, preset: 'dapo' });
    check(logits, full, { keptSet, klCoef: 0.1 });
    const step = grpoStep(logits.slice(), { ...full, tokens: ignored }, { ignoreIndex: -100 });
    expect(step.status[7]).toBe(rowStatus.ignored);
  });

  it('micro-batches with the denominator of the whole add up to it, bit for bit in every row', () => {
    const whole = grpoStep(logits.slice(), full, { preset: 'dapo', klCoef: 0.1, denominator: 17 });
    let loss = 0;
    for (const [from, to] of [
      [0, 2],
      [2, 4],
    ] as const) {
      const [a, b] = [cuSeqlens[from]!, cuSeqlens[to]!];
      const part = Object.fromEntries(
        Object.entries(full).map(([name, array]: [string, Float32Array]) => [name, array.slice(a, b)]),
      ) as unknown as GrpoBatch;
      const micro = {
        ...part,
        advantages: full.advantages.slice(from, to),
        cuSeqlens: cuSeqlens.slice(from, to + 1).map((offset) => offset - a),
      };
      const step = grpoStep(logits.slice(a * vocab, b * vocab), micro, {
        preset: 'dapo',
        klCoef: 0.1,
        denominator: 17,
      });
      expect(step.dLogits).toEqual(whole.dLogits.subarray(a * vocab, b * vocab));
      loss += step.loss;
    }
    expect(loss).toBeCloseTo(whole.loss, 12);
  });
});

describe('grpoStepAsync', () => {
  it('has the bits of grpoStep', async () => {
    const [now, later] = [logits.slice(), logits.slice()];
    const expected = grpoStep(now, full, { preset: 'gspo' });
    expect(await grpoStepAsync(later, full, { preset: 'gspo' })).toEqual(expected);
  });

  it('stops where its signal is aborted, before and during the work', async () => {
    const reason = new Error('enough');
    await expect(grpoStepAsync(logits.slice(), base, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const [n, v] = [600, 50000];
    const one = { tokens: new Int32Array(n), oldLogprobs: new Float32Array(n), advantages: Float32Array.of(1) };
    const controller = new AbortController();
    const step = grpoStepAsync(
      new Float32Array(n * v),
      { ...one, cuSeqlens: Int32Array.of(0, n) },
      { signal: controller.signal, threads: 1 },
    );
    await setTimeout(1);
    controller.abort(reason);
    await expect(step).rejects.toBe(reason);
  });
});

it('names what is wrong', () => {
  expect(() => grpoStep(logits, { ...base, cuSeqlens: Int32Array.of(0, 9, 5, 16, 23) })).toThrow('cuSeqlens[2]');
  expect(() => grpoStep(logits, { ...base, oldLogprobs: new Float32Array(3) })).toThrow('oldLogprobs');
  expect(() => grpoStep(logits, base, { klCoef: 0.1 })).toThrow('refLogprobs');
  expect(() => grpoStep(logits, base, { entropy: false, entropyCoef: 0.1 })).toThrow('entropyCoef');
  expect(() => grpoStep(logits, base, { out: new Float32Array(5) })).toThrow('options.out');
});
