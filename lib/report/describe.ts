import { version as nodeVersion } from 'node:process';
import { version } from '../../package.json';
import { CrossThinkError } from '../errors.js';
import { runtimeInfo } from '../native/info.js';
import type { MixRow, ReportedEvaluation, RunReport } from './run.js';
import type { TrainingData } from '../training/dataset.js';
import type { EvaluationRecord } from '../training/log.js';
import type { GrpoRecord, SupervisedRecord } from '../training/records.js';
import type { RunResult } from '../training/run.js';
import type { ReferenceTrainer } from '../training/trainer.js';

/** Gathers what a report shows of a finished run. */
export function describeRun(trainer: ReferenceTrainer, data: TrainingData, result: RunResult): RunReport {
  const { config, policy } = trainer;
  const { ceiling, base, final } = result.evaluations;
  if (base === undefined || final === undefined) {
    throw new CrossThinkError('ERR_STATE_MISMATCH', 'the run is not finished: there is nothing to report yet');
  }
  const grpo = result.steps.filter((record): record is GrpoRecord => record.stage === 'grpo');
  const questions = [...data.split.train, ...data.split.test].map(({ question }) => question);
  const perSubject: Record<string, number> = {};
  for (const { subject = 'other' } of questions) perSubject[subject] = (perSubject[subject] ?? 0) + 1;
  const { isa, threads } = runtimeInfo();
  return {
    version,
    seed: config.seed,
    control: config.grpo.control,
    settings: config,
    questions: {
      rows: data.curation?.rows ?? questions.length,
      accepted: data.curation?.accepted ?? questions.length,
      dropped: data.curation?.reasons ?? {},
      train: data.split.train.length,
      test: data.split.test.length,
      perSubject,
    },
    policy: {
      parameters: policy.parameters.length,
      vocabulary: policy.shape.vocab,
      width: policy.shape.width,
      layers: policy.shape.layers,
    },
    evaluations: {
      ...(ceiling === undefined ? {} : { ceiling: reported(ceiling) }),
      base: reported(base),
      final: reported(final),
    },
    mix: mixOf(trainer, grpo),
    supervised: result.steps.filter((record): record is SupervisedRecord => record.stage !== 'grpo'),
    grpo,
    machine: { isa, threads, node: nodeVersion },
    seconds: result.seconds,
    maxRssMiB: process.resourceUsage().maxRSS / 1024,
  };
}

function reported({ sampled, greedy }: EvaluationRecord): ReportedEvaluation {
  return { sampled, greedy };
}

function mixOf({ recipe }: ReferenceTrainer, grpo: readonly GrpoRecord[]): MixRow[] {
  const drawn = new Map<string, number>();
  for (const { sources } of grpo) {
    for (const [source, count] of Object.entries(sources)) drawn.set(source, (drawn.get(source) ?? 0) + count);
  }
  const weight = recipe.weights.reduce((sum, value) => sum + value, 0);
  const total = Math.max(
    1,
    [...drawn.values()].reduce((sum, value) => sum + value, 0),
  );
  return recipe.sources.map(({ name, domain }, i) => ({
    source: name,
    domain,
    asked: (recipe.weights[i] ?? 0) / weight,
    achieved: (drawn.get(name) ?? 0) / total,
  }));
}
