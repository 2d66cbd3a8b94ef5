import fc from 'fast-check';
import { Permutation } from '../../lib/blend/permutation.js';
import { BLEND_NAMES, blendRecipe, type BlendSource } from '../../lib/blend/recipe.js';
import { BlendSchedule } from '../../lib/blend/schedule.js';

const source = (
  name: string,
  domain: 'general' | 'math',
  form: 'multiple-choice' | 'open-ended',
  size: number,
): BlendSource => ({
  name,
  domain,
  form,
  size,
});

/** The six sources of the paper's table 1. */
const PAPER = [
  source('mmlu', 'general', 'multiple-choice', 99842),
  source('syn-qa', 'general', 'multiple-choice', 192930),
  source('natural-reasoning', 'general', 'open-ended', 100000),
  source('numina', 'math', 'open-ended', 87350),
  source('persona', 'math', 'open-ended', 100000),
  source('math', 'math', 'open-ended', 8523),
];

const shares = (name: (typeof BLEND_NAMES)[number]): number[] => {
  const { weights } = blendRecipe(name, PAPER);
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => Number((weight / sum).toFixed(4)));
};

describe('Permutation', () => {
  it.each([1, 2, 3, 5, 64, 1000, 4097])('hits each of %d positions once', (size) => {
    const order = new Permutation(size, 'key');
    expect(new Set(Array.from({ length: size }, (_, i) => order.at(i)))).toEqual(new Set(Array(size).keys()));
  });

  it('depends on the key and stays in range beyond 2^32', () => {
    const list = (key: string): number[] => Array.from({ length: 50 }, (_, i) => new Permutation(1000, key).at(i));
    expect(list('a')).not.toEqual(list('b'));
    expect(list('a')).not.toEqual([...list('a')].sort((x, y) => x - y));
    const huge = new Permutation(2 ** 40 + 7, 'k');
    const images = Array.from({ length: 1000 }, (_, i) => huge.at(i));
    expect(new Set(images).size).toBe(1000);
    expect(Math.max(...images)).toBeLessThan(2 ** 40 + 7);
    expect(Math.max(...images)).toBeGreaterThan(2 ** 36);
  });
});

describe('blendRecipe', () => {
  // Exact values of paper.md, section 4 ("computed"), that is: of the table's definitions.
  it.each([
    ['natural', [0.1696, 0.3278, 0.1699, 0.1484, 0.1699, 0.0145]],
    ['mr-up', [0.0847, 0.1637, 0.0849, 0.2973, 0.3404, 0.029]],
    ['gpr-up', [0.1695, 0.3275, 0.1697, 0.1487, 0.1702, 0.0145]],
    ['mcq-up', [0.2273, 0.4393, 0.1127, 0.0984, 0.1127, 0.0096]],
    ['open-up', [0.1137, 0.2197, 0.2253, 0.1968, 0.2253, 0.0192]],
    ['only-mr', [0, 0, 0, 0.446, 0.5105, 0.0435]],
    ['only-gpr', [0.2542, 0.4912, 0.2546, 0, 0, 0]],
  ] as const)('%s has the weights of the paper', (name, expected) => {
    expect(shares(name)).toEqual(expected);
  });

  it('rejects a blend whose side is empty, double names and wrong sizes', () => {
    expect(() => blendRecipe('gpr-up', PAPER.slice(0, 2))).toThrow(/needs questions on both sides/);
    expect(() => blendRecipe('natural', [PAPER[0]!, PAPER[0]!])).toThrow(/distinct names/);
    expect(() => blendRecipe('natural', [{ ...PAPER[0]!, size: 1.5 }])).toThrow(/whole number/);
    expect(() => blendRecipe('natural', [])).toThrow(/at least one source/);
  });
});

const recipe = blendRecipe('gpr-up', PAPER);
const small = {
  name: 'w',
  sources: [source('a', 'math', 'open-ended', 7), source('b', 'math', 'open-ended', 5)],
  weights: [3, 1],
};

describe('BlendSchedule', () => {
  it('takes the source of largest deficit, slot by slot', () => {
    const draws = new BlendSchedule(small, { seed: 1 }).batch(0, { size: 8 });
    expect(draws.map((draw) => draw.source).join('')).toBe('aabaaaba');
  });

  it('keeps every count within one of its quota, always', () => {
    const schedule = new BlendSchedule(recipe, { seed: 3 });
    const total = recipe.weights.reduce((a, b) => a + b, 0);
    const counts = new Map<string, number>();
    let worst = 0;
    for (let step = 0; step < 200; step++) {
      for (const draw of schedule.batch(step, { size: 128 }))
        counts.set(draw.source, (counts.get(draw.source) ?? 0) + 1);
      const drawn = (step + 1) * 128;
      recipe.sources.forEach(({ name }, i) => {
        worst = Math.max(worst, Math.abs((counts.get(name) ?? 0) - (drawn * recipe.weights[i]!) / total));
      });
    }
    expect(worst).toBeLessThan(1);
  });

  it('shows every row once before any repeats, in another order each pass', () => {
    const draws = new BlendSchedule(small, { seed: 9 }).batch(0, { size: 4 * 28 });
    const passes = (epoch: number): number[] =>
      draws.filter((d) => d.source === 'a' && d.epoch === epoch).map((d) => d.index);
    for (const epoch of [0, 1, 2]) expect(new Set(passes(epoch))).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
    expect(passes(0)).toHaveLength(7);
    expect([passes(1), passes(2)]).not.toEqual([passes(0), passes(0)]);
  });

  it('is a function of (seed, step): any order of asking, any instance', () => {
    const ahead = new BlendSchedule(recipe, { seed: 4 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3000 }), (step) => {
        const fresh = new BlendSchedule(recipe, { seed: 4 }).batch(step, { size: 64 });
        expect(ahead.batch(step, { size: 64 })).toEqual(fresh);
      }),
      { numRuns: 20 },
    );
    expect(new BlendSchedule(recipe, { seed: 5 }).batch(0, { size: 64 })).not.toEqual(ahead.batch(0, { size: 64 }));
  });

  it.each([1, 2, 3, 7, 64])('splits one global batch over %d ranks', (worldSize) => {
    const schedule = new BlendSchedule(recipe, { seed: 4 });
    const whole = schedule.batch(11, { size: 64 });
    const parts = Array.from({ length: worldSize }, (_, rank) =>
      new BlendSchedule(recipe, { seed: 4 }).batch(11, { size: 64, rank, worldSize }),
    );
    expect(parts.flat()).toEqual(whole);
  });

  it('leaves sources of weight 0 out and accepts fractions', () => {
    const draws = new BlendSchedule({ ...small, weights: [0, 0.25] }, { seed: 1 }).batch(0, { size: 20 });
    expect(new Set(draws.map((draw) => draw.source))).toEqual(new Set(['b']));
    const mixed = new BlendSchedule({ ...small, weights: [0.1, 0.3] }, { seed: 1 }).batch(0, { size: 400 });
    expect(mixed.filter((draw) => draw.source === 'a')).toHaveLength(100);
  });

  it('goes on from a state, and refuses changed data', () => {
    const schedule = new BlendSchedule(recipe, { seed: 4 });
    const state = schedule.state(10, 64);
    const resumed = BlendSchedule.resume(recipe, state);
    expect(resumed.batch(state.step, { size: 64 })).toEqual(schedule.batch(10, { size: 64 }));
    const changed = {
      ...recipe,
      sources: recipe.sources.map((s, i) => (i === 0 ? { ...s, fingerprint: 'other' } : s)),
    };
    expect(() => BlendSchedule.resume(changed, state)).toThrow(/has changed since/);
  });

  it.each([
    [{ size: 0 }, /options\.size/],
    [{ size: 4, rank: 2, worldSize: 2 }, /options\.rank must be 0 to 1/],
    [{ size: 4, worldSize: 0 }, /options\.worldSize/],
  ])('rejects %j', (options, message) => {
    expect(() => new BlendSchedule(small, { seed: 0 }).batch(0, options)).toThrow(message);
  });

  it('rejects weights that cannot be scheduled', () => {
    expect(() => new BlendSchedule({ ...small, weights: [1] }, { seed: 0 })).toThrow(/one weight for each of 2/);
    expect(() => new BlendSchedule({ ...small, weights: [0, 0] }, { seed: 0 })).toThrow(/do not sum to 0/);
    expect(() => new BlendSchedule({ ...small, weights: [NaN, 1] }, { seed: 0 })).toThrow(/recipe\.weights\.a/);
  });
});
