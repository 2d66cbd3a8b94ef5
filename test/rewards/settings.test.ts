import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { verify, type VerifySettings } from '../../lib/rewards/index.js';
import { parseSettings } from '../../lib/rewards/settings.js';

const equal = (gold: string, answer: string, settings: VerifySettings): number =>
  verify(`\\boxed{${answer}}`, gold, settings).accuracy;

describe('presets differ where systems do', () => {
  it.each([
    ['10', '10\\%', { 'math-verify': 0, 'nemo-skills': 1, 'verl-dapo': 1, 'hendrycks-math': 1, strict: 0, default: 1 }],
    [
      '0.1',
      '10\\%',
      { 'math-verify': 1, 'nemo-skills': 0, 'verl-dapo': 0, 'hendrycks-math': 0, strict: 1, default: 1 },
    ],
    [
      '\\frac{1}{2}',
      '\\frac{2}{4}',
      { 'math-verify': 1, 'nemo-skills': 1, 'verl-dapo': 0, 'hendrycks-math': 0, strict: 1, default: 1 },
    ],
    ['0.5', '\\frac{1}{2}', { 'math-verify': 1, 'verl-dapo': 1, 'hendrycks-math': 1, default: 1 }],
    ['1, 2', '2, 1', { 'math-verify': 1, 'hendrycks-math': 0, strict: 0, default: 1 }],
    ['x > 1', '(1, \\infty)', { 'math-verify': 1, strict: 0, default: 1 }],
    ['(1, \\infty)', 'x > 1', { 'math-verify': 0, strict: 0, default: 1 }],
    ['(1,2)', '\\{1,2\\}', { 'math-verify': 1, strict: 0, default: 0 }],
    ['1/3', '0.3333333', { 'math-verify': 1, strict: 0, default: 1 }],
    ['5 \\text{ cm}', '5', { strict: 0, 'verl-dapo': 1, default: 1 }],
    ['The Paris', 'paris', { squad: 1 }],
  ] as const)('%s | %s', (gold, answer, verdicts) => {
    for (const [preset, wanted] of Object.entries(verdicts)) {
      expect([preset, equal(gold, answer, { preset: preset as 'default' })]).toEqual([preset, wanted]);
    }
  });
});

describe('single settings', () => {
  it.each<[string, string, VerifySettings, number]>([
    ['0.67', '2/3', {}, 0],
    ['0.67', '2/3', { roundToPrecision: true }, 1],
    ['\\frac13', '0.33', { decimalPlaces: 2 }, 1],
    ['100', '101', { tolerance: 0.02 }, 0],
    ['100.0', '101', { tolerance: 0.02 }, 1],
    ['10', '10\\%', { percent: 'fraction' }, 0],
    ['10', '10 cm', { units: 'strict' }, 0],
    ['10 m', '10 cm', { units: 'ignore' }, 1],
    ['it is', 'It is.', { comparison: 'text' }, 1],
  ])('%s | %s under %j', (gold, answer, settings, wanted) => {
    expect(equal(gold, answer, settings)).toBe(wanted);
  });

  it('chooses where answers are looked for', () => {
    const response = '<think>x</think>The answer is 7. \\boxed{8}';
    expect(verify(response, '7', { sources: ['anchor'] }).extracted).toBe('7');
    expect(verify(response, '8').extracted).toBe('8');
    expect(verify('Result -> 9', '9', { patterns: ['Result -> (\\d+)'] }).extracted).toBe('9');
    expect(verify('the answer is 7', '7', { preset: 'strict' }).reason).toBe('no_answer');
    expect(verify('<r>7</r>8', '8', { thinkTags: ['<r>', '</r>'], template: 'think' }).reward).toBe(1);
    expect(verify('x</think>\\boxed{8}', '8', { thinkPrefilled: true }).reward).toBe(1);
    expect(verify('<think>\\boxed{8}</think>', '8', { answerInThinking: 'ignore' }).reason).toBe('no_answer');
    expect(verify('<think>x</think><answer>8</answer>', '8', { template: 'answer-tag' }).reward).toBe(1);
  });

  it('names a field that is wrong', () => {
    expect(() => parseSettings({ tolerance: -1 })).toThrow(/settings\.tolerance/);
    expect(() => parseSettings({ colour: 'red' })).toThrow(/colour/);
    expect(() => parseSettings({ patterns: ['(a+)+'] })).toThrow(/settings\.patterns\.0/);
  });
});

it('crossthink verify --compare-preset writes what changes', () => {
  const root = resolve(__dirname, '../..');
  const rows = [
    { id: 1, gold: '1/2', response: '\\boxed{2/4}' },
    { id: 2, gold: '7', response: '\\boxed{7}' },
  ];
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      '--import',
      'tsx',
      join(root, 'lib/cli/main.ts'),
      'verify',
      '--preset',
      'verl-dapo',
      '--compare-preset',
      'default',
    ],
    { cwd: root, encoding: 'utf8', input: rows.map((row) => JSON.stringify(row)).join('\n') },
  );
  expect(JSON.parse(stdout)).toMatchObject({ id: 1, before: { accuracy: 0 }, after: { accuracy: 1 } });
  expect(stderr).toContain('1 the same, 1 gained, 0 lost');
}, 30_000);
