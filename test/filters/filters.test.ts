import { BenchmarkIndex, decontaminate } from '../../lib/filters/contamination/ngrams.js';
import type { Filter } from '../../lib/filters/filter.js';
import { detectLanguage } from '../../lib/filters/language.js';
import { checkFilter, FILTER_NAMES, makeFilter } from '../../lib/filters/registry.js';
import type { Question } from '../../lib/data/question.js';
import { choiceQuestion, openQuestion } from '../data/fixtures.js';

const ask = (question: string, changes: Partial<Question> = {}): Question => openQuestion({ question, ...changes });
const filter = (spec: string | ({ name: string } & Record<string, unknown>)): Filter => makeFilter(checkFilter(spec));
const reason = (check: Filter, question: Question): string | undefined => check.check(question)?.reason;

describe('filters say why', () => {
  it.each([
    ['Prove that there are infinitely many primes.', 'proof'],
    ['(a) Show that f is continuous.', 'proof'],
    ['The sun rises every day.', 'not-a-question'],
    ['Find all primes below 10.', undefined],
    ['Compute 2+3', undefined],
    ['7 + 5 =', undefined],
    ['已知 a=1, 则 b=', undefined],
  ])('questions-only: %p → %p', (text, expected) => {
    expect(reason(filter('questions-only'), ask(text))).toBe(expected);
  });

  it.each([
    ['Find the area of the triangle shown in the figure.', 'missing-figure'],
    ['![graph](g.png) What is the slope?', 'missing-figure'],
    ['如图, 求面积', 'missing-figure'],
    ['What is x in the figure? [asy] draw((0,0)--(1,1)); [/asy]', undefined],
    ['In the table below, what is the total?', 'missing-table'],
    ['In the table below, what is the total?\n| a | b |\n| 1 | 2 |', undefined],
    ['What does the author mean in line 12?', 'missing-passage'],
    ['What is 2 + 2?', undefined],
  ])('self-contained: %p → %p', (text, expected) => {
    expect(reason(filter('self-contained'), ask(text))).toBe(expected);
  });

  it.each([
    ['5, 10', 'multi-answer'],
    ['x=1 \\text{ or } x=2', 'multi-answer'],
    ['(1, 2)', undefined],
    ['1{,}5', undefined],
    ['\\{1, 2, 3\\}', undefined],
    ['10,000x', undefined],
    ['\\left[\\frac{1}{3},\\frac{3}{2}\\right]', undefined],
  ])('single-answer: %p → %p', (value, expected) => {
    expect(reason(filter('single-answer'), ask('x?', { answer: { type: 'expression', value } }))).toBe(expected);
  });

  it('no-all-of-the-above, length, answer-type, language, pass-rate', () => {
    const above = choiceQuestion('Which?', ['x', 'None of the above']);
    expect(reason(filter('no-all-of-the-above'), above)).toBe('all-of-the-above');
    expect(reason(filter('no-all-of-the-above'), choiceQuestion('Which?', ['x', 'above the line']))).toBeUndefined();
    expect(reason(filter({ name: 'length', minChars: 10 }), ask('Why?'))).toBe('too-short');
    expect(reason(filter({ name: 'length', maxChars: 3 }), ask('Why?'))).toBe('too-long');
    expect(
      reason(filter({ name: 'answer-type', keep: ['integer'] }), ask('x?', { answer: { type: 'text', value: 'a' } })),
    ).toBe('answer-type');
    expect(reason(filter({ name: 'language', keep: ['en'] }), ask('Wie viele Äpfel hat er und wo ist der Rest?'))).toBe(
      'language',
    );
    const band = filter({ name: 'pass-rate', min: 0.25, max: 0.75, missing: 'drop' });
    expect([0.1, 0.25, 0.75, 0.9].map((passRate) => reason(band, ask('x?', { passRate })))).toEqual([
      'too-hard',
      undefined,
      undefined,
      'too-easy',
    ]);
    expect(reason(band, ask('x?'))).toBe('no-pass-rate');
  });

  it('refuses unknown names and options, naming them', () => {
    expect(() => checkFilter('nonsense')).toThrow(/Known: verifiable/);
    expect(() => checkFilter({ name: 'pass-rate', min: 2 })).toThrow(/min/);
    expect(() => checkFilter({ name: 'verifiable', words: 3 })).toThrow(/words/);
    expect(FILTER_NAMES).toContain('decontaminate');
  });
});

describe('detectLanguage', () => {
  it.each([
    ['What is the capital of the country that won the war?', 'en'],
    ['Quelle est la capitale de la France et qui est le président?', 'fr'],
    ['¿Cuál es la capital de España y por qué no es otra?', 'es'],
    ['Welche Stadt ist die Hauptstadt von Deutschland und warum?', 'de'],
    ['中国的首都是哪里？', 'zh'],
    ['日本の首都はどこですか', 'ja'],
    ['한국의 수도는 어디입니까', 'ko'],
    ['Какой город является столицей?', 'ru'],
    ['$x^2 + y^2 = 1$', 'und'],
  ])('%p is %s', (text, language) => {
    expect(detectLanguage(text)).toBe(language);
  });
});

describe('decontamination', () => {
  const benchmark =
    'A train leaves the station at noon and travels north at sixty miles an hour for two hours. How far?';
  const index = new BenchmarkIndex();
  index.add('bench', ask(benchmark));
  const check = decontaminate(index);

  it('finds the same question and thirteen words in a row, and names the benchmark', () => {
    expect(check.check(ask(benchmark.toUpperCase()))).toEqual({
      reason: 'contaminated',
      detail: 'bench: the same question',
    });
    const inside = `Intro. ${benchmark.split(' ').slice(2, 16).join(' ')} and more.`;
    expect(check.check(ask(inside))?.detail).toBe('bench: 13 words in a row');
    expect(check.check(ask(benchmark.split(' ').slice(2, 14).join(' ')))).toBeUndefined();
    expect(index.size).toBeGreaterThan(5);
  });
});
