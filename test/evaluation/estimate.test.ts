import fc from 'fast-check';
import { CrossThinkError } from '../../lib/errors';
import { meanEstimate, passAtK, proportionEstimate } from '../../lib/evaluation/estimate';

/** pass@k by counting all draws of k of n samples. */
function byCounting(n: number, correct: number, k: number): number {
  let hits = 0;
  let all = 0;
  for (let set = 0; set < 1 << n; set++) {
    const members = Array.from({ length: n }, (_, i) => (set >> i) & 1);
    if (members.reduce((a, b) => a + b, 0) !== k) continue;
    all++;
    if (members.slice(0, correct).includes(1)) hits++;
  }
  return hits / all;
}

test('pass@k is the share of draws with a right answer', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(9), fc.integer({ min: 1, max: 9 }), (n, c, k) => {
      fc.pre(c <= n && k <= n);
      expect(passAtK(n, c, k)).toBeCloseTo(byCounting(n, c, k), 12);
    }),
    { numRuns: 60 },
  );
  expect(passAtK(8, 0, 8)).toBe(0);
  expect(passAtK(8, 1, 8)).toBe(1);
  expect(() => passAtK(4, 1, 5)).toThrow(/k must be an integer from 1 to n \(4\); received 5/);
  expect(() => passAtK(4, 5, 1)).toThrow(/correct/);
});

test("Wilson's interval has the published values and stays inside 0 to 1", () => {
  // Newcombe 1998, table I: 81 of 263.
  const known = proportionEstimate(81, 263);
  expect(known.low).toBeCloseTo(0.2553, 4);
  expect(known.high).toBeCloseTo(0.3662, 4);
  const none = proportionEstimate(0, 20);
  expect([none.value, none.low]).toEqual([0, 0]);
  expect(none.high).toBeCloseTo(0.1611, 4);
  expect(proportionEstimate(29, 29).high).toBe(1);
  expect(() => proportionEstimate(3, 2)).toThrow(/successes/);
});

test('the interval of a mean is 1.96 standard errors wide on each side', () => {
  const { value, low, high } = meanEstimate([0, 0.5, 1, 0.5]);
  expect(value).toBe(0.5);
  const error = Math.sqrt(0.5 / 3 / 4);
  expect(high - value).toBeCloseTo(1.959964 * error, 6);
  expect(value - low).toBeCloseTo(high - value, 12);
  expect(meanEstimate([3])).toEqual({ value: 3, low: 3, high: 3 });
  expect(() => meanEstimate([])).toThrow(/at least one value/);
});

test.each<[string, () => unknown, string]>([
  ['endless samples', () => passAtK(Infinity, 3, 2), 'n'],
  ['endlessly many right', () => passAtK(10, -Infinity, 2), 'correct'],
  ['half a sample', () => passAtK(10, 2.5, 2), 'correct'],
  ['no number', () => passAtK(10, 2, '2' as never), 'k'],
  ['NaN of samples', () => proportionEstimate(0, NaN), 'n'],
  ['NaN successes', () => proportionEstimate(NaN, 3), 'successes'],
  ['no list', () => meanEstimate(null as never), 'values'],
  ['texts in a list', () => meanEstimate(['1'] as never), 'values[0]'],
])('%s is an error, not a loop or NaN', (_, call, field) => {
  let thrown: unknown;
  try {
    call();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(CrossThinkError);
  expect(thrown).toMatchObject({ field });
});
