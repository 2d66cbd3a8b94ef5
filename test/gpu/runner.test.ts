import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const folder = path.resolve(__dirname, '../../build/interpreter');
const run = promisify(execFile);

/** The Node-free runner of gpu-check on the interpreter; findings of its checker go to stderr. */
async function runner(build: string, seed: number, preempt: number) {
  const program = path.join(folder, `gpu_runner_${build}`);
  expect(existsSync(program) || 'missing: run npm run build:interpreter').toBe(true);
  const CROSSTHINK_CUBLAS = path.join(folder, 'libcublas.so');
  const env = {
    ...process.env,
    CROSSTHINK_CUBLAS,
    CUDA_INTERPRETER_SEED: `${seed}`,
    CUDA_INTERPRETER_PREEMPT: `${preempt}`,
  };
  return run(program, ['--small', '--no-timing'], { env, maxBuffer: 2 ** 24 });
}

describe('every CUDA kernel, bit for bit as the CPU', () => {
  // 0 is first come, first served; the others shuffle blocks and threads, the last ones also within a thread's accesses.
  it.each([
    ['plain', 1, 0],
    ['checked', 0, 0],
    ['checked', 2, 0],
    ['checked', 3, 0],
    ['checked', 4, 97],
    ['checked', 5, 31],
  ])(
    '%s build, order %d: no race, no access out of bounds, nothing uninitialised',
    async (build, seed, preempt) => {
      const { stdout, stderr } = await runner(build, seed, preempt);
      expect(stderr).toBe('');
      expect(stdout).toMatch(/[1-9]\d+ cases, [1-9]\d+ numbers compared .*: 0 failures/);
      expect(stdout).not.toMatch(/not ok|not run/);
    },
    120_000,
  );
});
