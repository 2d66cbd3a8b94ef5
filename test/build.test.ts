import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(__dirname, '..');

describe('scripts/build-native.cjs', () => {
  it('answers missing tools with the one line that installs them', () => {
    const empty = mkdtempSync(path.join(tmpdir(), 'crossthink-path-'));
    try {
      const { status, stderr } = spawnSync(process.execPath, [path.join(root, 'scripts/build-native.cjs')], {
        env: { PATH: empty },
        encoding: 'utf8',
      });
      expect(status).toBe(1);
      expect(stderr).toMatch(/needs cmake \(3\.22 or newer\) and a C\+\+20 compiler and make or ninja/);
      expect(stderr).toMatch(/apt-get install -y build-essential cmake|brew install cmake/);
    } finally {
      rmSync(empty, { recursive: true });
    }
  });
});

describe('the native binary', () => {
  it('refuses an instruction set it does not know rather than fall back', () => {
    const { status, stderr } = spawnSync(process.execPath, ['-e', "require('./binding.cjs')"], {
      cwd: root,
      env: { ...process.env, CROSSTHINK_ISA: 'sse9' },
      encoding: 'utf8',
    });
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/CROSSTHINK_ISA=sse9 is unknown; this machine runs: scalar/);
    expect(stderr).not.toMatch(/no usable native binary/);
  });
});
