import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RunReport } from '../../lib/report/run';
import { temporaryFolder } from '../data/fixtures';

const root = resolve(__dirname, '../..');
jest.setTimeout(120_000); // A machine busy with other work needs many times the usual second or two.

const folder = temporaryFolder();

/** Runs the command line in a process of its own: the figures' libraries are ES modules, which Jest cannot load. */
function run(
  env: Record<string, string>,
  args: readonly string[],
): { status: number | null; stdout: string; stderr: string } {
  const command = ['--import', 'tsx', join(root, 'lib/cli/main.ts'), ...args];
  return spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8', env: { ...process.env, ...env } });
}

function crossthink(...args: readonly string[]): ReturnType<typeof run> {
  return run({}, args);
}

test('crossthink demo --quick goes the whole path and leaves a report', () => {
  const out = join(folder.path, 'demo');
  const { status, stdout, stderr } = crossthink('demo', '--quick', '--out', out);
  expect(stderr).toMatch(/1206 rows, 1200 accepted \(dropped: 6 answer-too-long\)/);
  expect(status).toBe(0);
  expect(stdout).toContain(`Report: ${join(out, 'report.html')}`);
  const html = readFileSync(join(out, 'report.html'), 'utf8');
  expect(html.match(/<svg/g)?.length).toBeGreaterThanOrEqual(6);
  expect(html.replaceAll('http://www.w3.org/', '')).not.toMatch(/<script|<link|<img|@import|url\(|https?:/i);
  const report = JSON.parse(readFileSync(join(out, 'metrics.json'), 'utf8')) as RunReport;
  expect(report.grpo).toHaveLength(6);
  expect(report.supervised).toHaveLength(70);
  const { asked, achieved } = report.mix.reduce(
    (sum, row) => ({ asked: sum.asked + row.asked, achieved: sum.achieved + row.achieved }),
    { asked: 0, achieved: 0 },
  );
  expect(asked).toBeCloseTo(1, 9);
  expect(achieved).toBeCloseTo(1, 9);
  for (const { achieved: share, asked: wanted } of report.mix) expect(Math.abs(share - wanted)).toBeLessThan(0.03);
});

test('crossthink train goes on where it stopped, with the same bits on scalar code, and says what is wrong with settings', () => {
  const config = folder.write(
    'train.yaml',
    'policy: { width: 16, heads: 1, layers: 1 }\nskill: { steps: 4, batch: 4 }\nhabit: { steps: 2, batch: 4 }\n' +
      'grpo: { steps: 2, prompts: 2, samples: 2, maxNewTokens: 8 }\n' +
      'evaluation: { perSource: 1, samples: 1, smallPerSource: 1, every: 1 }\n',
  );
  const out = join(folder.path, 'run');
  const args = ['train', '--config', config, '--out', out, '--json'];
  const first = crossthink(...args, '--max-steps', '5');
  expect(JSON.parse(first.stdout)).toMatchObject({ finished: false, stage: 'habit', step: 1, done: 5, total: 8 });
  expect(crossthink(...args).stderr).toMatch(/ERR_FILE_EXISTS.*Add --resume/s);
  const second = crossthink(...args, '--resume');
  expect(JSON.parse(second.stdout)).toMatchObject({ finished: true, page: join(out, 'report.html') });
  const scalar = join(folder.path, 'scalar');
  const isa = { CROSSTHINK_ISA: 'scalar' };
  expect(run(isa, ['train', '--config', config, '--out', scalar, '--threads', '1', '--json']).status).toBe(0);
  const bytes = (folderOfRun: string): Buffer => readFileSync(join(folderOfRun, 'checkpoint.bin'));
  expect(bytes(scalar).equals(bytes(out))).toBe(true);
  const bad = folder.write('bad.yaml', 'grpo:\n  samples: 1\n');
  const { status, stderr } = crossthink('train', '--config', bad, '--out', join(folder.path, 'none'));
  expect(status).toBe(1);
  expect(stderr).toMatch(/ERR_SCHEMA: .*bad\.yaml: setting grpo\.samples/);
});
