import { type Command, InvalidArgumentError, Option } from 'commander';
import { curateFiles, type CurateSummary, type TemplateName } from '../curation/curate.js';
import { adapters } from '../data/adapters/registry.js';
import { invalidValue } from '../errors.js';
import { verifiable } from '../filters/verifiable.js';
import { printJson } from './output.js';
import { startProgress } from './progress.js';

interface CurateFlags {
  input?: string[];
  adapter: string;
  out?: string;
  template: TemplateName;
  options: number;
  maxWords: number;
  filter: boolean;
  seed: number;
  list?: boolean;
  json?: boolean;
}

const EXAMPLES = `
Every row is accepted (questions.jsonl) or in the ledger with a reason (ledger.jsonl); summary.json has the counts.

Examples:
  $ crossthink curate --input anatomy_test.csv --adapter mmlu --out curated/anatomy
  $ crossthink curate --input train.jsonl --adapter auto --template open-ended --out curated/open --json
  $ crossthink curate --list
`;

export function registerCurate(program: Command): void {
  program
    .command('curate')
    .description('questions in: rows of a data set → verifiable questions and a ledger of every dropped row')
    .option('-i, --input <file...>', 'files to read (.jsonl, .csv, .tsv)')
    .option('-a, --adapter <name>', 'how to read the rows; auto recognises them by their schema', 'auto')
    .option('-o, --out <dir>', 'folder for questions.jsonl, ledger.jsonl and summary.json')
    .addOption(
      new Option('-t, --template <form>', 'form asked of every question')
        .choices(['none', 'open-ended', 'multiple-choice'])
        .default('none'),
    )
    .option('--options <n>', 'options made by the multiple-choice template', parseCount, 4)
    .option('--max-words <n>', 'longest gold of an open-ended general question', parseCount, 10)
    .option('--no-filter', 'keep what the adapter accepts: no filter H(D)')
    .option('--seed <n>', 'seed of option order', parseCount, 0)
    .option('--list', 'list the adapters')
    .option('--json', 'print the summary as one JSON object')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(flags: CurateFlags): Promise<void> {
  const json = flags.json === true;
  if (flags.list === true) {
    listAdapters(json);
    return;
  }
  const { input = [], out } = flags;
  if (input.length === 0) throw invalidValue('--input', 'one or more files', undefined);
  if (out === undefined) throw invalidValue('--out', 'a folder', undefined);
  const progress = startProgress('curate', 'rows', undefined, json);
  const summary = await curateFiles(input, out, {
    adapter: flags.adapter,
    template: flags.template,
    optionCount: flags.options,
    seed: flags.seed,
    filters: flags.filter ? [verifiable({ maxWords: flags.maxWords })] : [],
    onProgress: ({ rows }) => {
      progress.update(rows);
    },
  });
  progress.stop();
  if (json) printJson({ out, ...summary });
  else process.stdout.write(describeSummary(summary, out));
}

function listAdapters(json: boolean): void {
  const rows = adapters.map(({ name, aliases = [], domain, licence, description }) => ({
    name,
    aliases,
    domain,
    licence,
    description,
  }));
  if (json) printJson(rows);
  else
    for (const { name, domain, description } of rows) {
      process.stdout.write(`${name.padEnd(28)} ${domain.padEnd(8)} ${description}\n`);
    }
}

function describeSummary(summary: CurateSummary, out: string): string {
  const share = summary.rows === 0 ? 0 : (100 * summary.accepted) / summary.rows;
  const reasons = Object.entries(summary.reasons).map(([reason, n]) => `  ${String(n).padStart(8)}  ${reason}`);
  return [
    `${summary.rows} rows: ${summary.accepted} accepted (${share.toFixed(1)} %), ${summary.dropped} dropped`,
    ...reasons,
    `written to ${out}`,
    '',
  ].join('\n');
}

/** A whole number, zero or more, from an argument. */
export function parseCount(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0) {
    throw new InvalidArgumentError('expected a whole number, zero or more.');
  }
  return value;
}
