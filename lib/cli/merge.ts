import { type Command, Option } from 'commander';
import { type MergeJoin, mergeShards } from '../curation/merge.js';
import { invalidValue } from '../errors.js';
import { printJson } from './output.js';

const EXAMPLES = `
Rows come out in the order of a single run and duplicates are dropped over the whole: the same bytes as without shards.

Examples:
  $ crossthink merge shards/1 shards/2 shards/3 shards/4 --out curated
  $ crossthink merge shards/* --join duckdb --out curated     # more questions than memory holds keys of
`;

interface MergeFlags {
  readonly out?: string;
  readonly parquet?: boolean;
  readonly json?: boolean;
  readonly join: MergeJoin;
}

export function registerMerge(program: Command): void {
  program
    .command('merge')
    .description('the folders of all shards of one curation → one folder')
    .argument('<dirs...>', 'output folders of curate --shard i/n')
    .option('-o, --out <dir>', 'folder for the results')
    .option('--parquet', 'write questions.parquet too')
    .addOption(
      new Option('--join <how>', 'what finds exact duplicates over the whole')
        .choices(['auto', 'memory', 'duckdb'])
        .default('auto'),
    )
    .option('--json', 'print the summary as one JSON object')
    .addHelpText('after', EXAMPLES)
    .action(async (dirs: string[], { out, parquet, json, join }: MergeFlags) => {
      if (out === undefined) throw invalidValue('--out', 'a folder', undefined);
      const summary = await mergeShards(dirs, out, { parquet: parquet === true, join });
      if (json === true) printJson({ out, ...summary });
      else
        process.stdout.write(
          `${summary.rows} rows: ${summary.accepted} accepted, ${summary.dropped} dropped\nwritten to ${out}\n`,
        );
    });
}
