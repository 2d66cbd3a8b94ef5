import fc from 'fast-check';
import { typedAnswer } from '../../lib/data/answer.js';

describe('typedAnswer', () => {
  it.each([
    [' 18', 'integer', '18'],
    ['-0', 'integer', '0'],
    ['276,000', 'integer', '276000'],
    ['27.0', 'integer', '27'],
    ['.5', 'decimal', '0.5'],
    ['-1,234.50', 'decimal', '-1234.50'],
    ['3/4', 'fraction', '3/4'],
    ['-\\frac{1}{2}', 'fraction', '-1/2'],
    ['$\\frac{14}{3}$', 'fraction', '14/3'],
    ['18.', 'integer', '18'],
    ['- 3', 'integer', '-3'],
    ['- \\frac { 3 } { 2 }', 'fraction', '-3/2'],
    ['\\(\\frac{333}{1997}\\)', 'fraction', '333/1997'],
    ['\\[x+1\\]', 'expression', 'x+1'],
    ['\\(a\\) or \\(b\\)', 'expression', '\\(a\\) or \\(b\\)'],
    ['\\frac{-3}{4}', 'fraction', '-3/4'],
    ['-\\frac{-3}{4}', 'fraction', '3/4'],
    ['-\\frac13', 'fraction', '-1/3'],
    ['007', 'integer', '7'],
    ['+12', 'integer', '12'],
    ['x^2+1', 'expression', 'x^2+1'],
    ['1/0', 'expression', '1/0'],
    ['1,23', 'expression', '1,23'],
  ])('types %p as %s', (raw, type, value) => {
    expect(typedAnswer(raw, 'math')).toEqual({ type, value });
  });

  it('keeps a currency sign as the unit, and words as text outside mathematics', () => {
    expect(typedAnswer('$1,200', 'general')).toEqual({ type: 'integer', value: '1200', unit: '$' });
    expect(typedAnswer('Paris.', 'general')).toEqual({ type: 'text', value: 'Paris.' });
  });

  it('is idempotent on its own values', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.bigInt().map(String), fc.double({ noNaN: true, noDefaultInfinity: true }).map(String)),
        (raw) => {
          const once = typedAnswer(raw, 'math');
          expect(typedAnswer(once.value, 'math')).toEqual(once);
        },
      ),
    );
  });
});
