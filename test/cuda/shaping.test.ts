import {
  deviceDynamicSampling,
  deviceGdpoAdvantages,
  deviceMaskTruncated,
  deviceMemory,
  deviceOverlongPenalty,
  devicePositiveExampleLoss,
  deviceRemaxAdvantages,
  deviceRewardsAtEnd,
  DeviceTensor,
  dynamicSampling,
  gdpoAdvantages,
  maskTruncated,
  overlongPenalty,
  positiveExampleLoss,
  readPolicyLoss,
  remaxAdvantages,
  rewardsAtEnd,
  runtimeInfo,
} from '../../lib/index.js';
import { digest } from '../kernels/isas.js';
import { Random } from '../kernels/random.js';

const cuda = runtimeInfo().cuda.available ? describe : describe.skip;

const random = new Random(12);
const groupOffsets = Int32Array.of(0, 8, 8, 13, 300, 308);
const rewards = random.normals(308).map((x, i) => (i % 17 === 3 ? NaN : i >= 300 ? 0.5 : x));
const groupings = [{ groupOffsets }, { groupSize: 4 }];

cuda('reward shaping on device tensors has the bits of the CPU', () => {
  let before: ReturnType<typeof deviceMemory>;
  beforeAll(() => {
    before = deviceMemory();
  });
  afterAll(() => {
    expect(deviceMemory()).toEqual(before);
  });

  it('ReMax', () => {
    using x = DeviceTensor.from(rewards);
    for (const grouping of groupings) {
      const greedy = random.normals(grouping.groupOffsets ? 5 : 77);
      using got = deviceRemaxAdvantages(x, greedy, grouping);
      expect(digest(got.toHost())).toBe(digest(remaxAdvantages(rewards, greedy, grouping)));
      using again = DeviceTensor.allocate([308]);
      expect(deviceRemaxAdvantages(x, greedy, { ...grouping, out: again })).toBe(again);
      expect(again.toHost()).toEqual(got.toHost());
    }
    expect(() => deviceRemaxAdvantages(x, new Float32Array(3), { groupSize: 4 })).toThrow('greedyRewards');
    expect(() => deviceRemaxAdvantages(x, new Float32Array(3), {})).toThrow('exactly one of');
  });

  it('overlong penalty, truncated responses, rewards at the end', () => {
    const cuSeqlens = Int32Array.of(0, 5, 5, 700, 701);
    const mask = Uint8Array.from({ length: 701 }, (_, t) => (t % 3 === 0 || t > 695 ? 0 : 2));
    const truncated = Uint8Array.of(0, 1, 1, 0);
    using lengths = DeviceTensor.from(Int32Array.of(0, 80, 81, 99, 100, 107, 900));
    for (const options of [
      { maxLength: 100, buffer: 20 },
      { maxLength: 100, buffer: 7, factor: 0.3, cap: false },
    ]) {
      using penalty = deviceOverlongPenalty(lengths, options);
      expect(penalty.toHost()).toEqual(overlongPenalty(lengths.toHost() as Int32Array, options));
    }
    using m = DeviceTensor.from(mask);
    using offsets = DeviceTensor.from(cuSeqlens);
    using r = DeviceTensor.from(Float32Array.of(1, 2, 3, 4));
    for (const bounds of [cuSeqlens, offsets]) {
      using kept = deviceMaskTruncated(m, bounds, truncated);
      expect(kept.toHost()).toEqual(maskTruncated(mask, cuSeqlens, truncated));
      for (const valid of [undefined, mask]) {
        using got = deviceRewardsAtEnd(r, bounds, 701, { mask: valid });
        expect(got.toHost()).toEqual(rewardsAtEnd(r.toHost() as Float32Array, cuSeqlens, valid));
      }
    }
    expect(deviceMaskTruncated(m, cuSeqlens, truncated, { out: m })).toBe(m);
    expect(m.toHost()).toEqual(maskTruncated(mask, cuSeqlens, truncated));
    expect(() => deviceOverlongPenalty(lengths, { maxLength: 5, buffer: 6 })).toThrow('options.buffer');
    expect(() => deviceMaskTruncated(m, cuSeqlens, new Uint8Array(3))).toThrow('truncated');
    expect(() => deviceRewardsAtEnd(r, cuSeqlens, 701, { mask: new Uint8Array(3) })).toThrow('options.mask');
  });

  it('dynamic sampling', () => {
    using x = DeviceTensor.from(rewards);
    for (const grouping of groupings) {
      for (const bounds of [{}, { least: -0.5, most: 0.3 }]) {
        const { keepGroups, keep } = deviceDynamicSampling(x, { ...grouping, ...bounds });
        const expected = dynamicSampling(rewards, { ...grouping, ...bounds });
        expect(expected.keep).toContain(0);
        expect(expected.keep).toContain(1);
        expect({ keepGroups: keepGroups.toHost(), keep: keep.toHost() }).toEqual(expected);
        keepGroups.dispose();
        keep.dispose();
      }
    }
  });

  it('GDPO', () => {
    const arrays = [rewards, random.normals(308), random.normals(308).map((x) => Math.round(x))];
    const tensors = arrays.map((array) => DeviceTensor.from(array));
    for (const grouping of groupings) {
      for (const more of [
        {},
        { weights: [0.2, 1, -3], epsilon: 1e-4 },
        { whiten: false as const },
        { whiten: { bessel: false, keepMean: true } },
      ]) {
        using got = deviceGdpoAdvantages(tensors, { ...grouping, ...more });
        expect(digest(got.toHost())).toBe(digest(gdpoAdvantages(arrays, { ...grouping, ...more })));
      }
    }
    expect(() => deviceGdpoAdvantages([], { groupSize: 4 })).toThrow('rewards');
    expect(() => deviceGdpoAdvantages(tensors, { groupSize: 4, weights: [1] })).toThrow('options.weights');
    for (const tensor of tensors) tensor.dispose();
  });

  it('positive examples', () => {
    const cuSeqlens = Int32Array.of(0, 40, 40, 1400, 1500);
    const inputs = {
      logprobs: random.normals(1500).map((x) => -Math.abs(x)),
      cuSeqlens,
      positives: Uint8Array.of(1, 1, 0, 2),
      mask: Uint8Array.from({ length: 1500 }, (_, i) => (i % 5 === 0 ? 0 : 1)),
    };
    using logprobs = DeviceTensor.from(inputs.logprobs);
    using mask = DeviceTensor.from(inputs.mask);
    const counted = [...inputs.mask].filter((m, i) => m !== 0 && (i < 40 || i >= 1400)).length;
    for (const given of [{ mask: undefined }, { mask }]) {
      const host = { ...inputs, mask: given.mask && inputs.mask };
      const options = { coefficient: 0.3, denominator: given.mask ? counted : 140 };
      const gradients = random.normals(1500);
      const addTo = DeviceTensor.from(gradients);
      const expected = positiveExampleLoss(host, given.mask ? { coefficient: 0.3 } : options);
      const summed = positiveExampleLoss(host, { ...options, addTo: gradients });
      for (const [o, want] of [
        [options, expected],
        [{ ...options, addTo }, summed],
      ] as const) {
        const { dLogprobs, results } = devicePositiveExampleLoss({ ...inputs, logprobs, ...given }, o);
        const { loss, metrics } = readPolicyLoss(results.toHost() as Float64Array);
        const sums = { tokens: metrics.tokens, nllSum: metrics.policyLossSum };
        expect(digest({ loss, dLogprobs: dLogprobs.toHost(), metrics: sums })).toBe(digest(want));
        dLogprobs.dispose();
        results.dispose();
      }
      expect(addTo.disposed).toBe(true); // It is the result.
    }
    const missing = {} as { denominator: number };
    expect(() => devicePositiveExampleLoss({ ...inputs, logprobs }, missing)).toThrow('options.denominator');
  });
});
