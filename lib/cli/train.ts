import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { parse as parseYaml } from 'yaml';
import { BLEND_NAMES } from '../blend/recipe.js';
import { CrossThinkError, invalidValue } from '../errors.js';
import { describeRun } from '../report/describe.js';
import { requireFigures } from '../report/figures.js';
import { writeReport } from '../report/write.js';
import { parseTrainConfig, type TrainConfig } from '../training/config.js';
import { embeddedData, fileData } from '../training/dataset.js';
import { runTraining } from '../training/run.js';
import { ReferenceTrainer } from '../training/trainer.js';
import { parseCount } from './arguments.js';
import { printJson } from './output.js';
import { changeTable, TrainingDisplay } from './trainingDisplay.js';

interface TrainFlags {
  out: string;
  config?: string;
  questions?: string;
  solutions?: string;
  resume?: boolean;
  seed?: number;
  steps?: number;
  blend?: string;
  control?: string;
  maxSteps?: number;
  threads: number;
  json?: boolean;
}

const EXAMPLES = `
The reference policy is a small transformer on the CPU: it shows and tests the path, it is no language model. Without
--questions it learns the embedded ones. The folder keeps metrics.jsonl (one JSON object a step) and checkpoint.bin;
a run that goes on with --resume ends with the same bits as one that was never stopped.

Settings (YAML; all have defaults):
  seed: 1
  skill: { steps: 2500, batch: 32, learningRate: 0.002 }
  grpo: { steps: 200, prompts: 32, samples: 8, learningRate: 0.0001, klCoef: 0.001, blend: gpr-up }

Examples:
  $ crossthink train --out runs/first
  $ crossthink train --config train.yaml --out runs/second --max-steps 1000
  $ crossthink train --config train.yaml --out runs/second --resume
  $ crossthink train --questions curated/questions.jsonl --solutions steps.jsonl --out runs/mine
`;

export function registerTrain(program: Command): void {
  program
    .command('train')
    .description('train the reference policy: warm start, then GRPO; resumable')
    .requiredOption('-o, --out <dir>', 'folder of the run')
    .option('-c, --config <file>', 'settings in YAML')
    .option('-q, --questions <file>', 'curated questions (JSONL); default: the embedded ones')
    .option('--solutions <file>', 'worked steps for the warm start: JSONL rows {id, steps}')
    .option('--resume', 'go on from the checkpoint in the folder')
    .option('--seed <n>', 'seed of everything that is drawn', parseCount)
    .option('--steps <n>', 'GRPO steps', parseCount)
    .addOption(new Option('--blend <name>', 'blend of the GRPO prompts').choices(['even', ...BLEND_NAMES]))
    .addOption(new Option('--control <name>', 'control run').choices(['none', 'shuffled-rewards']))
    .option('--max-steps <n>', 'stop after so many steps of any stage; go on later with --resume', parseCount)
    .option('--threads <n>', 'threads to use at most (0: all); changes no number', parseCount, 0)
    .option('--json', 'print the summary as one JSON object')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(flags: TrainFlags): Promise<void> {
  const { out, questions, solutions, resume = false, maxSteps, threads, json = false } = flags;
  if (solutions !== undefined && questions === undefined) {
    throw invalidValue('--solutions', 'given with --questions: the embedded questions have their own', solutions);
  }
  const config = settings(flags);
  await requireFigures();
  const display = new TrainingDisplay(
    { skill: config.skill.steps, habit: config.habit.steps, grpo: config.grpo.steps },
    json,
  );
  const data =
    questions === undefined ? await embeddedData(out, { seed: config.seed }) : await fileData(questions, solutions);
  const { split, tokenizer } = data;
  display.say(`${split.train.length} questions to train on, ${split.test.length} held out, ${tokenizer.size} tokens`);
  const trainer = new ReferenceTrainer({ config, tokenizer, questions: split, threads });
  const result = await runTraining(trainer, {
    out,
    resume,
    ...(maxSteps === undefined ? {} : { maxSteps }),
    onStep: display.onStep,
    onEvaluation: display.onEvaluation,
  });
  display.stop();
  const { done, total } = trainer.progress;
  if (!result.finished) {
    if (json) printJson({ out, finished: false, ...trainer.position, done, total });
    else process.stdout.write(`stopped after ${done} of ${total} steps; go on with --resume\n`);
    return;
  }
  const report = describeRun(trainer, data, result);
  const paths = await writeReport(report, out);
  const { ceiling, base, final } = report.evaluations;
  if (json) {
    const evaluations = { ceiling: ceiling?.sampled.all, base: base.sampled.all, final: final.sampled.all };
    printJson({ out, finished: true, ...paths, ...evaluations });
  } else {
    process.stdout.write(`\n${changeTable(report)}\n\nReport: ${paths.page}\nMetrics: ${paths.metrics}\n`);
  }
}

/** Settings of the file with those of the flags on top. */
function settings({ config: file, seed, steps, blend, control }: TrainFlags): TrainConfig {
  const { grpo, ...rest } = parseTrainConfig(file === undefined ? {} : readYaml(file), file);
  return parseTrainConfig({
    ...rest,
    ...(seed === undefined ? {} : { seed }),
    grpo: {
      ...grpo,
      ...(steps === undefined ? {} : { steps }),
      ...(blend === undefined ? {} : { blend }),
      ...(control === undefined ? {} : { control }),
    },
  });
}

function readYaml(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CrossThinkError('ERR_FILE_NOT_FOUND', 'cannot read the settings', { file, cause });
  }
  try {
    return parseYaml(text);
  } catch (cause) {
    throw new CrossThinkError('ERR_PARSE', `not YAML: ${cause instanceof Error ? cause.message : ''}`, { file, cause });
  }
}
