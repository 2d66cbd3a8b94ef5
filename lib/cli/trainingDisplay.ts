import { SingleBar } from 'cli-progress';
import pc from 'picocolors';
import type { EvaluationStats, EvaluationSummary } from '../evaluation/summary.js';
import type { RunReport } from '../report/run.js';
import type { EvaluationRecord } from '../training/log.js';
import type { Stage, StepRecord } from '../training/records.js';

const STAGE_TITLES: Record<Stage, string> = {
  skill: 'warm start: skill',
  habit: 'warm start: weak habits',
  grpo: 'GRPO',
};
const EVALUATION_TITLES = { ceiling: 'skill ceiling', base: 'base policy', final: 'after training' } as const;
const PLAIN_INTERVAL_MS = 5000;

/** Live progress of a training run on stderr: one bar a stage on a terminal, a line every few seconds elsewhere. */
export class TrainingDisplay {
  #bar: SingleBar | undefined;
  #stage: Stage | undefined;
  #shown = 0;

  constructor(
    private readonly steps: Readonly<Record<Stage, number>>,
    private readonly quiet: boolean,
  ) {}

  readonly onStep = (record: StepRecord): void => {
    if (this.quiet) return;
    const { stage, step } = record;
    const figures =
      record.stage === 'grpo'
        ? `reward ${percent(record.reward)}  ${record.tokens.toFixed(1)} tokens  ${percent(record.zeroVariance)} of groups flat`
        : `loss ${record.loss.toFixed(3)}`;
    if (process.stderr.isTTY) this.#drawBar(stage, step, figures);
    else this.#printLine(stage, step, figures);
  };

  readonly onEvaluation = ({ evaluation, sampled, greedy }: EvaluationRecord): void => {
    this.stop();
    if (this.quiet) return;
    const { passAt1, passAtK, format } = sampled.all;
    const many = passAtK === undefined ? '' : `, pass@${passAtK.k} ${percent(passAtK.value)}`;
    this.say(
      `${EVALUATION_TITLES[evaluation]}: pass@1 ${percent(passAt1.value)}${many}, greedy ${percent(
        greedy.all.passAt1.value,
      )}, format ${percent(format)} (${sampled.all.questions} held-out questions)`,
    );
  };

  /** A line for people. */
  say(text: string): void {
    if (!this.quiet) process.stderr.write(`${text}\n`);
  }

  /** Ends the bar at hand, as before other output. */
  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
    this.#stage = undefined;
  }

  #drawBar(stage: Stage, step: number, figures: string): void {
    if (this.#stage !== stage) {
      this.stop();
      const format = `${STAGE_TITLES[stage].padEnd(24)}{bar} {value}/{total}  {figures}`;
      this.#bar = new SingleBar({ format, stream: process.stderr, hideCursor: true, barsize: 24 });
      this.#bar.start(this.steps[stage], step, { figures });
      this.#stage = stage;
    }
    this.#bar?.update(step + 1, { figures });
  }

  #printLine(stage: Stage, step: number, figures: string): void {
    const last = step + 1 === this.steps[stage];
    const now = Date.now();
    if (!last && now - this.#shown < PLAIN_INTERVAL_MS) return;
    this.#shown = now;
    process.stderr.write(`${STAGE_TITLES[stage]} ${step + 1}/${this.steps[stage]}: ${figures}\n`);
  }
}

/** The table of what changed, for the terminal. */
export function changeTable({ evaluations: { ceiling, base, final } }: RunReport): string {
  const parts = ({ all, domain, form, subject }: EvaluationSummary): [string, EvaluationStats][] => [
    ['all questions', all],
    ...Object.entries(domain),
    ...Object.entries(form),
    ...Object.entries(subject),
  ];
  const before = new Map(parts(base.sampled));
  const limits = new Map(ceiling === undefined ? [] : parts(ceiling.sampled));
  const rows = parts(final.sampled).map(([part, after]) => {
    const old = before.get(part);
    return [
      part,
      percent(limits.get(part)?.passAt1.value),
      percent(old?.passAt1.value),
      percent(after.passAt1.value),
      `${percent(old?.passAtK?.value)} → ${percent(after.passAtK?.value)}`,
      `${old?.tokensCorrect?.toFixed(1) ?? '–'} → ${after.tokensCorrect?.toFixed(1) ?? '–'}`,
    ];
  });
  const k = final.sampled.all.passAtK?.k ?? 8;
  const head = ['', 'ceiling', 'base', 'after', `pass@${k}`, 'tokens of correct answers'];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('   ');
  return [pc.bold(line(head)), ...rows.map(line)].join('\n');
}

export function percent(value: number | undefined): string {
  return value === undefined ? '–' : `${(100 * value).toFixed(1)} %`;
}
