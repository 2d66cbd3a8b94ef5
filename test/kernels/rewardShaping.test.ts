import {
  advantagePreset,
  CrossThinkError,
  dynamicSampling,
  gdpoAdvantages,
  groupAdvantages,
  maskTruncated,
  overlongPenalty,
  remaxAdvantages,
  whiten,
} from '../../lib/index.js';

describe('overlongPenalty', () => {
  it('is 0, then linear, then capped or not', () => {
    const options = { maxLength: 100, buffer: 20, factor: 0.5 };
    expect([...overlongPenalty([0, 80, 90, 100, 120], options)]).toEqual([0, 0, -0.25, -0.5, -0.5]);
    expect([...overlongPenalty([90, 120], { ...options, cap: false })]).toEqual([-0.25, -1]);
  });

  it('names a buffer longer than the response', () => {
    const call = (): unknown => overlongPenalty([1], { maxLength: 10, buffer: 20 });
    expect(call).toThrow(expect.objectContaining({ field: 'options.buffer' }) as CrossThinkError);
  });
});

describe('maskTruncated', () => {
  it('clears the tokens of truncated sequences, and copies', () => {
    const mask = Uint8Array.of(1, 0, 1, 1, 1);
    expect([...maskTruncated(mask, Int32Array.of(0, 2, 5), Uint8Array.of(0, 1))]).toEqual([1, 0, 0, 0, 0]);
    expect([...mask]).toEqual([1, 0, 1, 1, 1]);
  });
});

describe('dynamicSampling', () => {
  it('leaves out groups without a signal and groups outside the range', () => {
    const metric = Float32Array.of(1, 1, 1, 0, 0, 0, 1, 0, NaN, 1, 1, 0);
    const { keepGroups, keep } = dynamicSampling(metric, { groupSize: 3 });
    expect([...keepGroups]).toEqual([0, 0, 1, 1]);
    expect([...keep]).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]);
    expect([...dynamicSampling(metric, { groupSize: 3, most: 0.6 }).keepGroups]).toEqual([0, 0, 1, 0]);
    const groupOffsets = Int32Array.of(0, 5, 12);
    expect([...dynamicSampling(metric, { groupOffsets, least: 0.6 }).keepGroups]).toEqual([1, 0]);
  });
});

describe('remaxAdvantages', () => {
  it('subtracts the greedy reward of the group', () => {
    const rewards = Float32Array.of(1, 0, 3, NaN);
    expect([...remaxAdvantages(rewards, Float32Array.of(0.5, 2), { groupSize: 2 })]).toEqual([0.5, -0.5, 1, 0]);
  });
});

describe('gdpoAdvantages', () => {
  it('normalises each reward by itself, adds up, and whitens', () => {
    const a = Float32Array.of(1, 0, 0, 1, 1, 0);
    const b = Float32Array.of(0.1, 0.9, 0.5, NaN, 2, 4);
    const one = groupAdvantages(a, { groupSize: 3 }).advantages;
    const two = groupAdvantages(b, { groupSize: 3 }).advantages;
    const sum = one.map((x, i) => x + 0.5 * two[i]!);
    const raw = gdpoAdvantages([a, b], { groupSize: 3, weights: [1, 0.5], whiten: false });
    raw.forEach((x, i) => {
      expect(x).toBeCloseTo(sum[i]!, 6);
    });
    expect(gdpoAdvantages([a, b], { groupSize: 3, weights: [1, 0.5] })).toEqual(whiten(raw));
  });

  it.each<[string, () => unknown]>([
    ['rewards', () => gdpoAdvantages([], { groupSize: 1 })],
    ['rewards[1]', () => gdpoAdvantages([new Float32Array(2), new Float32Array(3)], { groupSize: 1 })],
    ['options.weights', () => gdpoAdvantages([new Float32Array(2)], { groupSize: 1, weights: [1, 2] })],
  ])('names %s in its error', (field, call) => {
    expect(call).toThrow(expect.objectContaining({ field }) as CrossThinkError);
  });
});

describe('advantagePreset', () => {
  const rewards = Float32Array.of(1, 0, 0, 0, 0.5);
  const groupOffsets = Int32Array.of(0, 4, 5);
  const of = (name: Parameters<typeof advantagePreset>[0]): number[] => [
    ...groupAdvantages(rewards, { groupOffsets, ...advantagePreset(name) }).advantages,
  ];
  const expectClose = (got: number[], want: number[]): void => {
    want.forEach((x, i) => {
      expect(got[i]).toBeCloseTo(x, 5);
    });
  };

  // Each follows the trainer's source, cited in docs/losses.md.
  it('trl@2026-07: (r - mean) / (std + 1e-4), a lone response 0', () => {
    expectClose(of('trl@2026-07'), [0.75 / 0.5001, -0.25 / 0.5001, -0.25 / 0.5001, -0.25 / 0.5001, 0]);
  });
  it('verl@2026-08: (r - mean) / (std + 1e-6), a lone response keeps its reward', () => {
    expectClose(of('verl@2026-08'), [1.5, -0.5, -0.5, -0.5, 0.5]);
  });
  it('nemo-rl@2026-08: leave one out, divided where the others differ', () => {
    const std = Math.sqrt(1 / 3); // Of (1, 0, 0), with n - 1.
    expectClose(of('nemo-rl@2026-08'), [1, -1 / 3 / std, -1 / 3 / std, -1 / 3 / std, 0]);
  });
});
