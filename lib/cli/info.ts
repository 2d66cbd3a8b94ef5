import type { Command } from 'commander';
import { runtimeInfo } from '../native/info.js';
import { printJson } from './output.js';

export function registerInfo(program: Command): void {
  program
    .command('info')
    .description('what this machine offers: instruction sets, threads, GPU, and why not')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExamples:\n  $ crossthink info\n  $ CROSSTHINK_ISA=avx2 crossthink info --json\n')
    .action(({ json }: { json?: boolean }) => {
      const info = runtimeInfo();
      if (json === true) {
        printJson(info);
        return;
      }
      const gpu = info.cuda.available ? 'available' : `not used: ${info.cuda.reason}`;
      process.stdout.write(
        [
          `instruction set   ${info.isa} (this machine runs ${info.isas.join(', ')})`,
          `threads           ${info.threads}`,
          `numeric spec      ${info.numericSpec}`,
          `GPU               ${gpu}`,
          '',
        ].join('\n'),
      );
    });
}
