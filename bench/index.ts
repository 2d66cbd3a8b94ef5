import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { benchCalls } from './calls.js';
import { benchKernels } from './kernels.js';
import { benchLosses } from './losses.js';
import { machine } from './machine.js';

const suites = { calls: benchCalls, kernels: benchKernels, losses: benchLosses };

/**
 * `npm run bench [-- calls|kernels|losses]`: figures beside their ceilings, and for each suite a JSON in bench/results with the
 * machine they are of.
 */
async function main(): Promise<void> {
  const about = machine();
  console.log(about);
  const folder = path.join(__dirname, 'results');
  mkdirSync(folder, { recursive: true });
  const wanted = process.argv.slice(2);
  for (const [name, run] of Object.entries(suites)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const results = { machine: about, [name]: await run() };
    const file = path.join(folder, `${name}-${about.date.slice(0, 10)}-${about.commit}.json`);
    writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
    console.log(`\nwritten: ${file}`);
  }
}

void main();
