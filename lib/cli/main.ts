#!/usr/bin/env node
import { Command } from 'commander';
import { version } from '../../package.json';
import { registerBlend } from './blend.js';
import { registerCurate } from './curate.js';
import { registerDemo } from './demo.js';
import { registerExport } from './export.js';
import { registerInfo } from './info.js';
import { registerMerge } from './merge.js';
import { reportError } from './output.js';
import { registerServe } from './serve.js';
import { registerSynthesize } from './synthesize.js';
import { registerTrain } from './train.js';
import { registerVerify } from './verify.js';

const program = new Command('crossthink')
  .description('Reinforcement learning with verifiable rewards beyond mathematics (after arXiv 2504.13941)')
  .version(version)
  .showHelpAfterError('(add --help for usage and examples)');

registerInfo(program);
registerCurate(program);
registerMerge(program);
registerBlend(program);
registerExport(program);
registerSynthesize(program);
registerVerify(program);
registerServe(program);
registerTrain(program);
registerDemo(program);

program.parseAsync(process.argv).catch((error: unknown) => {
  reportError(error);
  process.exitCode = 1;
});
