import { summariseAnswers } from '../../lib/evaluation/summary';
import { escapeHtml, renderPage, share } from '../../lib/report/page';
import type { RunReport } from '../../lib/report/run';
import { openQuestion } from '../data/fixtures';

function evaluation(reward: number): RunReport['evaluations']['base'] {
  const question = openQuestion({ subject: '<b>law</b>' });
  const answers = Array.from({ length: 8 }, (_, i) => ({
    question,
    reward: i < 8 * reward ? 1 : 0,
    accuracy: 1,
    format: 1,
    tokens: 7,
  }));
  return { sampled: summariseAnswers(answers), greedy: summariseAnswers(answers.slice(0, 1)) };
}

const run: RunReport = {
  version: '0.0.0',
  seed: 5,
  control: 'none',
  settings: { note: '</pre><script>alert(1)</script>' },
  questions: { rows: 10, accepted: 8, dropped: { 'answer-too-long': 2 }, train: 6, test: 2, perSubject: { law: 8 } },
  policy: { parameters: 123_456, vocabulary: 99, width: 32, layers: 1 },
  evaluations: { ceiling: evaluation(0.875), base: evaluation(0.25), final: evaluation(0.75) },
  mix: [],
  supervised: [],
  grpo: [],
  machine: { isa: 'scalar', threads: 1, node: 'v20' },
  seconds: { skill: 1.25 },
  maxRssMiB: 100,
};

test('the page shows the figures, the numbers and what they mean', () => {
  const html = renderPage(run, [{ title: 'Reward', caption: 'up', svg: '<svg id="one"></svg>' }]);
  for (const text of [
    '87.5 %',
    '25.0 %',
    '75.0 %',
    '<svg id="one">',
    '2 answer-too-long',
    'skill 1.3 s',
    '0.12 million',
  ]) {
    expect(html).toContain(text);
  }
  expect(html).toContain('It says nothing about language models');
});

test('the page runs nothing and loads nothing, and text stays text', () => {
  const html = renderPage(run, []);
  expect(html).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|https?:/i);
  expect(html).not.toContain('<b>law</b>');
  expect(html).toContain(escapeHtml('<b>law</b>'));
});

test('a control run is labelled as one', () => {
  const html = renderPage({ ...run, control: 'shuffled-rewards' }, []);
  expect(html).toContain('<title>CrossThink: control run</title>');
  expect(html).toContain('dealt out at random');
});

test('shares are percentages with their interval, or a dash', () => {
  expect(share(0.1234)).toBe('12.3 %');
  expect(share(0.5, { value: 0.5, low: -0.1, high: 0.6 })).toBe('50.0 % <small>(0.0–60.0)</small>');
  expect(share(undefined)).toBe('–');
});
