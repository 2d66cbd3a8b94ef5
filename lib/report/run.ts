import type { EvaluationSummary } from '../evaluation/summary.js';
import type { GrpoRecord, SupervisedRecord } from '../training/records.js';

/** One evaluation of a policy. */
export interface ReportedEvaluation {
  /** Samples at temperature 1. */
  readonly sampled: EvaluationSummary;
  /** One greedy answer per question. */
  readonly greedy: EvaluationSummary;
}

/** Asked and achieved share of one source of the blend, 0 to 1. */
export interface MixRow {
  readonly source: string;
  readonly domain: string;
  readonly asked: number;
  readonly achieved: number;
}

/** What a report shows; also the content of the metrics JSON. */
export interface RunReport {
  readonly version: string;
  readonly seed: number;
  /** What the rewards were: `none` for the run proper. */
  readonly control: 'none' | 'shuffled-rewards';
  readonly settings: Readonly<Record<string, unknown>>;
  readonly questions: {
    readonly rows: number;
    readonly accepted: number;
    readonly dropped: Readonly<Record<string, number>>;
    readonly train: number;
    readonly test: number;
    readonly perSubject: Readonly<Record<string, number>>;
  };
  readonly policy: {
    readonly parameters: number;
    readonly vocabulary: number;
    readonly width: number;
    readonly layers: number;
  };
  readonly evaluations: {
    /** After the clean warm start: the skill there is to recover. */
    readonly ceiling?: ReportedEvaluation;
    /** After the weak annotator: where reinforcement learning starts. */
    readonly base: ReportedEvaluation;
    readonly final: ReportedEvaluation;
  };
  readonly mix: readonly MixRow[];
  readonly supervised: readonly SupervisedRecord[];
  readonly grpo: readonly GrpoRecord[];
  readonly machine: { readonly isa: string; readonly threads: number; readonly node: string };
  readonly seconds: Readonly<Record<string, number>>;
  /** Largest resident memory of the process, MiB. */
  readonly maxRssMiB: number;
}
