import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { EvaluationSummary } from '../evaluation/summary.js';
import type { TrainingPosition } from './checkpoint.js';
import { STAGES, type StepRecord } from './records.js';

/** Points of a run at which the policy is judged: the skill before it was weakened, the base policy, the result. */
export const EVALUATIONS = ['ceiling', 'base', 'final'] as const;
export type EvaluationName = (typeof EVALUATIONS)[number];

export interface EvaluationRecord {
  readonly evaluation: EvaluationName;
  /** Samples at temperature 1. */
  readonly sampled: EvaluationSummary;
  /** One greedy answer per question. */
  readonly greedy: EvaluationSummary;
}

export type LogRecord = StepRecord | EvaluationRecord;

/** The metrics log: one JSON object a line, appended as the run goes. */
export class MetricsLog {
  readonly #handle: number;
  /** Every record so far, those read on resuming included. */
  readonly records: LogRecord[];

  private constructor(path: string, records: LogRecord[]) {
    this.records = records;
    mkdirSync(dirname(path), { recursive: true });
    const temporary = `${path}.tmp`;
    writeFileSync(temporary, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    renameSync(temporary, path);
    this.#handle = openSync(path, 'a');
  }

  /** Starts a log anew. */
  static create(path: string): MetricsLog {
    return new MetricsLog(path, []);
  }

  /** Goes on with a log from a checkpoint: what was logged after it is dropped, for it will be done again. */
  static resume(path: string, position: TrainingPosition): MetricsLog {
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
    const records = lines.flatMap((line) => {
      const record = parseLine(line);
      return record !== undefined && isBefore(record, position) ? [record] : [];
    });
    return new MetricsLog(path, records);
  }

  append(record: LogRecord): void {
    this.records.push(record);
    writeSync(this.#handle, `${JSON.stringify(record)}\n`);
  }

  evaluation(name: EvaluationName): EvaluationRecord | undefined {
    return this.records.find((record) => 'evaluation' in record && record.evaluation === name) as
      EvaluationRecord | undefined;
  }

  close(): void {
    closeSync(this.#handle);
  }
}

/** A record, or undefined for the half line that a killed run may leave. */
function parseLine(line: string): LogRecord | undefined {
  if (!line.endsWith('}')) return undefined;
  try {
    return JSON.parse(line) as LogRecord;
  } catch {
    return undefined;
  }
}

function isBefore(record: LogRecord, { stage, step }: TrainingPosition): boolean {
  const now = stage === 'done' ? STAGES.length : STAGES.indexOf(stage);
  if ('evaluation' in record) return EVALUATIONS.indexOf(record.evaluation) < now;
  const then = STAGES.indexOf(record.stage);
  return then < now || (then === now && record.step < step);
}
