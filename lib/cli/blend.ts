import { type Command, Option } from 'commander';
import { materialiseBlend, type BlendSummary } from '../blend/materialise.js';
import { QuestionStore } from '../blend/questionStore.js';
import { BLEND_NAMES, type BlendName } from '../blend/recipe.js';
import { readRecipeFile, type RecipeFile, recipeOf } from '../blend/recipeFile.js';
import { BlendSchedule } from '../blend/schedule.js';
import { invalidValue } from '../errors.js';
import { parseCount } from './arguments.js';
import { printJson } from './output.js';
import { startProgress } from './progress.js';

interface BlendFlags {
  input?: string[];
  blend?: BlendName;
  recipe?: string;
  out?: string;
  steps?: number;
  batchSize?: number;
  seed?: number;
  scheduleOnly?: boolean;
  json?: boolean;
}

const EXAMPLES = `
The order is a function of (seed, step): largest deficit between sources, a keyed permutation inside each. Train on
blend.jsonl without shuffling.

Examples:
  $ crossthink blend --input curated/mmlu curated/gsm8k --blend gpr-up --steps 650 --batch-size 128 --out blends/gpr-up
  $ crossthink blend --recipe blend.yaml --out blends/mine --json
`;

export function registerBlend(program: Command): void {
  program
    .command('blend')
    .description('curated questions → one ordered blend, with the mix asked against the mix achieved')
    .option('-i, --input <path...>', 'curated files, or folders with a questions.jsonl')
    .addOption(new Option('-b, --blend <name>', 'blend of the paper').choices(BLEND_NAMES))
    .option('-r, --recipe <file>', 'YAML recipe: inputs, blend or weights, seed, batchSize, steps')
    .option('-o, --out <dir>', 'folder for blend.jsonl and blend.json')
    .option('--steps <n>', 'batches to write (default: one pass over as many rows as there are)', parseCount)
    .option('--batch-size <n>', 'prompts a step (default 128)', parseCount)
    .option('--seed <n>', 'seed of the row order (default 0)', parseCount)
    .option('--schedule-only', 'write places and ids instead of whole questions')
    .option('--json', 'print the summary as one JSON object')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(flags: BlendFlags): Promise<void> {
  const { out } = flags;
  if (out === undefined) throw invalidValue('--out', 'a folder', undefined);
  const file = await recipeFrom(flags);
  const inputs = flags.input ?? file.inputs ?? [];
  if (inputs.length === 0) throw invalidValue('--input', 'one or more curated files or folders', undefined);

  const store = await QuestionStore.open(inputs);
  try {
    const recipe = recipeOf(file, store.sources);
    const schedule = new BlendSchedule(recipe, { seed: flags.seed ?? file.seed ?? 0 });
    const batchSize = flags.batchSize ?? file.batchSize ?? 128;
    const rows = store.sources.reduce((n, { size }) => n + size, 0);
    const steps = flags.steps ?? file.steps ?? Math.max(1, Math.floor(rows / batchSize));
    const progress = startProgress('blend', 'steps', steps, flags.json);
    const scheduleOnly = flags.scheduleOnly === true;
    const onProgress = (step: number): void => {
      progress.update(step);
    };
    const summary = await materialiseBlend(store, recipe, schedule, out, {
      steps,
      batchSize,
      scheduleOnly,
      onProgress,
    });
    progress.stop();
    if (flags.json === true) printJson({ out, ...summary });
    else process.stdout.write(describeSummary(summary, out));
  } finally {
    await store.close();
  }
}

async function recipeFrom({ recipe, blend }: BlendFlags): Promise<RecipeFile> {
  if (recipe === undefined) return { blend: blend ?? 'natural' };
  const file = await readRecipeFile(recipe);
  return blend === undefined ? file : { ...file, blend, weights: undefined };
}

function describeSummary(summary: BlendSummary, out: string): string {
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`.padStart(9);
  const line = (name: string, { asked, achieved, draws }: BlendSummary['domains'][string]): string =>
    `  ${name.padEnd(32)} asked ${percent(asked)}  achieved ${percent(achieved)}  ${draws} prompts`;
  return [
    `blend ${summary.blend}: ${summary.steps} steps of ${summary.batchSize} prompts, seed ${summary.seed}`,
    ...[summary.sources, summary.domains, summary.forms].flatMap((part) =>
      Object.entries(part).map(([name, share]) => line(name, share)),
    ),
    `written to ${out}`,
    '',
  ].join('\n');
}
