import * as fc from 'fast-check';
import { verify } from '../../lib/rewards/index.js';

type Row = readonly [gold: string, answer: string, equal: 0 | 1];
const check = (rows: readonly Row[]): void => {
  it.each(rows)('%s | %s | %d', (gold, answer, equal) => {
    expect(verify(`\\boxed{${answer}}`, gold).accuracy).toBe(equal);
  });
};

describe('numbers', () => {
  check([
    ['1,000.99', '1000.99', 1],
    ['1 000.99', '1000.99', 1],
    ['1,22', '1.22', 1],
    ['0,111', '0.111', 1],
    ['(1,234)', '1234', 0],
    ['1,234,567', '1234567', 1],
    ['11{,}000', '11000', 1],
    ['12', '1,2', 0],
    ['32349', '32, 349', 0],
    ['1/3', '0.\\overline{3}', 1],
    ['0.1\\overline{6}', '1/6', 1],
    ['0.001', '10^{-3}', 1],
    ['6.02 \\times 10^{23}', '6.02e23', 1],
    ['three', '3', 1],
    ['21', 'twenty-one', 1],
    ['1\\frac{1}{2}', '3/2', 1],
    ['1 1/2', '1.5', 1],
    ['-½', '-0.5', 1],
    ['\\frac{1}{-2}', '-0.5', 1],
    ['0', '-0', 1],
    ['1/0', '1', 0],
    ['3.14159265', '\\pi', 1],
    ['\\pi', '3.14', 0],
    ['0.33', '1/3', 0],
    ['7', '7.0000001', 1],
    ['5', '5.001', 0],
    ['100000000000', '99999999999', 0],
    ['1/2004!', '1/2006!', 0],
    ['\\frac{\\sqrt2}{2004!}', '\\frac{\\sqrt2}{2006!}', 0],
    ['2^{99}+\\sqrt2', '2^{99}+\\sqrt3', 0],
    ['2024^{4046}', '2024^{4047}', 0],
    ['2024^{4046}', '2024^{4045} \\cdot 2024', 1],
  ]);

  it('keeps exactness at any size', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n }),
        fc.bigInt({ min: 1n, max: 10n ** 30n }),
        (n, d) => {
          expect(verify(`\\boxed{${n * 3n}/${d * 3n}}`, `\\frac{${n}}{${d}}`).accuracy).toBe(1);
          expect(verify(`\\boxed{\\frac{${n * 3n + 1n}}{${d * 3n}}}`, `\\frac{${n}}{${d}}`).accuracy).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('percent, currency, units', () => {
  check([
    ['$28\\%$', '0.28', 1],
    ['28', '28%', 1],
    ['0.28', '28\\%', 1],
    ['0.1', '0.1\\%', 0],
    ['\\frac{1}{2}\\%', '0.005', 1],
    ['32348', '\\$32,348', 1],
    ['$5', '5 dollars', 1],
    ['€5', '$5', 0],
    ['12 \\text{ cm}^2', '12', 1],
    ['1 foot', '12 inches', 1],
    ['12 feet', '12 inches', 0],
    ['100 cm', '1 m', 1],
    ['5 cm', '5 m', 0],
    ['60 mph', '60 km/h', 0],
    ['36 km/h', '10 m/s', 1],
    ['20 °C', '68 °F', 1],
    ['5 apples', '5 oranges', 0],
    ['5 apples', '5', 1],
    ['90^\\circ', '90', 1],
    ['36^{\\circ}', '36\\degree', 1],
    ['90^\\circ', '\\pi/2', 0],
    ['\\sin 30^\\circ', '\\frac12', 1],
    ['204_5', '204_5', 1],
    ['204_5', '204_6', 0],
  ]);
});

describe('dates, times, ratios', () => {
  check([
    ['12:00', '1:00', 0],
    ['12:00', '12:00', 1],
    ['4:30 p.m.', '16:30', 1],
    ['4:30 p.m.', '4:30 AM', 0],
    ['October 29, 1993', '29 October 1993', 1],
    ['1993-10-29', 'Oct 29th, 1993', 1],
    ['October 29, 1993', 'October 15, 1993', 0],
    ['3:4', '6:8', 1],
    ['3:4', '3/4', 1],
    ['1:2:3', '2:4:6', 1],
    ['1:2:3', '2:4:5', 0],
  ]);
});

describe('symbolic', () => {
  check([
    ['x^2-1', '(x-1)(x+1)', 1],
    ['a^2+2ab+b^2', '(a+b)^2', 1],
    ['x^2 + 2x + 1', 'x^2+2x+2', 0],
    ['x+1', 'y+1', 0],
    ['\\sqrt{12}', '2\\sqrt{3}', 1],
    ['\\frac{1}{\\sqrt{2}}', '\\frac{\\sqrt{2}}{2}', 1],
    ['\\sqrt[3]{-8}', '-2', 1],
    ['\\sqrt{x^2}', 'x', 0],
    ['\\sqrt{x^2}', '|x|', 1],
    ['e^{i\\pi}', '-1', 1],
    ['1', '\\sin^2 x+\\cos^2 x', 1],
    ['8 \\sin x\\cos x', '4\\sin 2x', 1],
    ['\\tan^{-1} 1', '\\pi/4', 1],
    ['3', '\\log_2 8', 1],
    ['\\ln(x^2)', '2\\ln x', 1],
    ['10', '\\binom{5}{2}', 1],
    ['120', '5!', 1],
    ['n!', 'n(n-1)!', 0],
    ['55', '\\sum_{k=1}^{10} k', 1],
    ['\\frac{n(n+1)}{2}', 'n^2/2+n/2', 1],
    ['F_n = \\sum_{k=0}^{n-1} F_k F_{n-k-1}', 'F_n = \\sum_{k=0}^{n-1} F_{n-k-1} F_k', 1],
    ['2+3i', '3i+2', 1],
    ['10^{10^{10}}', '10^{10^{10}}', 1],
    ['(\\sqrt3+2)^{2016}', '(2+\\sqrt3)^{2016}', 1],
    ['(\\sqrt3+2)^{2016}', '(2+\\sqrt3)^{2017}', 0],
    ['AB', 'BA', 0],
    ['cat', 'act', 0],
    ['a \\cdot b', 'ba', 1],
  ]);

  it('finds a sum equal to itself in any order, and not to a changed one', () => {
    const term = fc.tuple(
      fc.integer({ min: 1, max: 20 }),
      fc.constantFrom('x', 'y', 'z'),
      fc.integer({ min: 1, max: 5 }),
    );
    fc.assert(
      fc.property(fc.array(term, { minLength: 2, maxLength: 6 }), (terms) => {
        const text = terms.map(([a, v, n]) => `${a}${v}^{${n}}`);
        expect(verify(`\\boxed{${[...text].reverse().join(' + ')}}`, text.join('+')).accuracy).toBe(1);
        expect(verify(`\\boxed{${text.join(' + ')} + 1}`, text.join('+')).accuracy).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});

describe('collections, intervals, relations', () => {
  check([
    ['(1,2)', '(2,1)', 0],
    ['\\{1,2\\}', '\\{2,1\\}', 1],
    ['1,2', '2, 1', 1],
    ['1,2', '1,2,3', 0],
    ['1,2', 'x=1 \\text{ or } x=2', 1],
    ['(p,q)=(3,2)', '(3,2)', 1],
    ['x = -5,\\ p = \\frac{14}{3}', '-5, \\frac{14}{3}', 1],
    ['(3,\\tfrac{\\pi}{2})', '\\left(3, \\frac{\\pi}{2}\\right)', 1],
    ['(1,2),(3,4)', '(3,4), (1,2)', 1],
    ['\\sqrt{2}, -\\sqrt{2}', '\\pm\\sqrt{2}', 1],
    ['\\pm 1', '1', 0],
    ['x=\\frac{-1\\pm\\sqrt{5}}{2}', '\\frac{-1+\\sqrt5}{2},\\frac{-1-\\sqrt5}{2}', 1],
    ['[0,1)', '(0,1)', 0],
    ['(0,1)', '0 < x < 1', 1],
    ['x \\ge 1', '[1,\\infty)', 1],
    ['x\\le 3', 'x<3', 0],
    ['x > 2', '2 < x', 1],
    ['-x \\ge -1', 'x \\le 1', 1],
    ['(0,1] \\cup [2,3)', '[2,3) \\cup (0,1]', 1],
    ['x<1 \\text{ or } x>3', '(-\\infty,1)\\cup(3,\\infty)', 1],
    ['x \\ne 2', '(-\\infty,2)\\cup(2,\\infty)', 1],
    ['\\mathbb{R} \\setminus \\{2\\}', 'x\\neq 2', 1],
    ['\\mathbb{R}', '(-\\infty,\\infty)', 1],
    ['\\{x | x > 0\\}', '(0,\\infty)', 1],
    ['x=5', '5', 1],
    ['5', 'x=5', 1],
    ['x=5', 'y=5', 0],
    ['7 = 11a+c', '11a+c', 0],
    ['a^2+b=0', '0', 0],
    ['y = 2x+1', '2x - y + 1 = 0', 1],
    ['x^2+y^2=1', '2x^2+2y^2=2', 1],
    ['f(x)=x+1', 'x+1', 1],
    ['\\frac{NO}{BO}=\\frac{1}{\\sqrt{6}}', '\\frac{1}{\\sqrt{6}}', 1],
    ['x = 1/3', 'x = \\frac{2}{6} \\approx 0.33', 1],
    ['\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}', '\\left[\\begin{array}{cc}1&2\\\\3&4\\end{array}\\right]', 1],
    ['\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}', '\\begin{pmatrix}1&2\\\\3&5\\end{pmatrix}', 0],
    ['\\begin{pmatrix}1\\\\2\\end{pmatrix}', '(1,2)', 1],
  ]);
});

describe('text', () => {
  check([
    ['George Washington', 'george washington.', 1],
    ['Washington', 'George Washington', 0],
    ["Noether's theorem", 'Noether’s theorem', 1],
    ['\\text{No solution}', 'no solution', 1],
    ['the Netherlands', 'Netherlands', 1],
    ['June 5', '\\text{June 5}', 1],
    ['H2O', 'CO2', 0],
  ]);
});
