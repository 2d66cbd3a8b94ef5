import type { Command } from 'commander';
import { mergeShards } from '../curation/merge.js';
import { invalidValue } from '../errors.js';
import { printJson } from './output.js';

const EXAMPLES = `
Rows come out in the order of a single run and duplicates are dropped over the whole: the same bytes as without shards.

Examples:
  $ crossthink merge shards/1 shards/2 shards/3 shards/4 --out curated
`;

export function registerMerge(program: Command): void {
  program
    .command('merge')
    .description('the folders of all shards of one curation → one folder')
    .argument('<dirs...>', 'output folders of curate --shard i/n')
    .option('-o, --out <dir>', 'folder for the results')
    .option('--parquet', 'write questions.parquet too')
    .option('--json', 'print the summary as one JSON object')
    .addHelpText('after', EXAMPLES)
    .action(async (dirs: string[], { out, parquet, json }: { out?: string; parquet?: boolean; json?: boolean }) => {
      if (out === undefined) throw invalidValue('--out', 'a folder', undefined);
      const summary = await mergeShards(dirs, out, { parquet: parquet === true });
      if (json === true) printJson({ out, ...summary });
      else
        process.stdout.write(
          `${summary.rows} rows: ${summary.accepted} accepted, ${summary.dropped} dropped\nwritten to ${out}\n`,
        );
    });
}
