import { type Family, type Item, wrongNumbers } from './item.js';
import type { Random } from './random.js';

const PLAIN = { type: 'integer' } as const;

/** Asks for a number in one of several ways, so that a held-out wording differs from those trained on. */
function ask(random: Random, expression: string): string {
  return random.chance(0.5) ? `What is ${expression}?` : `Compute ${expression}.`;
}

function near(random: Random, value: number): string[] {
  return wrongNumbers(value, () => value + random.pick([1, -1, 2, -2, 9, 10, -10, 11]));
}

function addition(random: Random): Item {
  const a = random.integer(10, 89);
  const b = random.integer(10, Math.max(10, 99 - a));
  const units = (a % 10) + (b % 10);
  const carry = units > 9 ? 1 : 0;
  const [tensA, tensB] = [Math.floor(a / 10), Math.floor(b / 10)];
  const steps = `${a % 10}+${b % 10}=${units};${tensA}+${tensB}${carry === 1 ? '+1' : ''}=${tensA + tensB + carry};`;
  return {
    ...PLAIN,
    question: ask(random, `${a}+${b}`),
    answer: String(a + b),
    steps,
    distractors: near(random, a + b),
  };
}

function subtraction(random: Random): Item {
  const a = random.integer(20, 99);
  const b = random.integer(10, a - 1);
  const borrow = a % 10 < b % 10 ? 1 : 0;
  const units = (a % 10) + 10 * borrow - (b % 10);
  const [tensA, tensB] = [Math.floor(a / 10), Math.floor(b / 10)];
  const tens = tensA - borrow - tensB;
  const steps = `${(a % 10) + 10 * borrow}-${b % 10}=${units};${tensA}-${tensB}${borrow === 1 ? '-1' : ''}=${tens};`;
  return {
    ...PLAIN,
    question: ask(random, `${a}-${b}`),
    answer: String(a - b),
    steps,
    distractors: near(random, a - b),
  };
}

/** Sums and differences of two-digit numbers; the steps go column by column, with carry and borrow. */
export const arithmetic: Family = {
  name: 'arithmetic',
  domain: 'math',
  phrases: ['What is ', 'Compute '],
  draw: (random) => (random.chance(0.5) ? addition(random) : subtraction(random)),
};

/** The next term of an arithmetic progression. */
export const sequences: Family = {
  name: 'sequences',
  domain: 'math',
  phrases: ['What comes next: ', 'Continue ', ', '],
  draw(random) {
    const difference = random.integer(2, 9);
    const start = random.integer(1, 60);
    const terms = [0, 1, 2].map((i) => start + i * difference);
    const last = start + 2 * difference;
    const list = terms.join(', ');
    return {
      ...PLAIN,
      question: random.chance(0.5) ? `What comes next: ${list}?` : `Continue ${list}.`,
      answer: String(last + difference),
      steps: `+${difference};${last}+${difference};`,
      distractors: near(random, last + difference),
    };
  },
};

const UNITS: readonly (readonly [from: string, to: string, factor: number])[] = [
  ['hours', 'minutes', 60],
  ['minutes', 'seconds', 60],
  ['days', 'hours', 24],
  ['weeks', 'days', 7],
  ['years', 'months', 12],
  ['decades', 'years', 10],
  ['metres', 'centimetres', 100],
  ['centimetres', 'millimetres', 10],
  ['kilometres', 'metres', 1000],
  ['kilograms', 'grams', 1000],
  ['litres', 'millilitres', 1000],
  ['dozens', 'items', 12],
  ['feet', 'inches', 12],
  ['yards', 'feet', 3],
];

/** Conversions to a smaller unit: recall the factor, then multiply. */
export const units: Family = {
  name: 'units',
  domain: 'general',
  phrases: ['How many ', ' are in ', 'Convert ', ' to ', ...new Set(UNITS.flatMap(([from, to]) => [to, ` ${from}`]))],
  draw(random) {
    const [from, to, factor] = random.pick(UNITS);
    const count = random.integer(2, 12);
    const value = count * factor;
    return {
      ...PLAIN,
      question: random.chance(0.5) ? `How many ${to} are in ${count} ${from}?` : `Convert ${count} ${from} to ${to}.`,
      answer: String(value),
      steps: `${count}*${factor};`,
      distractors: wrongNumbers(value, () =>
        random.pick([value + factor, value - factor, value * 10, value + 10, count * random.pick([3, 7, 12, 60, 100])]),
      ),
    };
  },
};
