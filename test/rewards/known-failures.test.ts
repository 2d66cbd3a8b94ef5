import { verify, type VerifyQuestion } from '../../lib/rewards/index.js';

/** What other verifiers get wrong (data-and-rewards.md, 1.2 and 1.3), in words of our own. */
const accuracy = (response: string, question: VerifyQuestion): number => verify(response, question).accuracy;
const boxed = (answer: string, gold: VerifyQuestion): number => accuracy(`\\boxed{${answer}}`, gold);

describe('string graders that drop what matters', () => {
  it.each([
    ['6 feet', '6 inches', 0],
    ['a=7', 'b=7', 0],
    ['issue', 'is', 0],
    ['9', '9.', 1],
    ['9', '9.0', 1],
    ['9', '$9', 1],
    ['1/8', '0.125', 1],
    ['12', '1,2', 0],
    ['3 cm', '3 m', 0],
  ])('%s | %s', (gold, answer, equal) => {
    expect(boxed(answer, gold)).toBe(equal);
  });

  it('does not count an answer hidden among candidates', () => {
    expect(boxed('lisbon madrid vienna prague', 'vienna')).toBe(0);
    expect(boxed('Lisbon, Madrid, Vienna', 'Vienna')).toBe(0);
    expect(verify('The answer is 4 or 5.', '5')).toMatchObject({ accuracy: 0, reason: 'several_answers' });
  });
});

describe('letters that are no answers', () => {
  const labels = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I'];
  const question = (value: string): VerifyQuestion => ({
    form: 'multiple-choice',
    options: labels.map((label) => ({ label, text: label === 'B' ? 'Vienna' : `city ${label.toLowerCase()}` })),
    answer: { type: 'option', value },
  });
  it.each([
    ["I can't tell", 'I', 0],
    ['C is wrong, so D', 'C', 0],
    ['C is wrong, so D', 'D', 1],
    ['\\boxed{E. coli}', 'E', 0],
    ['\\boxed{not Vienna}', 'B', 0],
    ['\\boxed{\\textbf{C}}', 'C', 1],
    ['\\boxed{c}', 'C', 1],
    ['\\boxed{\\text{E}}', 'E', 1],
    ['\\boxed{B: Vienna}', 'B', 1],
    ['\\boxed{A, B, C, D}', 'B', 0],
    ['A good question. The answer is D.', 'A', 0],
  ])('%s for %s', (response, gold, right) => {
    expect(accuracy(response, question(gold))).toBe(right);
  });
});

describe('equality by luck', () => {
  it.each([
    ['1/1999!', '1/2001!'],
    ['\\frac{1}{2^{97}}', '\\frac{1}{2^{96}}'],
    ['n=2,3,4', 'n=1,2,3'],
    ['\\pm 2019', '2019'],
    ['11:00', '1:00'],
    ['0', '10^{-13}'],
    ['a = b + c', 'p = q'],
  ])('%s is not %s', (gold, answer) => {
    expect(boxed(answer, gold)).toBe(0);
    expect(boxed(gold, answer)).toBe(0);
  });

  it.each([
    ['\\frac{\\pi}{2}', 'pi/2'],
    ['-2\\pi', '-2*pi'],
    ['73', '**73**'],
  ])('%s is %s', (gold, answer) => {
    expect(accuracy(answer, gold)).toBe(1);
  });
});

it('does not let one verdict touch the next', () => {
  const before = verify('\\boxed{x+1}', '6');
  for (const attack of ['x:=5', 'x=5', 'f(x):=x^2', '\\operatorname{let} x = 5', '__proto__', 'constructor']) {
    verify(`\\boxed{${attack}}`, '5');
  }
  expect(verify('\\boxed{x+1}', '6')).toEqual(before);
  expect(before.accuracy).toBe(0);
});

it('does not run what a policy writes', () => {
  expect(accuracy("__import__('os').system('touch x') or 0", '0')).toBe(0);
  expect(boxed('(lambda: 0)()', '0')).toBe(0);
});
