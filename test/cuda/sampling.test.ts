import {
  deviceMemory,
  deviceSample,
  DeviceTensor,
  SamplingPlan,
  type DeviceSampledTokens,
  type DeviceSamplingKeys,
  type SamplingKeys,
  type SamplingOptions,
} from '../../lib/index.js';
import { runtimeInfo } from '../../lib/native/info.js';
import { Random } from '../kernels/random.js';

const cuda = runtimeInfo().cuda.available ? describe : describe.skip;

const [rows, vocab] = [4, 6000];
const logits = new Random(3).normals(rows * vocab, 3);
const tied = Float32Array.from(logits, (v) => Math.round(v));
const keys = { seed: 9, sequences: Int32Array.of(5, 6, 7, 8), positions: Int32Array.of(0, 1, 2, 3) };

cuda('sampling on CUDA', () => {
  it.each<SamplingOptions>([
    {},
    { temperature: 0 },
    { temperature: 0.7 },
    { temperature: Float32Array.of(0, 0.5, 1, 2), topK: Int32Array.of(0, 7, 50, 6000) },
    { topK: 40, topP: 0.9, outputs: ['token', 'logprob'] },
    { temperature: 1.3, topP: 0.95, order: 'vllm' },
  ])('draws what the CPU draws: %j', async (options) => {
    const expected = new SamplingPlan(options).sample(logits, keys);
    const plan = new SamplingPlan({ ...options, device: 'cuda' });
    expect(plan.sample(logits, keys)).toEqual(expected);
    expect(await plan.sampleAsync(logits, keys)).toEqual(expected);
  });

  const outputs = ['token', 'logprob', 'rawLogprob', 'rank', 'entropy', 'supportMass', 'keptSet'] as const;
  const filters: SamplingOptions[] = [
    { minP: Float32Array.of(0, 0.3, 0.01, 1) },
    { typicalP: 0.7, temperature: 1.4 },
    { topNSigma: 1.2 },
    { xtc: { probability: 0.6, threshold: 0.02 } },
    { topK: 80, typicalP: 0.9, topP: 0.8, minP: 0.02, topNSigma: 3, temperature: 0.8 },
    { topP: 0.6, topPRule: 'upTo', temperature: Float32Array.of(0, 1, 0.3, 3) },
    { method: 'gumbel', topK: Int32Array.of(0, 1, 20, 7000) },
  ];
  it.each(['default', 'vllm', 'sglang', 'flashinfer', 'llamacpp'] as const)('in the order of %s', (order) => {
    for (const options of filters) {
      const draw = (device: 'cpu' | 'cuda') =>
        new SamplingPlan({ ...options, order, outputs, topLogprobs: 3, device }).sample(logits, {
          ...keys,
          samples: 2,
        });
      expect(draw('cuda')).toEqual(draw('cpu'));
    }
  });

  it('ties at a cut, all kept, and a top-p that rounding keeps out of reach', () => {
    const settings: SamplingOptions[] = [{ topK: 30 }, { topP: 0.7 }, { topK: 900, topP: 0.9 }, { topP: 1 - 2 ** -24 }];
    for (const options of settings) {
      const draw = (device: 'cpu' | 'cuda') =>
        new SamplingPlan({ ...options, ties: 'all', outputs, topLogprobs: 7, device }).sample(tied, keys);
      expect(draw('cuda')).toEqual(draw('cpu'));
    }
  });

  it('a list of steps, twice the same filter and the temperature between', () => {
    const order = ['topP', 'temperature', 'minP', 'topP', 'topPOfRow', 'topK'] as const;
    const options: SamplingOptions = { order, topP: 0.9, minP: 0.01, topK: 12, temperature: 1.8, outputs };
    const draw = (device: 'cpu' | 'cuda') => new SamplingPlan({ ...options, device }).sample(logits, keys);
    expect(draw('cuda')).toEqual(draw('cpu'));
  });

  const history = {
    prompt: { tokens: Int32Array.of(1, 2, 3, 1, 2, 9, 40), offsets: Int32Array.of(0, 3, 5, 5, 7) },
    output: { tokens: Int32Array.of(3, 1, 2, 3, 1, 2, 5999, 7, 7, 6000), offsets: Int32Array.of(0, 6, 6, 9, 10) },
  };
  it.each<[string, SamplingOptions, object]>([
    ['softcap', { softcap: 2.5 }, {}],
    [
      'bias, repeated and per row',
      {
        logitBias: new Map([
          [0, 4],
          [4095, -Infinity],
          [5999, 6],
        ]),
      },
      {},
    ],
    ['banned', { bannedTokens: { tokens: Int32Array.of(1, 1, 258), offsets: Int32Array.of(0, 1, 3, 3, 3) } }, {}],
    ['allowed', { allowedTokens: [3, 259, 5000] }, {}],
    ['bitmask', {}, { bitmask: Int32Array.from({ length: rows * 100 }, (_, i) => (i * 0x9e3779b1) | 0) }],
    ['penalties', { repetitionPenalty: 1.3, presencePenalty: 0.2, frequencyPenalty: 0.1 }, { history }],
    ['n-grams', { noRepeatNgram: Int32Array.of(0, 2, 1, 3), topK: 900 }, { history }],
    ['DRY', { dry: { multiplier: 0.8, allowedLength: 1, breakers: [9] } }, { history }],
    ['min tokens', { minTokens: 5, stopTokens: [1, 2, 3], temperature: 0 }, { history }],
    ['chosen', { logprobTokens: { tokens: Int32Array.of(5, 6000, 7), offsets: Int32Array.of(0, 0, 2, 2, 3) } }, {}],
  ])('edits and outputs: %s', (_, options, more) => {
    const draw = (device: 'cpu' | 'cuda') =>
      new SamplingPlan({ ...options, outputs, topLogprobs: 4, device }).sample(logits, {
        ...keys,
        ...more,
        samples: 3,
      });
    expect(draw('cuda')).toEqual(draw('cpu'));
  });

  it('reads halves and strided rows', () => {
    const halves = Uint16Array.from(logits, (v) => new Uint32Array(Float32Array.of(v).buffer)[0]! >>> 16);
    for (const dtype of ['bfloat16', 'float16'] as const) {
      const draw = (device: 'cpu' | 'cuda') =>
        new SamplingPlan({ minP: 0.05, noRepeatNgram: 2, outputs, topLogprobs: 2, device }).sample(halves, {
          ...{ ...keys, dtype, vocab: vocab - 3, stride: vocab, history },
        });
      expect(draw('cuda')).toEqual(draw('cpu'));
    }
  });

  it('tells why a row has no distribution, as the CPU does', () => {
    const bad = logits.slice();
    bad[5] = NaN;
    bad[vocab + 9] = Infinity;
    bad.fill(-Infinity, 2 * vocab, 3 * vocab);
    for (const options of [{ minP: 0.1 }, { allowedTokens: [8] }, { order: 'llamacpp', temperature: 1e-38 }] as const) {
      for (const wanted of [['token'], outputs] as const) {
        const draw = (device: 'cpu' | 'cuda') =>
          new SamplingPlan({ ...options, topK: 30, outputs: wanted, device }).sample(bad, keys);
        expect(draw('cuda')).toEqual(draw('cpu'));
      }
    }
    const none = new SamplingPlan({ allowedTokens: [], outputs, device: 'cuda' });
    expect(Array.from(none.sample(logits, keys).tokens)).toEqual([-1, -1, -1, -1]);
  });

  /** Results on the host, in the form of `plan.sample`; everything is disposed. */
  const onHost = (sampled: DeviceSampledTokens): object => {
    const taken = (x: object): unknown => {
      if (!(x instanceof DeviceTensor)) {
        return Object.fromEntries(Object.entries(x).map(([name, value]) => [name, taken(value as object)]));
      }
      const array = x.toHost();
      x.dispose();
      return array;
    };
    return taken(sampled) as object;
  };
  const keptSetOf = ({ tokens, sizes }: { tokens: Int32Array; sizes: Int32Array }): object => {
    const offsets = Int32Array.from({ length: rows + 1 }, (_, i) => sizes.subarray(0, i).reduce((a, b) => a + b, 0));
    const lists = Array.from(sizes, (size, row) => Array.from(tokens.subarray(row * vocab, row * vocab + size)));
    return { tokens: Int32Array.from(lists.flat()), offsets };
  };

  it('draws the same from device tensors, with keys there or on the host', () => {
    const before = deviceMemory();
    const bitmask = Int32Array.from({ length: rows * 188 }, (_, i) => ~(i * 0x9e3779b1));
    for (const options of [
      {},
      { topK: 40, topP: 0.9, temperature: Float32Array.of(0, 0.5, 1, 2) },
      { minP: 0.05, presencePenalty: 0.3, logprobTokens: [1, 2], topLogprobs: 3, outputs },
      { topK: 900, topP: 0.9, ties: 'all', outputs },
    ] as const) {
      const plan = new SamplingPlan(options);
      const values = 'ties' in options ? tied : logits;
      using x = DeviceTensor.from(values, { shape: [rows, vocab] });
      using sequences = DeviceTensor.from(BigUint64Array.from(keys.sequences, BigInt));
      using positions = DeviceTensor.from(keys.positions);
      using words = DeviceTensor.from(bitmask);
      const onDevice = { sequences, positions, bitmask: words };
      const several = { sample: 3, samples: 2, history, bitmask };
      const calls: readonly [Partial<DeviceSamplingKeys>, Partial<SamplingKeys>][] = [
        [{}, {}],
        [onDevice, { bitmask }],
        [several, several],
      ];
      for (const [more, host] of calls) {
        const { keptSet, ...got } = onHost(deviceSample(plan, x, { ...keys, ...more })) as {
          keptSet?: { tokens: Int32Array; sizes: Int32Array };
        };
        const kept = keptSet && { keptSet: keptSetOf(keptSet) };
        expect({ ...got, ...kept }).toEqual(plan.sample(values, { ...keys, ...host }));
      }
    }
    expect(deviceMemory()).toEqual(before);
  });

  it('writes into tensors of the caller, and names what does not fit', () => {
    const before = deviceMemory();
    const plan = new SamplingPlan({ topK: 5 });
    const x = DeviceTensor.from(logits, { shape: [rows, vocab] });
    const [tokens, status] = [
      DeviceTensor.allocate([rows], { dtype: 'int32' }),
      DeviceTensor.allocate([rows], { dtype: 'uint8' }),
    ];
    const got = deviceSample(plan, x, { ...keys, out: { tokens, status } });
    expect([got.tokens, got.status]).toEqual([tokens, status]);
    expect(tokens.toHost()).toEqual(plan.sample(logits, keys).tokens);
    const call = (change: object, allowed?: SamplingOptions) => () =>
      deviceSample(new SamplingPlan(allowed), x, { ...keys, ...change });
    expect(call({ positions: tokens.toHost().subarray(1) })).toThrow('logits must be of shape');
    expect(call({ positions: status })).toThrow('positions must be of int32');
    expect(call({ sequences: tokens })).toThrow('sequences must be of uint64');
    expect(call({ out: { tokens: status } })).toThrow('out.tokens must be of int32');
    expect(call({ bitmask: tokens }, { allowedTokens: [1] })).toThrow('bitmask must be of rows');
    for (const tensor of [x, tokens, status, got.logprobs, got.rawLogprobs]) tensor?.dispose();
    expect(deviceMemory()).toEqual(before);
  });

  it('takes more rows than are worked on at a time', () => {
    const many = 450;
    const x = new Random(8).normals(many * 40, 2);
    const ids = Int32Array.from({ length: many }, (_, i) => i);
    const draw = (device: 'cpu' | 'cuda') =>
      new SamplingPlan({ minP: 0.1, outputs, device }).sample(x, { seed: 2, sequences: ids, positions: ids });
    expect(draw('cuda')).toEqual(draw('cpu'));
  });

  it('orders the whole row as its top log-probs', () => {
    const bad = tied.slice();
    bad.fill(-Infinity, 17, 1000);
    for (const topLogprobs of [1, 1023, vocab, vocab + 1]) {
      const draw = (device: 'cpu' | 'cuda') => new SamplingPlan({ topLogprobs, device }).sample(bad, keys);
      expect(draw('cuda')).toEqual(draw('cpu'));
    }
  });
});
