import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RUN_FILES, runTraining } from '../../lib/training/run';
import { ReferenceTrainer } from '../../lib/training/trainer';
import { temporaryFolder } from '../data/fixtures';
import { tinyConfig, tinyData } from './fixtures';

jest.setTimeout(120_000); // A machine busy with other work needs many times the usual second or two.

const folder = temporaryFolder();
const data = tinyData();
const { skill, habit, ...rest } = tinyConfig(4, { steps: 6, klCoef: 0.01 });
const config = { ...rest, skill: { ...skill, steps: 40 }, habit: { ...habit, steps: 10 } };

function trainer(threads = 0): ReferenceTrainer {
  return new ReferenceTrainer({ ...data, config, threads });
}

function log(out: string): string[] {
  return readFileSync(join(out, RUN_FILES.log), 'utf8').trimEnd().split('\n');
}

test('a run that is stopped in every stage ends with the bits of one that was not, for any number of threads', async () => {
  const whole = trainer(1);
  const straight = join(folder.path, 'straight');
  const result = await runTraining(whole, { out: straight });
  expect(result.finished).toBe(true);
  expect(result.steps.map(({ stage }) => stage).filter((stage, i, all) => stage !== all[i - 1])).toEqual([
    'skill',
    'habit',
    'grpo',
  ]);
  expect(Object.keys(result.evaluations)).toEqual(['ceiling', 'base', 'final']);

  const stopped = join(folder.path, 'stopped');
  let last = trainer(2);
  for (const maxSteps of [17, 23, 4, 8, 1, 100]) {
    last = trainer(2);
    await runTraining(last, { out: stopped, resume: true, maxSteps, checkpointEvery: 3 });
  }
  expect(last.position.stage).toBe('done');
  expect(Buffer.from(last.policy.parameters.buffer).equals(Buffer.from(whole.policy.parameters.buffer))).toBe(true);
  expect(log(stopped)).toEqual(log(straight));
});

test('what was logged after the last checkpoint is done again, and a half line is dropped', async () => {
  const out = join(folder.path, 'killed');
  await runTraining(trainer(), { out, maxSteps: 9 });
  const path = join(out, RUN_FILES.log);
  const before = readFileSync(path, 'utf8');
  writeFileSync(path, `${before}{"stage":"skill","step":9,"loss":1}\n{"stage":"ski`);
  const result = await runTraining(trainer(), { out, resume: true, maxSteps: 1 });
  expect(result.steps).toHaveLength(10);
  expect(log(out).slice(0, 9)).toEqual(before.trimEnd().split('\n'));
});

test('a run is not overwritten, nor gone on with under other settings, nor read from a damaged file', async () => {
  const out = join(folder.path, 'guarded');
  await runTraining(trainer(), { out, maxSteps: 2 });
  await expect(runTraining(trainer(), { out })).rejects.toMatchObject({ code: 'ERR_FILE_EXISTS' });
  const other = new ReferenceTrainer({ ...data, config: { ...config, seed: 99 } });
  await expect(runTraining(other, { out, resume: true })).rejects.toMatchObject({ code: 'ERR_STATE_MISMATCH' });
  const path = join(out, RUN_FILES.checkpoint);
  const bytes = readFileSync(path);
  bytes[bytes.length - 40]! ^= 1;
  writeFileSync(path, bytes);
  await expect(runTraining(trainer(), { out, resume: true })).rejects.toMatchObject({ code: 'ERR_PARSE', file: path });
  expect(existsSync(path)).toBe(true);
});
