import * as fc from 'fast-check';
import {
  composeReward,
  cosineLength,
  overlongPenalty,
  repetitionPenalty,
  scriptShare,
  tagCount,
  tokenF1,
  trippedGuards,
} from '../../lib/rewards/index.js';

const right = '<think>six times seven</think>\\boxed{42}';

describe('composeReward', () => {
  it('is the paper by default: accuracy AND format', () => {
    expect(composeReward(right, { question: '42' })).toMatchObject({
      reward: 1,
      components: { accuracy: 1, format: 1 },
    });
    expect(composeReward('\\boxed{42}', { question: '42' }).reward).toBe(0);
    expect(composeReward(right, { question: '' }).reward).toBeNaN();
  });

  it('adds weighted components and names them all', () => {
    const { reward, components } = composeReward(
      right,
      { question: '42', length: 90 },
      {
        combine: 'sum',
        terms: [
          { kind: 'accuracy' },
          { kind: 'format', weight: 0.5 },
          { kind: 'overlong', maximum: 100, cache: 20 },
          { kind: 'tags', tags: ['<think>', '</think>'], weight: 0.25 },
          { kind: 'tags', tags: ['<answer>'], weight: 0 },
          { kind: 'language', script: 'latin', weight: 0.1 },
          { kind: 'guards', weight: 0.1 },
        ],
      },
    );
    expect(components).toEqual({
      accuracy: 1,
      format: 1,
      overlong: -0.5,
      tags: 1,
      'tags.2': 0,
      language: 1,
      guards: 1,
    });
    expect(reward).toBeCloseTo(1 + 0.5 - 0.5 + 0.25 + 0.1 + 0.1, 12);
  });

  it('refuses a weight that is no number', () => {
    expect(() => composeReward(right, { question: '42' }, { terms: [{ kind: 'accuracy', weight: NaN }] })).toThrow(
      /terms\[0\]\.weight/,
    );
  });
});

describe('length', () => {
  it.each([
    [0, 0],
    [80, 0],
    [90, -0.5],
    [100, -1],
    [500, -1],
  ])('overlong penalty of %d is %d', (length, penalty) => {
    expect(overlongPenalty(length, { maximum: 100, cache: 20 })).toBeCloseTo(penalty, 12);
  });

  it('rewards short right answers and long wrong ones', () => {
    const options = { maximum: 100 };
    expect(cosineLength(0, true, options)).toBeCloseTo(1);
    expect(cosineLength(100, true, options)).toBeCloseTo(0.5);
    expect(cosineLength(0, false, options)).toBeCloseTo(-1);
    expect(cosineLength(1000, false, options)).toBeCloseTo(-0.5);
  });
});

describe('repetition, language, tags, F1', () => {
  it('counts repeated n-grams', () => {
    expect(repetitionPenalty('one two three four five six')).toBe(0);
    expect(repetitionPenalty('go on '.repeat(100), { maximum: 0.5 })).toBeCloseTo(-0.5 * (1 - 2 / 198), 10);
    expect(repetitionPenalty('好的好的好的好的')).toBeLessThan(-0.5);
  });

  it('measures the script of the prose, not of the formulas', () => {
    expect(scriptShare('Вот ответ: $x+y$', 'cyrillic')).toBe(1);
    expect(scriptShare('the 答案', 'latin')).toBeCloseTo(3 / 5);
    expect(scriptShare('123', 'han')).toBe(1);
  });

  it('counts tags that occur once', () => {
    expect(tagCount('<a>x</a><b>', ['<a>', '</a>', '<b>', '</b>'])).toBe(0.75);
    expect(tagCount('<a><a>', ['<a>'])).toBe(0);
  });

  it('scores overlap of words', () => {
    expect(tokenF1('the cat sat', 'a cat')).toBeCloseTo((2 * 1 * 0.5) / 1.5);
    expect(tokenF1('dog', 'cat')).toBe(0);
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(tokenF1(a, b)).toBeCloseTo(tokenF1(b, a), 12);
        expect(tokenF1(a, a)).toBe(1);
      }),
    );
  });
});

describe('guards', () => {
  const options = ['Oslo', 'Rome', 'Bern'].map((text, i) => ({ label: 'ABC'[i] ?? '', text }));
  it.each([
    ['<think>a b</think>\\boxed{B}', []],
    ['<think>a b</think>\\boxed{A} \\boxed{B}', ['several_boxes']],
    ['<think> </think>\\boxed{B}', ['empty_think']],
    ['\\boxed{B}', ['empty_think']],
    [`<think>a</think>\\boxed{${'1, '.repeat(40)}2}`, ['stuffed_answer']],
    ['<think>a</think>Oslo, Rome or Bern: \\boxed{B}', ['copied_options']],
    ['<think>a</think>\\boxed{which of these cities is the capital of Italy}', ['copied_question']],
  ])('%s trips %j', (response, codes) => {
    expect(trippedGuards(response, { options, question: 'Which of these cities is the capital of Italy?' })).toEqual(
      codes,
    );
  });
});
