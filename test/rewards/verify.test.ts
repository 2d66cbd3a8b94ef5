import { readTarget, resolveSettings, verify, verifyTarget, type VerifyQuestion } from '../../lib/rewards/index.js';

const think = (rest: string): string => `<think>some reasoning</think>\n${rest}`;
const options = [
  { label: 'A', text: 'Mercury' },
  { label: 'B', text: 'Venus' },
  { label: 'C', text: 'Earth' },
  { label: 'D', text: 'Mars' },
];
const planet: VerifyQuestion = { form: 'multiple-choice', options, answer: { type: 'option', value: 'D' } };

describe('reward = accuracy AND format', () => {
  it.each([
    [think('The answer is \\boxed{42}.'), '42', 1, 1, 1, 'correct'],
    [think('The answer is \\boxed{41}.'), '42', 0, 0, 1, 'wrong'],
    ['The answer is \\boxed{42}.', '42', 0, 1, 0, 'format_no_think'],
    [think('The answer is 42.'), '42', 0, 1, 0, 'format_no_box'],
    ['<think>never closed \\boxed{42}', '42', 0, 1, 0, 'format_unclosed_think'],
    ['closed only</think>\\boxed{42}', '42', 0, 1, 0, 'format_unclosed_think'],
    ['<think> </think>\\boxed{42}', '42', 0, 1, 0, 'format_empty_think'],
    ['Hello <think>x</think>\\boxed{42}', '42', 0, 1, 0, 'format_text_before_think'],
    ['<think>a</think><think>b</think>\\boxed{42}', '42', 0, 1, 0, 'format_several_think'],
    [think(''), '42', 0, 0, 0, 'wrong'],
    ['', '42', 0, 0, 0, 'no_answer'],
  ])('%j against %j', (response, gold, reward, accuracy, format, reason) => {
    expect(verify(response, gold)).toMatchObject({ reward, accuracy, format, reason });
  });

  it('takes the answer after the reasoning, not inside it', () => {
    expect(verify('<think>maybe \\boxed{7}</think>No: \\boxed{8}', '7').accuracy).toBe(0);
  });
});

describe('boxes', () => {
  it.each([
    ['\\boxed{\\frac{1}{2}}', '\\frac{1}{2}'],
    ['first \\boxed{3}, then \\boxed{4}.', '4'],
    ['\\boxed{a {nested {very}} box}', 'a {nested {very}} box'],
    ['\\boxed{5} and then \\boxed{never closed', '5'],
    ['\\boxed 7', '7'],
    ['\\boxed{\\{1, 2\\}}', '\\{1, 2\\}'],
    ['$\\boxed{\\text{Paris}}$', '\\text{Paris}'],
    ['\\\\boxed{\\\\frac{1}{2}}', '\\frac{1}{2}'],
    ['\\boxed{1 \\boxed{2} 3}', '1 \\boxed{2} 3'],
  ])('%s', (response, extracted) => {
    expect(verify(response, 'something else').extracted).toBe(extracted);
  });

  it('reads a million unclosed boxes in linear time', () => {
    expect(verify('\\boxed{'.repeat(140_000), '1').accuracy).toBe(0);
  });
});

describe('options', () => {
  it.each([
    ['\\boxed{D}', 1],
    ['\\boxed{(D)}', 1],
    ['\\boxed{D.}', 1],
    ['\\boxed{d}', 1],
    ['\\boxed{\\text{D}}', 1],
    ['\\boxed{\\textbf{(D)}}', 1],
    ['\\boxed{D: Mars}', 1],
    ['\\boxed{D. Mars}', 1],
    ['\\boxed{(D) Mars}', 1],
    ['\\boxed{Mars}', 1],
    ['\\boxed{mars.}', 1],
    ['The correct answer is **D**.', 1],
    ['Answer: D) Mars', 1],
    ['It cannot be A, B or C, so the answer is D', 1],
    ['C is wrong, so D', 1],
    ['\\boxed{C}', 0],
    ['\\boxed{D: Venus}', 0],
    ['\\boxed{A, B, C, D}', 0],
    ['\\boxed{A or D}', 0],
    ['\\boxed{not Mars}', 0],
    ["I don't know", 0],
    ['\\boxed{Pluto}', 0],
  ])('%s', (response, accuracy) => {
    expect(verify(response, planet).accuracy).toBe(accuracy);
  });

  it.each(['D', '(D)', 'D: Mars', 'D. Mars', 'Mars'])('reads the gold %s', (value) => {
    const question: VerifyQuestion = {
      ...(planet as object),
      form: 'multiple-choice',
      options,
      answer: { type: 'option', value },
    };
    expect(verify('\\boxed{D}', question).accuracy).toBe(1);
    expect(verify('\\boxed{A}', question).accuracy).toBe(0);
  });

  it.each([
    ['D. Venus', 'unscorable_gold_label_text_disagree'],
    ['A. Pluto is no planet', 'unscorable_gold_label_text_disagree'],
    ['Pluto', 'unscorable_gold_not_an_option'],
    ['', 'unscorable_gold_empty'],
  ])('gold %j is unscorable, never 0', (value, reason) => {
    const verdict = verify(think('\\boxed{D}'), {
      form: 'multiple-choice',
      options,
      answer: { type: 'option', value },
    });
    expect(verdict).toMatchObject({ reward: NaN, accuracy: NaN, format: 1, reason });
  });

  it('keeps a name apart from a letter', () => {
    const microbes = {
      form: 'multiple-choice',
      options: [...options, { label: 'E', text: 'yeast' }],
      answer: { type: 'option', value: 'E' },
    } as const;
    expect(verify('\\boxed{E. coli}', microbes).accuracy).toBe(0);
    expect(verify('\\boxed{E. yeast}', microbes).accuracy).toBe(1);
  });
});

describe('typed answers', () => {
  it.each([
    ['12', '12.', 1],
    ['12', '12.0', 1],
    ['12', '$12', 1],
    ['12', '1,2', 0],
    ['1234', '1,234', 1],
    ['-8192', '-8,192', 1],
    ['0.25', '1/4', 1],
    ['1/4', '\\frac14', 1],
    ['\\frac{3}{4}', '\\dfrac{3}{4}', 1],
    ['1.5', '1\\frac{1}{2}', 1],
    ['0.5', '50\\%', 1],
    ['1e3', '1000', 1],
    ['12000', '1.2\\times 10^{4}', 1],
    ['1/2004', '1/2006', 0],
    ['100000000000', '99999999999', 0],
    ['5', '5.001', 0],
    ['10', '10 \\text{ cm}', 1],
    ['10 cm', '10 m', 0],
    ['x=5', 'y=5', 0],
    ['Paris', 'paris.', 1],
    ['Paris', '\\text{Paris}', 1],
    ['the Hague', 'The Hague', 1],
    ['Paris', 'Paris London Rome', 0],
    ['true', 'Yes', 1],
    ['no', 'Yes', 0],
  ])('gold %s, answer %s: %d', (gold, answer, accuracy) => {
    expect(verify(`\\boxed{${answer}}`, gold).accuracy).toBe(accuracy);
  });

  it('accepts any of several golds and typed records', () => {
    expect(verify('\\boxed{NYC}', ['New York City', 'NYC']).accuracy).toBe(1);
    expect(verify('\\boxed{7}', 7).accuracy).toBe(1);
    expect(verify('\\boxed{NYC}', { type: 'text', value: 'New York', alternatives: ['NYC'] }).accuracy).toBe(1);
    expect(verify('\\boxed{3.15}', { type: 'decimal', value: '3.14', tolerance: 0.01 }).accuracy).toBe(1);
    expect(verify('\\boxed{3.15}', { type: 'decimal', value: '3.14' }).accuracy).toBe(0);
    expect(verify('\\boxed{3}', { type: 'integer', value: 'three-ish' }).reason).toBe('unscorable_gold_unparsable');
  });
});

describe('fallbacks without a box', () => {
  it.each([
    ['<answer>42</answer>', '42'],
    ['so the total is 42.\n#### 42', '42'],
    ['Final answer: $42$', '42'],
    ['The final answer is 42. I hope it is correct.', '42'],
    ['Therefore, the answer is **42** apples.', '42'],
    ['She has 40 + 2 = 42 apples.', '42'],
    ['{"reasoning": "6 times 7", "answer": "42"}', '42'],
    ['Adding up.\nA: 42', '42'],
    ['The answer is Paris because it is the capital.', 'Paris'],
  ])('%s', (response, gold) => {
    expect(verify(response, gold).accuracy).toBe(1);
    expect(verify(response, '43').accuracy).toBe(0);
  });
});

it('names the argument of a wrong type', () => {
  expect(() => verify(5 as unknown as string, '5')).toThrow(/response must be a string/);
  expect(() => verify('5', { odd: 1 } as unknown as VerifyQuestion)).toThrow(/gold must be/);
});

it('reads the unit and the tolerance of a typed answer', () => {
  const gold = { type: 'decimal', value: '2.5', unit: 'm', tolerance: 0.01 } as const;
  expect(verify('\\boxed{2.51}', gold).accuracy).toBe(1);
  expect(verify('\\boxed{251 cm}', gold).accuracy).toBe(1);
  expect(verify('\\boxed{2.51 cm}', gold).accuracy).toBe(0);
  expect(verify('\\boxed{2.6}', gold).accuracy).toBe(0);
});

it('refuses an unknown preset', () => {
  expect(() => verify('1', '1', { preset: 'constructor' as 'default' })).toThrow(/settings\.preset must be one of/);
});

it('gives the same verdict whether or not the gold was read before', () => {
  const target = readTarget('\\frac{x}{2}+\\frac{\\sqrt{y}}{3}');
  const settings = resolveSettings({ budget: 60 });
  const response = '\\boxed{\\frac{3x+2\\sqrt{y}}{6}}';
  const first = verifyTarget(response, target, settings);
  expect(verifyTarget(response, target, settings)).toEqual(first);
});
