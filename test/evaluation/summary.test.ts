import { type JudgedAnswer, summariseAnswers } from '../../lib/evaluation/summary';
import { openQuestion } from '../data/fixtures';

const sum = openQuestion({ question: '1+1?', subject: 'arithmetic' });
const capital = openQuestion({ question: 'Capital of Peru?', domain: 'general', subject: 'geography' });

function answers(
  question: JudgedAnswer['question'],
  rewards: readonly number[],
  tokens: readonly number[],
): JudgedAnswer[] {
  return rewards.map((reward, i) => ({ question, reward, accuracy: 1, format: reward, tokens: tokens[i]! }));
}

const judged = [...answers(sum, [1, 0, 0, 0], [10, 3, 3, 4]), ...answers(capital, [1, 1, 1, 1], [8, 8, 6, 6])];

test('answers come to shares per question, over all and by part', () => {
  const { all, domain, form, subject } = summariseAnswers(judged, 2);
  expect(all).toMatchObject({ questions: 2, samples: 4, accuracy: 1, format: 5 / 8, meanTokens: 6 });
  expect(all.passAt1.value).toBe((0.25 + 1) / 2);
  expect(all.passAtK?.k).toBe(2);
  // One right of four: half of all pairs hold it.
  expect(all.passAtK?.value).toBeCloseTo((0.5 + 1) / 2, 12);
  expect(all.tokensCorrect).toBe((10 + 8 + 8 + 6 + 6) / 5);
  expect(Object.keys(domain)).toEqual(['math', 'general']);
  expect(Object.keys(form)).toEqual(['open-ended']);
  expect(subject['arithmetic']?.passAt1.value).toBe(0.25);
  expect(subject['geography']?.tokensCorrect).toBe(7);
});

test('the interval is over questions: repeated samples of one question do not narrow it', () => {
  const once = summariseAnswers([...answers(sum, [0, 0], [3, 3]), ...answers(capital, [1, 1], [8, 8])]);
  const often = summariseAnswers([
    ...answers(sum, [0, 0, 0, 0], [3, 3, 3, 3]),
    ...answers(capital, [1, 1, 1, 1], [8, 8, 8, 8]),
  ]);
  expect(often.all.passAt1).toEqual(once.all.passAt1);
  // One answer a question is a proportion: Wilson's interval, which stays inside 0 to 1.
  const single = summariseAnswers([...answers(sum, [1], [3]), ...answers(capital, [1], [8])]);
  expect(single.all.passAt1).toMatchObject({ value: 1, high: 1 });
  expect(single.all.passAt1.low).toBeCloseTo(0.3424, 4);
});

test('what was not measured is absent, not 0', () => {
  const { all } = summariseAnswers(answers(sum, [0, 0], [3, 5]), 8);
  expect(all.passAtK).toBeUndefined();
  expect(all.tokensCorrect).toBeNull();
});
