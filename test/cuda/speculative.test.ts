import fc from 'fast-check';

import {
  deviceMemory,
  deviceSpeculativeSample,
  DeviceTensor,
  SamplingPlan,
  speculativeSample,
  type DeviceSpeculativeKeys,
  type SamplingOptions,
  type SpeculativeInputs,
} from '../../lib/index.js';
import { runtimeInfo } from '../../lib/native/info.js';
import { Random } from '../kernels/random.js';

const cuda = runtimeInfo().cuda.available ? describe : describe.skip;

const [sequences, drafts, vocab] = [5, 3, 2300];
const rows = sequences * (drafts + 1);
const targetLogits = new Random(5).normals(rows * vocab, 2);
// Near the target's, so that drafts are accepted as well as rejected.
const near = Float32Array.from({ length: sequences * drafts * vocab }, (_, i) => {
  const row = Math.floor(i / vocab);
  const target = Math.floor(row / drafts) * (drafts + 1) + (row % drafts);
  return targetLogits[target * vocab + (i % vocab)]! + Math.sin(i * 12.9898);
});
const ids = Int32Array.from({ length: sequences }, (_, i) => 3 * i + 1);
const keys = { seed: 11, sequences: ids, positions: Int32Array.of(0, 4, 2, 9, 1) };

/** Drafts as a draft model draws them. */
function drawn(options: SamplingOptions): Int32Array {
  const each = { length: sequences * drafts };
  const of = (array: Int32Array) => Int32Array.from(each, (_, i) => array[Math.floor(i / drafts)]!);
  const positions = Int32Array.from(each, (_, i) => keys.positions[Math.floor(i / drafts)]! + (i % drafts));
  return new SamplingPlan(options).sample(near, { seed: 12, sequences: of(ids), positions }).tokens;
}

function probabilities(): Float32Array {
  const p = Float32Array.from(near, (x) => Math.exp(x));
  for (let row = 0; row < sequences * drafts; row++) {
    const part = p.subarray(row * vocab, (row + 1) * vocab);
    const total = part.reduce((a, b) => a + b, 0);
    part.forEach((x, j) => (part[j] = x / total));
  }
  return p;
}

const history = {
  prompt: [1, 2, 3],
  output: { tokens: Int32Array.of(4, 5), offsets: Int32Array.of(0, 1, 1, 2, 2, 2) },
};
const settings: [string, SamplingOptions, Partial<DeviceSpeculativeKeys>?][] = [
  ['plain', {}],
  ['greedy', { temperature: 0 }],
  ['top-k, top-p, temperature', { topK: 40, topP: 0.9, temperature: 0.8 }],
  ['typical, sigma, min-p', { typicalP: 0.9, topNSigma: 3, minP: 0.01 }],
  ['xtc', { xtc: { probability: 0.5, threshold: 0.05 } }],
  ['penalties', { frequencyPenalty: 0.5, noRepeatNgram: 2 }, { history }],
  ['capped, banned', { softcap: 5, bannedTokens: [1, 7], logitBias: new Map([[3, 2]]) }],
  ['nothing but tokens', { topK: 3, outputs: ['token'] }],
];

function inputsOf(kind: string, options: SamplingOptions): SpeculativeInputs {
  const draftTokens = drawn(options.temperature === 0 ? options : { temperature: 0.9 });
  draftTokens[2] = -1; // A chain that ends early,
  draftTokens[drafts + 1] = vocab; // and one with a draft that is in no vocabulary.
  return {
    ...{ targetLogits, draftTokens },
    ...(kind === 'logits' && { draftLogits: near, draftPlan: new SamplingPlan({ temperature: 0.9 }) }),
    ...(kind === 'own logits' && { draftLogits: near }),
    ...(kind === 'probabilities' && { draftProbabilities: probabilities() }),
  };
}

cuda('speculative sampling on CUDA', () => {
  describe.each(['logits', 'own logits', 'probabilities', 'certain'])('drafts by %s', (kind) => {
    it.each(settings)('%s: the bits of the CPU, from host arrays and device tensors', (_, options, more = {}) => {
      const before = deviceMemory();
      const plan = new SamplingPlan(options);
      const inputs = inputsOf(kind, options);
      const expected = speculativeSample(plan, inputs, { ...keys, history: more.history });
      const onGpu = new SamplingPlan({ ...options, device: 'cuda' });
      expect(speculativeSample(onGpu, inputs, { ...keys, history: more.history })).toEqual(expected);

      const held: DeviceTensor[] = [];
      const upload = (array: Float32Array | Int32Array, shape?: number[]) => {
        held.push(DeviceTensor.from(array, shape ? { shape } : {}));
        return held.at(-1)!;
      };
      const onDevice = {
        targetLogits: upload(targetLogits, [rows, vocab]),
        draftTokens: upload(inputs.draftTokens),
        draftLogits: inputs.draftLogits && upload(inputs.draftLogits as Float32Array, [sequences * drafts, vocab]),
        draftProbabilities: inputs.draftProbabilities && upload(inputs.draftProbabilities),
        draftPlan: inputs.draftPlan,
      };
      for (const positions of [keys.positions, upload(keys.positions)]) {
        const got = deviceSpeculativeSample(plan, onDevice, { ...keys, positions, ...more });
        const host = Object.fromEntries(
          Object.entries(got).map(([name, tensor]) => [name, (tensor as DeviceTensor).toHost()]),
        );
        expect(host).toEqual(expected);
        held.push(...(Object.values(got) as DeviceTensor[]));
      }
      for (const tensor of held) tensor.dispose();
      expect(deviceMemory()).toEqual(before);
    });
  });

  it('any rows at all: masked, bad, tied, with drafts that are never drawn', () => {
    const values = fc.constantFrom(-Infinity, NaN, Infinity, 0, 1, 2, 3, 3, 3, -1000);
    const row = fc.array(values, { minLength: 6, maxLength: 6 });
    const cases = fc.record({
      target: fc.array(row, { minLength: 6, maxLength: 6 }),
      draft: fc.array(row, { minLength: 4, maxLength: 4 }),
      draftTokens: fc.array(fc.integer({ min: -1, max: 6 }), { minLength: 4, maxLength: 4 }),
      given: fc.boolean(),
      options: fc.constantFrom<SamplingOptions>({}, { temperature: 0 }, { topK: 2 }, { minP: 0.9 }, { topP: 0.5 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(cases, ({ target, draft, draftTokens, given, options, seed }) => {
        const flat = Float32Array.from(draft.flat());
        const inputs = {
          targetLogits: Float32Array.from(target.flat()),
          draftTokens: Int32Array.from(draftTokens),
          ...(given ? { draftProbabilities: flat } : { draftLogits: flat }),
        };
        const run = (device: 'cpu' | 'cuda') =>
          speculativeSample(new SamplingPlan({ ...options, device }), inputs, {
            ...{ seed, sequences: Int32Array.of(1, 2), positions: Int32Array.of(0, 0) },
          });
        expect(run('cuda')).toEqual(run('cpu'));
      }),
      { numRuns: 150 },
    );
  });

  it('writes into tensors of the caller, and names what does not fit', () => {
    const before = deviceMemory();
    const plan = new SamplingPlan({ topK: 5 });
    const { draftTokens } = inputsOf('certain', {});
    const x = DeviceTensor.from(targetLogits, { shape: [rows, vocab] });
    const accepted = DeviceTensor.allocate([sequences], { dtype: 'int32' });
    const tokens = DeviceTensor.allocate([rows], { dtype: 'int32' });
    const got = deviceSpeculativeSample(plan, { targetLogits: x, draftTokens }, { ...keys, out: { accepted, tokens } });
    expect([got.accepted, got.tokens]).toEqual([accepted, tokens]);
    const expected = speculativeSample(plan, { targetLogits, draftTokens }, keys);
    expect([accepted.toHost(), tokens.toHost()]).toEqual([expected.accepted, expected.tokens]);
    const call =
      (change: object, changedKeys: object = {}) =>
      () =>
        deviceSpeculativeSample(plan, { targetLogits: x, draftTokens, ...change }, { ...keys, ...changedKeys });
    expect(call({ draftTokens: draftTokens.subarray(1) })).toThrow('draftTokens');
    expect(call({ draftLogits: x })).toThrow('draftLogits must be of shape');
    expect(call({ draftLogits: x, draftProbabilities: near })).toThrow('draftProbabilities');
    expect(call({ draftProbabilities: near.subarray(1) })).toThrow('draftProbabilities');
    expect(call({}, { out: { accepted: x } })).toThrow('out.accepted must be of int32');
    const narrow = DeviceTensor.from(new Float32Array(sequences * drafts * 2), { shape: [sequences * drafts, 2] });
    expect(call({ draftLogits: narrow })).toThrow('draftLogits');
    for (const tensor of [x, narrow, ...(Object.values(got) as DeviceTensor[])]) tensor.dispose();
    expect(deviceMemory()).toEqual(before);
  });

  it('takes more drafts than are worked on at a time', () => {
    const [many, small] = [150, 40];
    const x = new Random(6).normals(many * 3 * small, 1);
    const sequenceIds = Int32Array.from({ length: many }, (_, i) => i);
    const draftTokens = Int32Array.from({ length: many * 2 }, (_, i) => (i * 7) % small);
    const run = (device: 'cpu' | 'cuda') =>
      speculativeSample(
        new SamplingPlan({ minP: 0.05, device }),
        { targetLogits: x, draftTokens, draftLogits: x.subarray(0, many * 2 * small) },
        { seed: 2, sequences: sequenceIds, positions: sequenceIds },
      );
    expect(run('cuda')).toEqual(run('cpu'));
  });
});
