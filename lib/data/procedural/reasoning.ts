import { type Family, type Item, wrongItems } from './item.js';
import type { Random } from './random.js';

const NAMES = ['Ann', 'Bob', 'Cid', 'Dan', 'Eve', 'Fay', 'Gus', 'Hal'];
const COLOURS = ['red', 'blue', 'green', 'black', 'white', 'pink', 'gold', 'grey'];
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June'],
  ...['July', 'August', 'September', 'October', 'November', 'December'],
];

/** Words that also follow a number or a name: with the space before them one token. */
function spaced(words: readonly string[]): string[] {
  return words.flatMap((word) => [word, ` ${word}`]);
}

function formula(random: Random): Item {
  const [a, b, c] = [random.chance(0.5), random.chance(0.5), random.chance(0.5)];
  const [first, second] = [random.pick(['and', 'or']), random.pick(['and', 'or'])];
  const negated = random.chance(0.4);
  const apply = (operator: string, x: boolean, y: boolean): boolean => (operator === 'and' ? x && y : x || y);
  const inner = apply(first, a, b);
  const left = negated ? !inner : inner;
  const value = apply(second, left, c);
  return {
    type: 'boolean',
    question: `Is ${negated ? 'not ' : ''}(${a} ${first} ${b}) ${second} ${c} true or false?`,
    answer: String(value),
    steps: `${inner};${negated ? `${left};` : ''}`,
    distractors: [String(!value), 'both', 'neither'],
  };
}

function ordering(random: Random): Item {
  const people = random.sample(NAMES, 4);
  const ranked = people.slice(0, random.integer(3, 4));
  const facts = ranked.slice(1).map((shorter, i) => {
    const taller = ranked[i] ?? '';
    return random.chance(0.5) ? `${taller} is taller than ${shorter}` : `${shorter} is shorter than ${taller}`;
  });
  const tallest = random.chance(0.5);
  const answer = (tallest ? ranked[0] : ranked.at(-1)) ?? '';
  return {
    type: 'text',
    question: `${random.shuffle(facts).join(', ')}. Who is the ${tallest ? 'tallest' : 'shortest'}?`,
    answer,
    steps: `${ranked.join('>')};`,
    distractors: wrongItems(random, people, answer),
  };
}

/** Boolean formulas, and orderings to be chained from single comparisons. */
export const logic: Family = {
  name: 'logic',
  domain: 'general',
  phrases: [
    ...['Is ', 'not ', 'true', 'false', ' and ', ' or ', ' true or false?', 'both', 'neither'],
    ...[' is taller than ', ' is shorter than ', ', ', '. Who is the ', 'tallest', 'shortest', ...NAMES],
  ],
  draw: (random) => (random.chance(0.5) ? formula(random) : ordering(random)),
};

/** Days and months counted forwards and backwards, one step at a time. */
export const calendar: Family = {
  name: 'calendar',
  domain: 'general',
  phrases: [
    ...['Which day is ', ' days ', 'Which month is ', ' months ', 'after ', 'before ', 'It is ', '. What was it '],
    ...['. What will it be ', 'ago', 'from now', ...spaced(DAYS), ...spaced(MONTHS)],
  ],
  draw(random) {
    const byDay = random.chance(0.5);
    const names = byDay ? DAYS : MONTHS;
    const [one, many] = byDay ? ['day', 'days'] : ['month', 'months'];
    const start = random.pick(names);
    const count = random.integer(2, 6);
    const back = random.chance(0.35);
    const passed = Array.from({ length: count }, (_, i) => {
      const shift = back ? names.length - 1 - i : i + 1;
      return names[(names.indexOf(start) + shift) % names.length] ?? '';
    });
    const answer = passed.at(-1) ?? '';
    const direct = `Which ${one} is ${count} ${many} ${back ? 'before' : 'after'} ${start}?`;
    const story = back
      ? `It is ${start}. What was it ${count} ${many} ago?`
      : `It is ${start}. What will it be ${count} ${many} from now?`;
    return {
      type: 'text',
      question: random.chance(0.5) ? direct : story,
      answer,
      steps: passed.map((name, i) => `${i + 1} ${name};`).join(''),
      distractors: wrongItems(random, names, answer),
    };
  },
};

/** A table in the question: read it by row or by value. */
export const tables: Family = {
  name: 'tables',
  domain: 'general',
  phrases: [', ', '. Who has', '. Which colour has ', ...NAMES, ...spaced(COLOURS)],
  draw(random) {
    const size = random.integer(3, 5);
    const names = random.sample(NAMES, size);
    const colours = random.sample(COLOURS, size);
    const row = random.integer(0, size - 1);
    const [name, colour] = [names[row] ?? '', colours[row] ?? ''];
    const table = names.map((entry, i) => `${entry} ${colours[i] ?? ''}`).join(', ');
    const byColour = random.chance(0.5);
    const answer = byColour ? name : colour;
    return {
      type: 'text',
      question: `${table}. ${byColour ? `Who has ${colour}` : `Which colour has ${name}`}?`,
      answer,
      steps: `${name} ${colour};`,
      distractors: wrongItems(random, byColour ? NAMES : COLOURS, answer),
    };
  },
};
