import { type Command, Option } from 'commander';
import { curate, type CuratePlan, type CurateSummary, type TemplateName } from '../curation/curate.js';
import { explain, type Explanation } from '../curation/explain.js';
import { expandInput, inputBytesOf } from '../curation/inputs.js';
import { type Duplicates, makePlan, parseShard, type PlanInput } from '../curation/plan.js';
import { readCurateRecipe, readMappingFile } from '../curation/recipe.js';
import { adapters } from '../data/adapters/registry.js';
import { invalidValue } from '../errors.js';
import { FILTER_NAMES, type FilterSpec } from '../filters/registry.js';
import { parseBand, parseCount, parseShare } from './arguments.js';
import { printJson } from './output.js';
import { startProgress } from './progress.js';

interface CurateFlags {
  input?: string[];
  adapter: string;
  mapping?: string;
  out?: string;
  template: TemplateName;
  options: number;
  distractors?: string[];
  shuffleOptions?: boolean;
  maxWords: number;
  filter: string[] | boolean;
  language?: string[];
  passRate?: { min: number; max: number };
  decontaminate?: string[];
  duplicates: Duplicates;
  seed: number;
  sample: number;
  limit?: number;
  shard?: string;
  workers: number;
  parquet?: boolean;
  dryRun?: boolean;
  fresh?: boolean;
  password?: string;
  plaintext?: boolean;
  explain?: string;
  list?: boolean;
  json?: boolean;
}

const EXAMPLES = `
Every row is accepted (questions.jsonl) or in the ledger with a reason (ledger.jsonl); summary.json has the counts,
README.md is the data-set card. A run that was killed is gone on with when the same command is given again.

Filters for --filter: ${FILTER_NAMES.join(', ')}

Examples:
  $ crossthink curate --input anatomy_test.csv --adapter mmlu --out curated/anatomy
  $ crossthink curate --input 'data/**/*.jsonl.gz' --out curated/all --workers 2 --duplicates exact --json
  $ crossthink curate --input train.jsonl --template open-ended --filter self-contained questions-only --out curated/open
  $ crossthink curate --input rows.jsonl --mapping mapping.yaml --out curated/mine
  $ crossthink curate recipe.yaml --shard 2/4 --out shards/2 && crossthink merge shards/1 shards/2 shards/3 shards/4 --out all
  $ crossthink curate --explain 3f2a91 --out curated/anatomy
  $ crossthink curate --list
`;

export function registerCurate(program: Command): void {
  program
    .command('curate')
    .description('questions in: rows of data sets → verifiable questions and a ledger of every dropped row')
    .argument('[recipe]', 'YAML recipe: inputs, template, filters, duplicates, seed')
    .option(
      '-i, --input <file...>',
      'files or globs: JSON Lines, JSON, CSV, TSV, Parquet; .gz, .zst, .zip; hf://owner/name',
    )
    .option('-a, --adapter <name>', 'how to read the rows; auto recognises them by their schema', 'auto')
    .option('--mapping <file>', 'YAML field mapping, for rows that no adapter knows')
    .option('-o, --out <dir>', 'folder for the results')
    .addOption(
      new Option('-t, --template <form>', 'form asked of every question')
        .choices(['none', 'open-ended', 'multiple-choice'])
        .default('none'),
    )
    .option('--options <n>', 'options made by the multiple-choice template', parseCount, 4)
    .option('--distractors <file...>', 'make options for text answers from the golds of these questions')
    .option('--shuffle-options', 'put options into an order that seed and question decide')
    .option('--max-words <n>', 'longest gold of an open-ended general question', parseCount, 10)
    .option('--filter <name...>', 'further filters, in order, behind the paper filter H(D)')
    .option('--no-filter', 'keep what the adapter accepts: no filter at all')
    .option('--language <code...>', 'keep these languages only, for example en zh')
    .option('--pass-rate <min..max>', 'keep this band of measured pass rates', parseBand)
    .option('--decontaminate <file...>', 'drop what overlaps with these benchmark files (13 words in a row)')
    .addOption(
      new Option('--duplicates <what>', 'what to do with repeated questions')
        .choices(['keep', 'exact', 'near'])
        .default('keep'),
    )
    .option('--seed <n>', 'seed of option order and sample', parseCount, 0)
    .option('--sample <share>', 'look at this share of the rows', parseShare, 1)
    .option('--limit <n>', 'look at the first n rows of each file', parseCount)
    .option('--shard <i/n|auto>', 'do one part of n; auto reads Slurm, Kubernetes or RANK/WORLD_SIZE')
    .option(
      '--workers <n>',
      'threads for JSON Lines; never changes the result; pays where rows are slow to judge, not for plain ones',
      parseCount,
      1,
    )
    .option('--parquet', 'write questions.parquet too: the same rows as nested columns')
    .option('--dry-run', 'count, but write nothing')
    .option('--fresh', 'start anew instead of going on with a killed run')
    .option('--password <text>', 'password of encrypted zip files (or CROSSTHINK_ZIP_PASSWORD)')
    .option('--plaintext', 'write texts whose authors ask not to show them (GPQA)')
    .option('--explain <id|file:row>', 'say what became of one question or row of --out')
    .option('--list', 'list the adapters')
    .option('--json', 'print one JSON object')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(recipe: string | undefined, flags: CurateFlags): Promise<void> {
  const json = flags.json === true;
  if (flags.list === true) {
    listAdapters(json);
    return;
  }
  const { out } = flags;
  if (out === undefined && flags.dryRun !== true) throw invalidValue('--out', 'a folder', undefined);
  if (flags.explain !== undefined) {
    const found = await explain(out ?? '', flags.explain);
    if (json) printJson(found);
    else process.stdout.write(found.map(describeExplanation).join('\n'));
    return;
  }
  const plan = await planFrom(recipe, flags);
  const total = await inputBytesOf(plan.inputs.map(({ file }) => file));
  const progress = startProgress('curate', 'bytes', total, json);
  try {
    const summary = await curate(plan, out ?? '', {
      workers: flags.workers,
      parquet: flags.parquet === true,
      dryRun: flags.dryRun === true,
      fresh: flags.fresh === true,
      ...(flags.password === undefined ? {} : { password: flags.password }),
      onProgress: ({ bytes, rows }) => {
        progress.update(bytes, `${rows} rows`);
      },
      onResume: (rows) => {
        process.stderr.write(`going on behind ${rows} rows of an interrupted run (--fresh starts anew)\n`);
      },
    });
    progress.stop();
    if (json) printJson({ out, ...summary });
    else process.stdout.write(describeSummary(summary, flags.dryRun === true ? undefined : out));
  } finally {
    progress.stop();
  }
}

async function planFrom(recipe: string | undefined, flags: CurateFlags): Promise<CuratePlan> {
  const shard = flags.shard === undefined ? {} : { shard: parseShard(flags.shard) };
  if (recipe !== undefined) return { ...(await readCurateRecipe(recipe)), ...shard };
  const patterns = flags.input ?? [];
  if (patterns.length === 0) throw invalidValue('--input', 'one or more files (or a recipe)', undefined);
  const mapping = flags.mapping === undefined ? undefined : await readMappingFile(flags.mapping);
  const adapter = mapping === undefined ? flags.adapter : 'generic';
  const inputs: PlanInput[] = [];
  for (const pattern of patterns) {
    for (const path of await expandInput(pattern, ''))
      inputs.push({ file: path, adapter, ...(mapping === undefined ? {} : { mapping }) });
  }
  return makePlan(inputs, {
    template: flags.template,
    optionCount: flags.options,
    distractors: flags.distractors ?? [],
    shuffleOptions: flags.shuffleOptions === true,
    seed: flags.seed,
    filters: flags.filter === false ? [] : filtersFrom(flags),
    duplicates: flags.duplicates,
    sample: flags.sample,
    limit: flags.limit ?? null,
    plaintext: flags.plaintext === true,
    ...shard,
  });
}

function filtersFrom(flags: CurateFlags): (FilterSpec | string)[] {
  const { filter, language, passRate, decontaminate } = flags;
  return [
    { name: 'verifiable', maxWords: flags.maxWords },
    ...(Array.isArray(filter) ? filter.filter((name) => name !== 'verifiable') : []),
    ...(language === undefined ? [] : [{ name: 'language', keep: language }]),
    ...(passRate === undefined ? [] : [{ name: 'pass-rate', ...passRate }]),
    ...(decontaminate === undefined ? [] : [{ name: 'decontaminate', benchmarks: decontaminate }]),
  ];
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

function describeSummary(summary: CurateSummary, out: string | undefined): string {
  const share = summary.rows === 0 ? 0 : (100 * summary.accepted) / summary.rows;
  const reasons = Object.entries(summary.reasons).map(([reason, n]) => `  ${String(n).padStart(8)}  ${reason}`);
  return [
    `${summary.rows} rows: ${summary.accepted} accepted (${share.toFixed(1)} %), ${summary.dropped} dropped`,
    ...reasons,
    ...summary.inputs.filter(({ accepted }) => accepted === 0).map(({ file }) => `nothing was accepted from ${file}`),
    out === undefined ? 'nothing was written (--dry-run)' : `written to ${out}`,
    '',
  ].join('\n');
}

function describeExplanation(explanation: Explanation): string {
  if (explanation.outcome === 'dropped') {
    const { id, source, file, row, line, reason, detail } = explanation.entry;
    const place = `${file ?? '?'} row ${row ?? '?'}${line === undefined ? '' : ` (line ${line})`}`;
    return `${id ?? '(no id: the row did not become a question)'}\n  source   ${source}\n  from     ${place}\n  dropped  ${reason}: ${detail}\n`;
  }
  const { id, source, provenance, question, answer } = explanation.question;
  return [
    id,
    `  source   ${source}, ${provenance.licence ?? 'licence unknown'}`,
    `  from     ${provenance.file ?? '?'} row ${provenance.row ?? '?'}`,
    `  steps    ${provenance.steps.join(' → ')}`,
    `  accepted ${question.slice(0, 200).replace(/\s+/g, ' ')} → ${answer.type} ${answer.value.slice(0, 80)}`,
    '',
  ].join('\n');
}
