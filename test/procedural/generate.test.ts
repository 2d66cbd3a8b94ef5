import { procedural } from '../../lib/data/adapters/procedural';
import { isDrop } from '../../lib/data/ledger';
import { FAMILIES, generateRows, isHeldOut } from '../../lib/data/procedural/generate';
import { ANIMALS, ORGANS } from '../../lib/data/procedural/knowledge/biology';
import { COUNTRIES } from '../../lib/data/procedural/knowledge/geography';
import { EVENTS } from '../../lib/data/procedural/knowledge/history';
import { LATIN, LEGAL_TERMS } from '../../lib/data/procedural/knowledge/law';
import type { Question } from '../../lib/data/question';
import { filterQuestions } from '../../lib/filters/filter';
import { verifiable } from '../../lib/filters/verifiable';
import { verify } from '../../lib/rewards';
import { answerText } from '../../lib/training/format';

const rows = generateRows({ seed: 1, perForm: 300 });
const questions = rows.map((row, i): Question => {
  const parsed = procedural.parse(row, { file: 'rows.jsonl', row: i + 1 });
  if (isDrop(parsed)) throw new Error(`row ${i + 1}: ${parsed.reason}`);
  return parsed;
});

test('equal seeds give equal rows, other seeds other rows', () => {
  expect(generateRows({ seed: 5, perForm: 20 })).toEqual(generateRows({ seed: 5, perForm: 20 }));
  expect(generateRows({ seed: 5, perForm: 20 })).not.toEqual(generateRows({ seed: 6, perForm: 20 }));
  expect(() => generateRows({ perForm: 0 })).toThrow(/perForm must be a positive integer; received 0/);
});

test('every family gives both forms, and thousands of different questions together', () => {
  for (const { name, domain } of FAMILIES) {
    const own = questions.filter(({ subject }) => subject === name);
    expect(new Set(own.map(({ form }) => form))).toEqual(new Set(['multiple-choice', 'open-ended']));
    expect(new Set(own.map((question) => question.domain))).toEqual(new Set([domain]));
  }
  expect(new Set(questions.map(({ id }) => id)).size).toBe(questions.length);
  expect(questions.length).toBeGreaterThan(4000);
});

test('curation keeps all of them but the questions that no rule can verify', () => {
  const { accepted, ledger } = filterQuestions(questions, [verifiable()]);
  expect(ledger.length).toBe(6);
  expect(new Set(ledger.map(({ reason }) => reason))).toEqual(new Set(['answer-too-long']));
  expect(accepted.length + ledger.length).toBe(rows.length);
});

test('the worked answer to every question earns the reward, and a wrong option does not', () => {
  rows.forEach(({ steps, answer }, i) => {
    const question = questions[i]!;
    expect(verify(answerText(steps === '' ? 'because' : steps, answer), question)).toMatchObject({ reward: 1 });
    const other = question.options?.find(({ label }) => label !== answer);
    if (other !== undefined)
      expect(verify(answerText('x', other.label), question)).toMatchObject({ reward: 0, format: 1 });
  });
});

test('options differ, and the gold option says what the open-ended form of the question answers', () => {
  const open = new Map(rows.filter(({ options }) => options === undefined).map((row) => [row.question, row.answer]));
  let compared = 0;
  rows.forEach(({ options, answer, question }) => {
    if (options === undefined) return;
    expect(new Set(options).size).toBe(4);
    const expected = open.get(question);
    if (expected === undefined) return;
    compared++;
    expect(options['ABCD'.indexOf(answer)]).toBe(expected);
  });
  expect(compared).toBeGreaterThan(500);
});

test('answers agree with an independent computation', () => {
  const word = { true: true, false: false } as const;
  let checked = 0;
  for (const { question, answer, options, family } of rows) {
    if (options !== undefined) continue;
    const sum = /(\d+)([+-])(\d+)/.exec(question);
    if (family === 'arithmetic' && sum !== null) {
      expect(Number(answer)).toBe(Number(sum[1]) + (sum[2] === '+' ? 1 : -1) * Number(sum[3]));
      checked++;
    }
    if (family === 'sequences') {
      const [a = 0, b = 0, c = 0] = [...question.matchAll(/\d+/g)].map(Number);
      expect([c - b, Number(answer) - c]).toEqual([b - a, b - a]);
      checked++;
    }
    const formula = /^Is (not )?\((true|false) (and|or) (true|false)\) (and|or) (true|false) true or false\?$/.exec(
      question,
    );
    if (formula !== null) {
      const value = (text: string | undefined): boolean => word[text as 'true' | 'false'];
      const apply = (x: boolean, operator: string | undefined, y: boolean): boolean =>
        operator === 'and' ? x && y : x || y;
      const inner = apply(value(formula[2]), formula[3], value(formula[4]));
      expect(answer).toBe(String(apply(formula[1] === undefined ? inner : !inner, formula[5], value(formula[6]))));
      checked++;
    }
    const weekday = /^Which day is (\d) days (before|after) (\w+)\?$/.exec(question);
    if (weekday !== null) {
      // 3 January 2000 was a Monday.
      const names = Array.from({ length: 7 }, (_, i) =>
        new Date(Date.UTC(2000, 0, 3 + i)).toLocaleDateString('en-GB', { weekday: 'long', timeZone: 'UTC' }),
      );
      const shift = Number(weekday[1]) * (weekday[2] === 'after' ? 1 : -1);
      expect(answer).toBe(names[(names.indexOf(weekday[3]!) + shift + 7) % 7]);
      checked++;
    }
    if (family === 'tables') {
      const colour = /Who has (\w+)\?/.exec(question)?.[1];
      const name = /Which colour has (\w+)\?/.exec(question)?.[1];
      const table = (question.split('. ')[0] ?? '').split(', ').map((entry) => entry.split(' '));
      expect(answer).toBe(
        colour === undefined ? table.find(([n]) => n === name)?.[1] : table.find(([, c]) => c === colour)?.[0],
      );
      checked++;
    }
  }
  expect(checked).toBeGreaterThan(900);
});

test('the tables of facts name everything once and hold dozens of facts each', () => {
  for (const table of [COUNTRIES, EVENTS, LEGAL_TERMS, LATIN, ANIMALS, ORGANS]) {
    const things = table.map(([thing]) => thing);
    expect(new Set(things).size).toBe(things.length);
  }
  expect(COUNTRIES.length * 2).toBeGreaterThan(48);
  expect(LEGAL_TERMS.length + LATIN.length).toBeGreaterThan(24);
  expect(ANIMALS.length + ORGANS.length).toBeGreaterThan(24);
  expect(new Set(COUNTRIES.map(([, capital]) => capital)).size).toBe(COUNTRIES.length);
  for (const [, year] of EVENTS) expect(year % 100).not.toBe(0);
});

test('a fifth of the questions is held out by their text, both forms of a question together', () => {
  const texts = [...new Set(questions.map(({ question }) => question))];
  const share = texts.filter((text) => isHeldOut(text)).length / texts.length;
  expect(share).toBeGreaterThan(0.17);
  expect(share).toBeLessThan(0.23);
  expect(isHeldOut('What is 2+2?', 0)).toBe(false);
  expect(isHeldOut('What is 2+2?', 1)).toBe(true);
});

test('a row that is none is dropped with the field at fault', () => {
  expect(procedural.parse({ family: 'law', question: 'Why?' }, { file: 'f', row: 1 })).toMatchObject({
    reason: 'missing-field',
    detail: expect.stringContaining('answer') as string,
  });
});
