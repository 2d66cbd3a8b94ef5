import { Command } from 'commander';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { registerBlend } from '../../lib/cli/blend.js';
import { registerCurate } from '../../lib/cli/curate.js';
import { temporaryFolder } from '../data/fixtures.js';

const folder = temporaryFolder();
const input = folder.write('in.jsonl', '{"question":"One?","answer":"#### 1"}\n{"question":"Two?","answer":"2"}\n');

/** Runs the command line in this process; stdout as text. */
async function run(...args: readonly string[]): Promise<string> {
  const program = new Command().exitOverride();
  registerCurate(program);
  registerBlend(program);
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => undefined });
  const written: string[] = [];
  const spy = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
  } finally {
    spy.mockRestore();
  }
  return written.join('');
}

describe('crossthink curate and blend', () => {
  it('curates, then blends what was curated', async () => {
    const out = join(folder.path, 'out');
    const text = await run('curate', '--input', input, '--adapter', 'GSM8K', '--out', out, '--json');
    expect(JSON.parse(text)).toMatchObject({ out, rows: 2, accepted: 1, dropped: 1, reasons: { 'missing-field': 1 } });
    const people = await run('curate', '--input', input, '--out', out);
    expect(people).toContain('2 rows: 1 accepted (50.0 %), 1 dropped');

    const mixed = join(folder.path, 'mixed');
    const args = ['blend', '--input', out, '--blend', 'only-mr', '--steps', '2', '--batch-size', '3', '--out', mixed];
    expect(JSON.parse(await run(...args, '--json'))).toMatchObject({ draws: 6, domains: { math: { achieved: 1 } } });
    expect(readFileSync(join(mixed, 'blend.jsonl'), 'utf8').trim().split('\n')).toHaveLength(6);
    expect(await run(...args)).toContain('gsm8k');
  });

  it('lists adapters', async () => {
    expect(await run('curate', '--list')).toContain('nemotron-crossthink-roll');
    expect(JSON.parse(await run('curate', '--list', '--json'))).toContainEqual(
      expect.objectContaining({ name: 'mmlu', licence: 'MIT' }),
    );
  });

  it('says what is missing or wrong', async () => {
    await expect(run('curate', '--out', folder.path)).rejects.toMatchObject({ field: '--input' });
    await expect(run('curate', '--input', input)).rejects.toMatchObject({ field: '--out' });
    await expect(run('curate', '--input', input, '--out', folder.path, '--adapter', 'x')).rejects.toMatchObject({
      code: 'ERR_UNKNOWN_NAME',
    });
    await expect(run('curate', '--input', input, '--seed', 'x')).rejects.toThrow(/whole number/);
    await expect(run('blend', '--input', folder.path)).rejects.toMatchObject({ field: '--out' });
    await expect(run('blend', '--out', folder.path)).rejects.toMatchObject({ field: '--input' });
  });
});
