import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { describeRun } from '../report/describe.js';
import { requireFigures } from '../report/figures.js';
import { writeReport } from '../report/write.js';
import { parseTrainConfig } from '../training/config.js';
import { embeddedData } from '../training/dataset.js';
import { RUN_FILES, runTraining } from '../training/run.js';
import { ReferenceTrainer } from '../training/trainer.js';
import { parseCount } from './arguments.js';
import { printJson } from './output.js';
import { changeTable, percent, TrainingDisplay } from './trainingDisplay.js';

interface DemoFlags {
  out: string;
  seed: number;
  control: 'none' | 'shuffled-rewards';
  steps?: number;
  quick?: boolean;
  threads: number;
  json?: boolean;
}

const EXAMPLES = `
Embedded questions are curated, blended and learned from: a warm start, then GRPO. Takes one to two minutes on two cores.
Writes report.html, metrics.json, metrics.jsonl and the curated questions. Equal seeds give equal numbers on every instruction set and thread count.

Examples:
  $ crossthink demo
  $ crossthink demo --seed 2 --out demo-2
  $ crossthink demo --control shuffled-rewards --out demo-control   # nothing to learn: pass@1 must not rise
`;

/** Settings of --quick: a few seconds, to see that everything runs; the policy learns little. */
const QUICK = {
  policy: { width: 32, heads: 2 },
  skill: { steps: 60 },
  habit: { steps: 10 },
  grpo: { steps: 6, prompts: 8 },
  evaluation: { perSource: 4, samples: 8, every: 3, smallPerSource: 2 },
};

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description('the whole path on embedded questions: curate, blend, warm start, GRPO, report')
    .option('-o, --out <dir>', 'folder for the report and the metrics', 'crossthink-demo')
    .option('--seed <n>', 'seed of everything that is drawn', parseCount, 1)
    .addOption(
      new Option('--control <name>', 'shuffled-rewards deals the rewards out at random')
        .choices(['none', 'shuffled-rewards'])
        .default('none'),
    )
    .option('--steps <n>', 'GRPO steps (default 200)', parseCount)
    .option('--quick', 'a run of a few seconds that only shows that everything works')
    .option('--threads <n>', 'threads to use at most (0: all); changes no number', parseCount, 0)
    .option('--json', 'print the summary as one JSON object')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run({ out, seed, control, steps, quick = false, threads, json = false }: DemoFlags): Promise<void> {
  const start = performance.now();
  const base = quick ? QUICK : { grpo: {} };
  const config = parseTrainConfig({
    ...base,
    seed,
    grpo: { ...base.grpo, control, ...(steps === undefined ? {} : { steps }) },
  });
  const display = new TrainingDisplay(
    { skill: config.skill.steps, habit: config.habit.steps, grpo: config.grpo.steps },
    json,
  );
  await requireFigures();
  mkdirSync(out, { recursive: true });
  // A demo always starts anew; what an earlier one left would be taken for a run to go on with.
  rmSync(join(out, RUN_FILES.checkpoint), { force: true });
  const data = await embeddedData(out, { seed, perForm: quick ? 60 : 1000 });
  const { curation, split, tokenizer } = data;
  const dropped = Object.entries(curation?.reasons ?? {}).map(([reason, count]) => `${count} ${reason}`);
  display.say(
    `questions: ${curation?.rows ?? 0} rows, ${curation?.accepted ?? 0} accepted (dropped: ${
      dropped.join(', ') || 'none'
    }); ${split.train.length} to train on, ${split.test.length} held out`,
  );
  const trainer = new ReferenceTrainer({ config, tokenizer, questions: split, threads });
  display.say(
    `policy: ${trainer.policy.parameters.length} parameters, ${tokenizer.size} tokens; blend ${config.grpo.blend}`,
  );
  const result = await runTraining(trainer, {
    out,
    onStep: display.onStep,
    onEvaluation: display.onEvaluation,
  });
  display.stop();
  const report = describeRun(trainer, data, result);
  const paths = await writeReport(report, out);
  const seconds = (performance.now() - start) / 1000;
  const { ceiling, base: before, final } = report.evaluations;
  if (json) {
    printJson({
      ...paths,
      seed,
      control,
      seconds,
      maxRssMiB: Math.round(process.resourceUsage().maxRSS / 1024),
      ceiling: ceiling?.sampled.all,
      base: before.sampled.all,
      final: final.sampled.all,
    });
    return;
  }
  const change = `${percent(before.sampled.all.passAt1.value)} → ${percent(final.sampled.all.passAt1.value)}`;
  process.stdout.write(
    `${[
      '',
      `pass@1 at temperature 1 on ${final.sampled.all.questions} held-out questions${control === 'none' ? '' : ' (CONTROL: shuffled rewards)'}`,
      changeTable(report),
      '',
      `${change} in ${Math.round(seconds)} s. ${control === 'none' ? meaning(trainer.policy.parameters.length) : CONTROL_MEANING}`,
      `Report: ${paths.page}`,
      `Metrics: ${paths.metrics}`,
    ].join('\n')}\n`,
  );
}

const CONTROL_MEANING = 'The rewards were dealt out at random: there was nothing to learn, and pass@1 must not rise.';

function meaning(parameters: number): string {
  const size = (parameters / 1e6).toFixed(2);
  return [
    'Mostly, skill that the warm start taught and a weak annotator hid is brought back.',
    `A policy of ${size} million parameters shows that the path works; it says nothing about language models.`,
  ].join('\n');
}
