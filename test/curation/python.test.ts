import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(__dirname, '../..');
const cli = join(root, 'dist/cli/main.js');
const script = `
import sys, json
sys.path.insert(0, ${JSON.stringify(join(root, 'examples/python'))})
from crossthink_curate import curate
rows = [{"question": f"Wie viel ist {i} plus ü?", "answer": f"so\\n#### {i}"} for i in range(50)] + [{"question": "No gold?", "answer": ""}]
whole = curate(rows, "--adapter", "gsm8k")
parts = curate(rows[:7], "--adapter", "gsm8k") + curate([]) + curate(rows[7:], "--adapter", "gsm8k")
print(json.dumps([len(whole), whole == parts, whole[3]["answer"], sorted(whole[0]["provenance"])]))
`;

const ready = existsSync(cli) && spawnSync('python3', ['--version']).status === 0;
if (!ready) console.warn('skipped: needs python3 and a built package');

(ready ? it : it.skip)(
  'blocks of rows curated from Python, as Ray Data and Spark do, give what one call gives',
  () => {
    const env = { ...process.env, CROSSTHINK: `${process.execPath} ${cli}` };
    const { stdout, stderr } = spawnSync('python3', ['-c', script], { encoding: 'utf8', env });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([50, true, { type: 'integer', value: '3' }, ['dataset', 'licence', 'steps']]);
  },
  60_000,
);
