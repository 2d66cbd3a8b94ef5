import binding = require('#binding');

import {
  bindLogprobBackward,
  bindTokenLogprobs,
  groupAdvantages,
  grpoStep,
  grpoStepAsync,
  logprobBackward,
  logprobBackwardAsync,
  policyLoss,
  SamplingPlan,
  tokenLogprobs,
  tokenLogprobsAsync,
  whiten,
  type SamplingOptions,
} from '../../lib/index.js';
import { Random } from './random.js';

const [rows, vocab] = [3, 700];
const random = new Random(11);

function inputs() {
  return {
    logits: random.normals(rows * vocab, 3),
    keys: { seed: 7n, sequences: BigUint64Array.of(4n, 5n, 6n), positions: Int32Array.of(0, 1, 2) },
    tokens: Int32Array.of(3, 699, 20),
  };
}

/** Moves an array's buffer away, as a transfer to a worker does. */
function detach(array: ArrayBufferView): void {
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
}

const everything: SamplingOptions = {
  ...{
    temperature: Float32Array.of(0.5, 0, 1.5),
    topK: Int32Array.of(50, 0, 3),
    topP: 0.9,
    topLogprobs: 4,
    samples: 2,
  },
  outputs: ['token', 'logprob', 'rawLogprob', 'rank', 'entropy', 'supportMass'],
  logprobTokens: { tokens: Int32Array.of(1, 2, 3), offsets: Int32Array.of(0, 1, 1, 3) },
  bannedTokens: [5],
};

describe('SamplingPlan.bind', () => {
  it.each([
    ['default options', {}],
    ['every output, per-row options', everything],
  ])('draws what sample() draws, each time from what the arrays hold: %s', (_name, options) => {
    const plan = new SamplingPlan(options);
    const { logits, keys } = inputs();
    const draw = plan.bind(logits, keys);
    for (let step = 0; step < 5; step++) {
      expect(draw()).toEqual(plan.sample(logits, keys));
      logits.set(random.normals(logits.length, 3));
      keys.positions.forEach((position, i) => (keys.positions[i] = position + 3));
      keys.sequences[1] = BigInt(step) << 40n;
    }
  });

  it('reads the bitmask anew, and writes into the arrays it was given', () => {
    const { logits, keys } = inputs();
    const bitmask = new Int32Array(rows * 22).fill(-1);
    const out = { tokens: new Int32Array(rows), status: new Uint8Array(rows) };
    const draw = new SamplingPlan().bind(logits, { ...keys, bitmask, out });
    for (const token of [31, 32, 640]) {
      bitmask.fill(0);
      for (let i = 0; i < rows; i++) bitmask[i * 22 + (token >> 5)] = 1 << (token & 31);
      expect(draw().tokens).toBe(out.tokens);
      expect(out).toEqual({ tokens: new Int32Array(rows).fill(token), status: new Uint8Array(rows) });
    }
  });

  it("keeps the plan's checked arrays as they were", () => {
    const { logits, keys } = inputs();
    const offsets = Int32Array.of(0, 1, 1, 2);
    const topK = Int32Array.of(1, 2, 3);
    const plan = new SamplingPlan({ topK, bannedTokens: { tokens: Int32Array.of(1, 2), offsets } });
    const draw = plan.bind(logits, keys);
    const before = structuredClone(draw().tokens);
    offsets.fill(0x7fffffff);
    topK.fill(-1);
    expect([...draw().tokens]).toEqual([...before]);
  });

  it.each(['logits', 'sequences', 'positions', 'tokens', 'status'] as const)(
    'refuses to run when %s is gone',
    (name) => {
      const { logits, keys } = inputs();
      const out = { tokens: new Int32Array(rows), status: new Uint8Array(rows) };
      const draw = new SamplingPlan().bind(logits, { ...keys, out });
      draw();
      detach({ ...keys, ...out, logits }[name]);
      expect(draw).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE', field: name }) as Error);
    },
  );

  it('refuses to run when a resizable buffer has shrunk, and runs again when it is back', () => {
    const { logits, keys } = inputs();
    type Resizable = ArrayBuffer & { resize(bytes: number): void };
    const Constructor = ArrayBuffer as unknown as new (bytes: number, o: { maxByteLength: number }) => Resizable;
    const buffer = new Constructor(logits.byteLength, { maxByteLength: 2 * logits.byteLength });
    const view = new Float32Array(buffer, 0, logits.length);
    view.set(logits);
    const plan = new SamplingPlan();
    const draw = plan.bind(view, keys);
    buffer.resize(logits.byteLength - 4);
    expect(draw).toThrow(/logits must be in the memory it was bound with/);
    buffer.resize(2 * logits.byteLength);
    view.set(logits);
    expect(draw()).toEqual(plan.sample(logits, keys));
  });

  it('takes no rows', () => {
    const none = { seed: 1, sequences: new BigUint64Array(0), positions: new Int32Array(0) };
    expect(new SamplingPlan().bind(new Float32Array(0), none)().tokens).toHaveLength(0);
  });

  it('names what cannot be bound', () => {
    const { logits, keys } = inputs();
    const field = (name: string): Error => expect.objectContaining({ field: name }) as Error;
    const ids = Int32Array.of(1, 2, 3) as unknown as BigUint64Array;
    expect(() => new SamplingPlan().bind(logits, { ...keys, sequences: ids })).toThrow(field('sequences'));
    expect(() => new SamplingPlan().bind(logits, { ...keys, history: {} })).toThrow(field('history'));
    expect(() => new SamplingPlan({ outputs: ['keptSet'] }).bind(logits, keys)).toThrow(field('options.outputs'));
    const [bitmask, only] = [new Int32Array(rows), new SamplingPlan({ allowedTokens: [1] })];
    expect(() => only.bind(logits, { ...keys, bitmask })).toThrow(field('bitmask'));
    const out = { tokens: new Int32Array(rows + 1) };
    expect(() => new SamplingPlan().bind(logits, { ...keys, out })).toThrow(field('out.tokens'));
    const overlapping = { tokens: keys.positions };
    expect(() => new SamplingPlan().bind(logits, { ...keys, out: overlapping })).toThrow(field('out.tokens'));
  });
});

describe('asynchronous log-probs', () => {
  it('are the synchronous ones, and stop at the signal', async () => {
    const { logits, tokens } = inputs();
    const options = { temperature: 0.7, topK: 3, sumSquares: true };
    const expected = tokenLogprobs(logits, tokens, options);
    expect(await tokenLogprobsAsync(logits, tokens, options)).toEqual(expected);
    const gradients = { dLogprob: Float32Array.of(1, 2, 3), state: expected.state };
    const backward = logprobBackward(logits, tokens, gradients, { temperature: 0.7 });
    expect(await logprobBackwardAsync(logits, tokens, gradients, { temperature: 0.7 })).toEqual(backward);
    const signal = AbortSignal.abort(new Error('no more'));
    await expect(tokenLogprobsAsync(logits, tokens, { signal })).rejects.toThrow('no more');
    await expect(logprobBackwardAsync(logits, tokens, gradients, { signal })).rejects.toThrow('no more');
    const running = new AbortController();
    const many = tokenLogprobsAsync(new Float32Array(4000 * 4000), new Int32Array(4000), {
      ...{ signal: running.signal, threads: 1 },
    });
    running.abort(new Error('stopped'));
    await expect(many).rejects.toThrow('stopped');
  });
});

describe('bound log-probs', () => {
  it('compute what the unbound calls do, forward and backward, each time from what the arrays hold', () => {
    const { logits, tokens } = inputs();
    const candidates = Int32Array.of(1, 2, 3);
    const options = { temperature: Float32Array.of(1, 0.5, 2), softcap: 20, topK: 5, sumSquares: true, candidates };
    const dLogprob = Float32Array.of(1, -1, 0.5);
    const forward = bindTokenLogprobs(logits, tokens, options);
    const { temperature, softcap } = options;
    const gradients = { dLogprob, dEntropy: dLogprob, state: forward().state };
    const backward = bindLogprobBackward(logits, tokens, gradients, { temperature, softcap });
    for (let step = 0; step < 4; step++) {
      const expected = tokenLogprobs(logits, tokens, options);
      expect(forward()).toEqual(expected);
      const { state } = expected;
      expect(backward()).toEqual(logprobBackward(logits, tokens, { ...gradients, state }, { temperature, softcap }));
      logits.set(random.normals(logits.length, 3));
      tokens[step % rows] = step === 2 ? -1 : step;
      dLogprob[0] = step;
    }
  });

  it('refuse to run when an array is gone', () => {
    const { logits, tokens } = inputs();
    const out = { state: new Float64Array(rows * 5) };
    const forward = bindTokenLogprobs(logits, tokens, { out });
    const { state } = forward();
    const dLogprob = new Float32Array(rows);
    const backward = bindLogprobBackward(logits, tokens, { dLogprob, state });
    detach(dLogprob);
    expect(backward).toThrow(/dLogprob must be in the memory/);
    detach(state);
    expect(forward).toThrow(/state must be in the memory/);
  });

  it('have checked offsets of their own', () => {
    const { logits, tokens } = inputs();
    const keptSet = { tokens: Int32Array.of(3, 9, 20), offsets: Int32Array.of(0, 2, 2, 3) };
    const forward = bindTokenLogprobs(logits, tokens, { keptSet });
    const before = forward().logprob.slice();
    keptSet.offsets.fill(1 << 30);
    keptSet.tokens.fill(1 << 30);
    expect(forward().logprob).toEqual(before);
    expect(() => tokenLogprobs(logits, tokens, { keptSet, out: { logprob: new Float32Array(rows) } })).toThrow(
      /offsets/,
    );
    const status = new Uint8Array(keptSet.offsets.buffer, 0, rows);
    const fresh = { tokens: Int32Array.of(3), offsets: keptSet.offsets.fill(0) };
    expect(() => tokenLogprobs(logits, tokens, { keptSet: fresh, out: { status } })).toThrow(/out.status/);
  });
});

describe('small results', () => {
  const keys = { seed: 7n, sequences: BigUint64Array.of(4n), positions: Int32Array.of(0) };
  const row = (shift: number): Float32Array => Float32Array.from({ length: 20 }, (_, i) => Math.sin(i + shift));

  it('have memory of their own, which later calls leave alone', () => {
    const calls: (() => object)[] = [0, 1].flatMap((shift) => [
      () => tokenLogprobs(row(shift), Int32Array.of(2 + shift), { topK: 3, sumSquares: true }),
      () => new SamplingPlan({ outputs: everything.outputs, topLogprobs: 2 }).sample(row(shift), keys),
      () => groupAdvantages(Float32Array.of(shift, 3, 4), { groupSize: 3 }),
    ]);
    const results = calls.map((call) => call());
    const arrays = results.flatMap((result) => Object.values(result).filter((value) => ArrayBuffer.isView(value)));
    const buffers = new Set(arrays.map(({ buffer }) => buffer));
    expect(arrays.length).toBeGreaterThan(20);
    expect(buffers.size).toBe(arrays.length);
    for (const { buffer, byteLength } of arrays) expect(buffer.byteLength).toBe(byteLength);
    expect(calls.map((call) => call())).toEqual(results);
  });

  it('are those of the same rows in a larger batch', () => {
    const logits = Float32Array.from({ length: 40 }, (_, i) => row(i % 20)[i % 7] ?? 0);
    const all = Float32Array.from({ length: 40 * 20 }, (_, i) => logits[i % 40] ?? 0);
    const tokens = new Int32Array(40).fill(3);
    const large = tokenLogprobs(all, tokens, { vocab: 20 });
    const first = tokenLogprobs(all.subarray(0, 40), tokens.subarray(0, 2), { vocab: 20 });
    expect(first.logprob).toEqual(large.logprob.slice(0, 2));
    expect(first.state).toEqual(large.state.slice(0, 10));
  });

  it('survive calls that throw between their preparation and their run', () => {
    const expected = tokenLogprobs(row(0), Int32Array.of(1));
    for (let i = 0; i < 20; i++) {
      expect(() => tokenLogprobs(row(0), Int32Array.of(1), { threads: -1 })).toThrow(/threads/);
      expect(() => new SamplingPlan().sample(row(0), { ...keys, seed: -1 })).toThrow(/seed/);
      expect(tokenLogprobs(row(0), Int32Array.of(1))).toEqual(expected);
    }
  });

  it('of an unbound gradient in place go over the logits', () => {
    const logits = row(1);
    const tokens = Int32Array.of(4);
    const gradients = { dLogprob: Float32Array.of(2) };
    const expected = logprobBackward(logits, tokens, gradients);
    expect(logprobBackward(logits, tokens, gradients, { out: logits })).toBe(logits);
    expect(logits).toEqual(expected);
  });

  // Asynchronous calls copy no arrays; others copy inputs of up to 32 elements.
  it.each([1, 8, 16, 17, 31, 32, 33, 40])('of %i rows are those of calls that copy nothing', async (n) => {
    const logits = random.normals(n * 3, 2);
    const tokens = Int32Array.from({ length: n }, (_, i) => i % 3);
    const temperature = Float32Array.from({ length: n }, (_, i) => 0.5 + (i % 4));
    const options = { temperature, topK: 2, candidates: tokens, sumSquares: true };
    const forward = tokenLogprobs(logits, tokens, options);
    expect(forward).toEqual(await tokenLogprobsAsync(logits, tokens, options));
    const gradients = { dLogprob: random.normals(n, 1), dEntropy: random.normals(n, 1), state: forward.state };
    const d = logprobBackward(logits, tokens, gradients, { temperature });
    expect(d).toEqual(await logprobBackwardAsync(logits, tokens, gradients, { temperature }));

    const plan = new SamplingPlan({
      topP: temperature.map((t) => t / 5),
      bannedTokens: [1],
      outputs: everything.outputs,
    });
    const keys = { seed: 3, sequences: BigUint64Array.from(tokens, BigInt), positions: tokens, vocab: 3 };
    const bitmask = new Int32Array(n).fill(6);
    expect(plan.sample(logits, { ...keys, bitmask })).toEqual(await plan.sampleAsync(logits, { ...keys, bitmask }));

    const packed = {
      advantages: random.normals(n, 1),
      cuSeqlens: Int32Array.of(0, n >> 1, n),
      mask: new Uint8Array(n).fill(1),
    };
    const batch = { ...packed, tokens, oldLogprobs: forward.logprob, refLogprobs: gradients.dLogprob };
    const copies = [logits.slice(), logits.slice()] as const;
    const step = grpoStep(copies[0], batch, { klCoef: 0.1, entropyCoef: 0.01 });
    expect(step).toEqual(await grpoStepAsync(copies[1], batch, { klCoef: 0.1, entropyCoef: 0.01 }));
    expect(copies[0]).toEqual(copies[1]);
    expect(copies[0]).not.toEqual(logits);
  });

  it('go into arrays that were given, also where these are inputs', () => {
    const inputs = {
      logprobs: Float32Array.of(-1, -2, -3),
      oldLogprobs: Float32Array.of(-1.1, -2, -2.5),
      advantages: Float32Array.of(1, -1),
      cuSeqlens: Int32Array.of(0, 2, 3),
    };
    const dLogprobs = new Float32Array(3).fill(9);
    const loss = policyLoss(inputs, { out: { dLogprobs } });
    expect(loss.dLogprobs).toBe(dLogprobs);
    expect(loss).toEqual(policyLoss(inputs));

    const rewards = Float32Array.of(1, 0, 0.5);
    const out = { advantages: new Float32Array(3), zeroVariance: new Uint8Array(1).fill(7) };
    expect(groupAdvantages(rewards, { groupSize: 3, out })).toEqual(groupAdvantages(rewards, { groupSize: 3 }));
    expect(out.zeroVariance[0]).toBe(0);

    const values = Float32Array.of(1, 2, 3, 5);
    const expected = whiten(values);
    expect(whiten(values, { out: values })).toBe(values);
    expect(values).toEqual(expected);
  });

  it('the addon takes no argument of an earlier call for one of its own', () => {
    const { logits, tokens } = inputs();
    tokenLogprobs(logits, tokens);
    const call = binding.logprobForward as unknown as () => void;
    expect(call).toThrow('too few arguments');
  });
});
