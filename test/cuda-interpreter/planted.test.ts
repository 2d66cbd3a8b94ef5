import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const folder = resolve(__dirname, '../../build/interpreter');

// Each program prints "ok NAME" or "not ok NAME: why" per case, and ends with its count of failures.
describe.each(['plain', 'checked'])('the planted-bug suite, %s build', (build) => {
  const program = resolve(folder, `planted_${build}`);

  it('is built', () => {
    expect(existsSync(program) || 'missing: run npm run build:interpreter').toBe(true);
  });

  it('finds every planted bug and accepts every sound kernel', () => {
    const lines = execFileSync(program, { encoding: 'utf8' }).trimEnd().split('\n');
    expect(lines.filter((line) => line.startsWith('not ok'))).toEqual([]);
    expect(lines.at(-1)).toBe(`${build} build: 0 failures`);
    // The suite has not shrunk.
    const cases = lines.filter((line) => line.startsWith('ok ')).length;
    expect(cases).toBeGreaterThanOrEqual(build === 'plain' ? 36 : 59);
  });
});
