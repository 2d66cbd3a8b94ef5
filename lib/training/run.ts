import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { CrossThinkError } from '../errors.js';
import { type EvaluationName, EVALUATIONS, type EvaluationRecord, MetricsLog } from './log.js';
import { STAGES, type StepRecord } from './records.js';
import type { ReferenceTrainer } from './trainer.js';

/** Names of the files a run keeps in its folder. */
export const RUN_FILES = { checkpoint: 'checkpoint.bin', log: 'metrics.jsonl' } as const;

export interface RunOptions {
  /** Folder of the run. */
  readonly out: string;
  /** Go on from the folder's checkpoint, where there is one (default false: the folder must not hold one). */
  readonly resume?: boolean;
  /** Steps between checkpoints (default 250); one more is written after every stage. */
  readonly checkpointEvery?: number;
  /** Stop after so many steps of this call; the run can be resumed. */
  readonly maxSteps?: number;
  readonly onStep?: (record: StepRecord) => void;
  readonly onEvaluation?: (record: EvaluationRecord) => void;
}

/** What a run did. */
export interface RunResult {
  readonly steps: readonly StepRecord[];
  readonly evaluations: Partial<Record<EvaluationName, EvaluationRecord>>;
  readonly finished: boolean;
  /** Wall-clock seconds of this call, by stage and for the evaluations. */
  readonly seconds: Readonly<Record<string, number>>;
}

/**
 * Runs a trainer to its end, judging the policy after each stage. Keeps `metrics.jsonl` and `checkpoint.bin` in the
 * folder: a run that was stopped goes on with `resume` and ends with the same bits.
 */
export async function runTraining(trainer: ReferenceTrainer, options: RunOptions): Promise<RunResult> {
  const { out, resume = false, checkpointEvery = 250, maxSteps = Infinity, onStep, onEvaluation } = options;
  const checkpoint = join(out, RUN_FILES.checkpoint);
  const started = existsSync(checkpoint);
  if (started && !resume) {
    throw new CrossThinkError('ERR_FILE_EXISTS', 'the folder holds a run. Add --resume to go on with it', {
      file: checkpoint,
    });
  }
  if (started) trainer.load(checkpoint);
  const path = join(out, RUN_FILES.log);
  const log = started ? MetricsLog.resume(path, trainer.position) : MetricsLog.create(path);
  const seconds: Record<string, number> = {};
  const timed = <T>(name: string, work: () => T): T => {
    const start = performance.now();
    const result = work();
    seconds[name] = (seconds[name] ?? 0) + (performance.now() - start) / 1000;
    return result;
  };
  const judge = (): void => {
    const { stage, step } = trainer.position;
    const name = EVALUATIONS[(stage === 'done' ? STAGES.length : STAGES.indexOf(stage)) - 1];
    if (name === undefined || step > 0 || log.evaluation(name) !== undefined) return;
    const record = timed('evaluation', () => ({
      evaluation: name,
      sampled: trainer.evaluate('sampled'),
      greedy: trainer.evaluate('greedy'),
    }));
    log.append(record);
    onEvaluation?.(record);
  };
  try {
    judge();
    for (let done = 0; trainer.position.stage !== 'done' && done < maxSteps; done++) {
      const { stage } = trainer.position;
      const record = timed(stage, () => trainer.step());
      log.append(record);
      onStep?.(record);
      judge();
      if (trainer.position.stage !== stage || (record.step + 1) % checkpointEvery === 0) trainer.save(checkpoint);
      // Lets timers, signals and progress have their turn.
      await setImmediate();
    }
    if (trainer.position.stage !== 'done') trainer.save(checkpoint);
  } finally {
    log.close();
  }
  const evaluations = Object.fromEntries(
    EVALUATIONS.flatMap((name) => {
      const record = log.evaluation(name);
      return record === undefined ? [] : [[name, record]];
    }),
  );
  const steps = log.records.filter((record): record is StepRecord => !('evaluation' in record));
  return { steps, evaluations, finished: trainer.position.stage === 'done', seconds };
}
