import { type Family, wrongItems, wrongNumbers } from './item.js';
import { ANIMALS, ORGANS } from './knowledge/biology.js';
import { COUNTRIES } from './knowledge/geography.js';
import { EVENTS } from './knowledge/history.js';
import { LATIN, LEGAL_TERMS } from './knowledge/law.js';
import type { Random } from './random.js';

/** One column of a table of facts and the ways to ask for it; `{}` stands for the thing asked about. */
interface Relation {
  readonly facts: readonly (readonly [thing: string, value: string])[];
  readonly wordings: readonly string[];
  readonly type: 'text' | 'integer';
  /** Worked steps; by default the fact itself. */
  readonly steps?: (thing: string, value: string) => string;
  readonly wrong?: (random: Random, value: string) => string[];
}

/**
 * A family over tables of facts. A held-out question asks for a fact in a wording that was not trained for it: what is
 * tested is recall under new words, never a fact that was not taught.
 */
function factFamily(name: string, relations: readonly Relation[]): Family {
  return {
    name,
    domain: 'general',
    phrases: relations.flatMap(({ facts, wordings, type }) => [
      ': ',
      ...wordings.flatMap((wording) => wording.split('{}')).filter((part) => part !== '' && part !== '?'),
      ...facts.map(([thing]) => thing),
      ...(type === 'text' ? facts.map(([, value]) => value) : []),
    ]),
    draw(random) {
      const { facts, wordings, type, steps, wrong } = random.pick(relations);
      const [thing, answer] = random.pick(facts);
      const values = facts.map(([, value]) => value);
      return {
        type,
        question: random.pick(wordings).replace('{}', thing),
        answer,
        steps: steps?.(thing, answer) ?? `${thing}: ${answer};`,
        distractors: wrong?.(random, answer) ?? wrongItems(random, values, answer),
      };
    },
  };
}

export const geography = factFamily('geography', [
  {
    type: 'text',
    facts: COUNTRIES.map(([country, capital]) => [country, capital]),
    wordings: [
      'What is the capital of {}?',
      'Which city is the capital of {}?',
      'Name the capital of {}.',
      'The capital of {} is?',
    ],
  },
  {
    type: 'text',
    facts: COUNTRIES.map(([country, , continent]) => [country, continent]),
    wordings: [
      'On which continent is {}?',
      'Which continent is {} on?',
      'Name the continent of {}.',
      'The continent of {} is?',
    ],
  },
]);

const yearOf = new Map(EVENTS);

export const history = factFamily('history', [
  {
    type: 'integer',
    facts: EVENTS.map(([event, year]) => [event, String(year)]),
    wordings: ['In which year was {}?', 'When was {}?', 'Give the year of {}.', 'The year of {} is?'],
    wrong: (random, year) =>
      wrongNumbers(Number(year), () => Number(year) + random.pick([-100, -30, -11, -2, 3, 10, 25, 50])),
  },
  {
    type: 'text',
    facts: EVENTS.map(([event, year]) => [event, `${Math.floor(year / 100) + 1}th`]),
    wordings: ['In which century was {}?', 'Which century saw {}?', 'Give the century of {}.', 'The century of {} is?'],
    steps: (event) => {
      const year = yearOf.get(event) ?? 0;
      return `${event}: ${year};${Math.floor(year / 100)}+1;`;
    },
  },
]);

export const law = factFamily('law', [
  {
    type: 'text',
    facts: LEGAL_TERMS,
    wordings: [
      'Which area of law covers {}?',
      'Name the area of law of {}.',
      'Where does {} belong?',
      'The area of law for {} is?',
    ],
  },
  {
    type: 'text',
    facts: LATIN,
    wordings: ['What does {} mean?', 'What is the meaning of {}?', 'Translate {}.', 'In English, {} is?'],
  },
]);

export const biology = factFamily('biology', [
  {
    type: 'text',
    facts: ANIMALS,
    wordings: [
      'What kind of animal is {}?',
      'Which group does {} belong to?',
      'Name the group of {}.',
      'The group of {} is?',
    ],
  },
  {
    type: 'text',
    facts: ORGANS,
    wordings: [
      'Which organ system has the {}?',
      'The {} is part of which system?',
      'Name the system of the {}.',
      'The system of the {} is?',
    ],
  },
]);
