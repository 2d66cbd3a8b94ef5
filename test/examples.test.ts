import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(__dirname, '..');
const examples = readdirSync(path.join(root, 'examples')).filter((name) => name.endsWith('.mjs'));

const expected: Record<string, RegExp> = {
  'verify-responses.mjs':
    /^reward 1 .*correct\nreward 1 .*\nreward 0 {2}accuracy 1 {2}format 0 .*\n.*wrong\n.*several_answers\n$/,
  'custom-trainer.mjs': /step 0: mean reward 0\.0\d\n[^]*step 60: mean reward (0\.9\d|1\.00)\n$/,
  'curate-and-blend.mjs':
    /history: 3 accepted, 1 in the ledger .*\nsums: 3 accepted, 0 in the ledger .*\nstep 0: (\S+ ){5}\S+\nstep 1: /,
  'device-tensors.mjs': /^(16 tokens, ratio 1\.000\ngradient written\n0 tensors left|No CUDA: .+)\n$/,
};

describe.each(examples)('examples/%s', (name) => {
  it('runs and prints what it says', () => {
    const output = execFileSync(process.execPath, [path.join(root, 'examples', name)], { cwd: root, encoding: 'utf8' });
    expect(expected[name]).toBeDefined();
    expect(output).toMatch(expected[name]!);
  });
});

it('the guide on device tensors shows the example that runs', () => {
  const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
  const shown = /```js\n([^]*?)```/.exec(read('docs/guides/device-tensors.md'))?.[1];
  expect(shown).toBeDefined();
  expect(read('examples/device-tensors.mjs')).toContain(shown);
});
