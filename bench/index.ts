import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { benchKernels } from './kernels.js';
import { machine } from './machine.js';

/** `npm run bench`: figures beside their ceilings, and a JSON with the machine they are of in bench/results. */
async function main(): Promise<void> {
  const about = machine();
  console.log(about);
  const kernels = await benchKernels();
  const folder = path.join(__dirname, 'results');
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `kernels-${about.date.slice(0, 10)}-${about.commit}.json`);
  writeFileSync(file, `${JSON.stringify({ machine: about, kernels }, null, 2)}\n`);
  console.log(`\nwritten: ${file}`);
}

void main();
