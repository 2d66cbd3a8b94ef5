import { spawnSync } from 'node:child_process';
import { writeFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { verifyLine } from '../../lib/rewards/row.js';

const line = (row: object): string => JSON.stringify(row);

describe('rows', () => {
  it.each([
    [['Mercury', 'Venus']],
    [
      [
        { label: 'A', text: 'Mercury' },
        { label: 'B', text: 'Venus' },
      ],
    ],
    [[{ A: 'Mercury' }, { B: 'Venus' }]],
    [{ A: 'Mercury', B: 'Venus' }],
  ])('options as %j', (options) => {
    expect(verifyLine(line({ id: 1, gold: 'B', response: '\\boxed{Venus}', options }), 1)).toMatchObject({
      accuracy: 1,
    });
    expect(verifyLine(line({ id: 1, gold: 'B', response: '\\boxed{A}', options }), 1)).toMatchObject({ accuracy: 0 });
  });

  it.each([
    ['{"id": 3, "gold"', 'line 7: '],
    [line({ id: 3, gold: '1' }), 'line 7: response: is missing'],
    [line({ id: 3, response: '1' }), 'line 7: gold: is missing'],
    [line({ id: 3, gold: '1', response: '1', options: 7 }), 'line 7: options'],
    [line({ id: 3, gold: '1', response: '1', settings: { preset: 'nonsense' } }), 'line 7: settings.preset'],
    [line({ id: 3, gold: '1', response: '1', settings: { patterns: ['(['] } }), 'line 7: settings.patterns'],
    ['[]', 'line 7: '],
  ])('a bad line names its number and field: %s', (text, error) => {
    expect(verifyLine(text, 7)).toMatchObject({
      line: 7,
      reward: null,
      reason: 'bad_row',
      error: expect.stringContaining(error) as string,
    });
  });

  it('writes null for NaN', () => {
    const verdict = JSON.parse(JSON.stringify(verifyLine(line({ id: 'a', gold: null, response: '1' }), 1))) as object;
    expect(verdict).toMatchObject({ id: 'a', reward: null, accuracy: null, reason: 'unscorable_gold_empty' });
  });
});

describe('crossthink verify', () => {
  const root = resolve(__dirname, '../..');
  const command = (args: string[], input: string) =>
    spawnSync(process.execPath, ['--import', 'tsx', join(root, 'lib/cli/main.ts'), 'verify', ...args], {
      cwd: root,
      input,
      encoding: 'utf8',
    });
  const rows = [
    line({ id: 'one', gold: '42', response: '<think>6*7</think>\\boxed{42}' }),
    'not json',
    '',
    line({ id: 'two', gold: 'B', options: ['x', 'y'], response: 'The answer is A.' }),
    line({ id: 'three', gold: 'C', options: ['x', 'y'], response: '\\boxed{A}' }),
  ].join('\n');

  it('answers every row in order, on stdin and from a file', () => {
    const { stdout, stderr, status } = command([], rows);
    expect(status).toBe(0);
    const verdicts = stdout
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(verdicts.map(({ id, reward, reason }) => [id, reward, reason])).toEqual([
      ['one', 1, 'correct'],
      [null, null, 'bad_row'],
      ['two', 0, 'wrong'],
      ['three', null, 'unscorable_gold_not_an_option'],
    ]);
    expect(verdicts[1]).toMatchObject({ line: 2 });
    expect(stderr).toContain('4 rows: 1 rewarded');
    const file = join(mkdtempSync(join(tmpdir(), 'crossthink-')), 'rows.jsonl');
    writeFileSync(file, rows);
    expect(command(['--input', file], '').stdout).toBe(stdout);
  }, 30_000);

  it('names a missing file', () => {
    const { stderr, status } = command(['--input', '/nowhere.jsonl'], '');
    expect(status).toBe(1);
    expect(stderr).toContain('ERR_FILE_NOT_FOUND: /nowhere.jsonl');
  }, 30_000);
});
