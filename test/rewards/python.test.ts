import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

const root = resolve(__dirname, '../..');
const script = `
import sys, json, math
sys.path.insert(0, ${JSON.stringify(join(root, 'examples/python'))})
from crossthink_reward import compute_score, crossthink_reward
right = "<think>6*7</think>\\\\boxed{42}"
one = compute_score("demo", right, "42")
two = compute_score("demo", "\\\\boxed{B}", "B", {"options": ["x", "y"]})
three = compute_score("demo", right, "")
trl = crossthink_reward(["p"] * 3, [right, [{"role": "assistant", "content": right}], "no"], ["42", "41", ""])
print(json.dumps([one, two, math.isnan(three["score"]), trl]))
`;

const python = spawnSync('python3', ['--version']).status === 0 ? it : it.skip;

python(
  'the Python shim answers verl and TRL',
  () => {
    const { stdout, stderr } = spawnSync('python3', ['-c', script], {
      encoding: 'utf8',
      env: { ...process.env, CROSSTHINK: `${process.execPath} --import tsx ${join(root, 'lib/cli/main.ts')}` },
      cwd: root,
    });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([
      { score: 1, acc: 1, format: 1, reason: 'correct' },
      { score: 0, acc: 1, format: 0, reason: 'format_no_think' },
      true,
      [1, 0, null],
    ]);
  },
  60_000,
);
