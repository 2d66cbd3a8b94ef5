import * as fc from 'fast-check';
import { hostile } from '../../bench/rewards/hostile.js';
import { generator } from '../../bench/rewards/generator.js';
import { isSafePattern } from '../../lib/rewards/patterns.js';
import { reasons, verify } from '../../lib/rewards/index.js';

it.each(hostile())('%s gets a verdict, the same each time', (_name, gold, response) => {
  const first = verify(response, gold);
  expect(Object.keys(reasons)).toContain(first.reason);
  expect(verify(response, gold)).toEqual(first);
});

it('counts an exhausted budget as wrong, at the same step every time', () => {
  const response = '\\boxed{\\sum_{a=1}^{200}\\sum_{b=1}^{200}\\sum_{c=1}^{200} \\sin(abc)}';
  for (const budget of [1000, 50_000]) {
    expect(verify(response, '1', { budget })).toMatchObject({ accuracy: 0, reason: 'budget_exhausted' });
  }
  expect(verify('\\boxed{2}', '2', { budget: 50 }).accuracy).toBe(1);
});

it('judges generated pairs alike in any order: no state passes from one verdict to the next', () => {
  const next = generator(7);
  const pairs = Array.from({ length: 3000 }, () => [next(), `<think>x</think>\\boxed{${next()}}`] as const);
  const forward = pairs.map(([gold, response]) => verify(response, gold));
  const backward = [...pairs].reverse().map(([gold, response]) => verify(response, gold));
  expect(backward.reverse()).toEqual(forward);
});

it('never throws on strings', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      (gold, response) => {
        expect(Object.keys(reasons)).toContain(verify(response, gold).reason);
        expect(Object.keys(reasons)).toContain(verify(gold, { type: 'option', value: response }).reason);
      },
    ),
    { numRuns: 500 },
  );
});

describe('patterns from data', () => {
  it.each(['Answer:\\s*([A-Z])', '(A|B)', '\\(([A-Z])\\)', '[ab+*]+', 'x{2,3}y'])('%s is safe', (pattern) => {
    expect(isSafePattern(pattern)).toBe(true);
  });
  it.each(['(a+)+$', '(a|a)*', '((ab)*)*', '(x{1,5})+', '(a)\\1', '(', '(?:\\s*\\w+)+'])('%s is not', (pattern) => {
    expect(isSafePattern(pattern)).toBe(false);
  });
});
