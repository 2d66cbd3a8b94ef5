import { Budget, BudgetExceeded } from '../../lib/rewards/budget.js';
import { keyOf, NotMath } from '../../lib/rewards/expression/ast.js';
import { parseExpression } from '../../lib/rewards/expression/parser.js';

const key = (text: string): string => keyOf(parseExpression(text));

describe('grammar', () => {
  it.each([
    ['\\frac12', '(1/2)'],
    ['\\frac 1 2', '(1/2)'],
    ['\\frac1{72}', '(1/72)'],
    ['2\\frac{1}{3}', '((1/3)+2)'],
    ['x^10', '(x^10)'],
    ['a^b^c', '(a^(b^c))'],
    ['-x^2', '(-(x^2))'],
    ['2x/3', '((2*x)/3)'],
    ['\\sin 2x', 'sin((2*x))'],
    ['\\sin x \\cos y', '(cos(y)*sin(x))'],
    ['\\sin^2 x', '(sin(x)^2)'],
    ['\\sin^{-1} x', 'arcsin(x)'],
    ['\\log_2 8', 'log(8,2)'],
    ['\\sqrt[3]{x}', 'root(x,3)'],
    ['\\sqrt3', 'root(3,2)'],
    ['|x-1|', 'abs((-1+x))'],
    ['[0,1)', '[0,1)'],
    [']0,1[', '(0,1)'],
    ['\\{3,1,2\\}', '{1,2,3}'],
    ['1, 2 \\text{ and } 3', '1,2,3'],
    ['x = 1 \\quad y = 2', 'x=1,y=2'],
    ['a \\not= b', 'a!=b'],
    ['1,234', '1234'],
    ['(1,234)', '(1,234)'],
    ['x_{n+1}', 'x_n+1'],
    ['\\overline{AB}', 'overline(AB)'],
    ['3!', 'factorial(3)'],
    ['n \\choose k', 'binomial(n,k)'],
    ['\\left(\\dfrac{1}{2},3\\right)', '((1/2),3)'],
    ['π/2', '(\\pi/2)'],
    ['x²', '(x^2)'],
    ['5 \\text{ cm}', "5'cm'"],
    ['５', '5'],
  ])('%s', (text, expected) => {
    expect(key(text)).toBe(expected);
  });

  it.each([
    '',
    '()',
    '1 +',
    '(1',
    '1)',
    '\\frac{1}{',
    '\\sqrt',
    'x = = 2',
    '[1,2,3)',
    'the answer',
    '2 3',
    '1..2',
    '\\begin{matrix} 1 & 2 \\\\ 3 \\end{matrix}',
    'x:=5',
    '#',
    '"a"',
  ])('refuses %j', (text) => {
    expect(() => parseExpression(text)).toThrow(NotMath);
  });

  it('bounds nesting and length', () => {
    expect(() => parseExpression('('.repeat(5000) + '1' + ')'.repeat(5000))).toThrow(NotMath);
    expect(() => parseExpression('1+'.repeat(5000) + '1', new Budget(1000))).toThrow(BudgetExceeded);
  });
});
