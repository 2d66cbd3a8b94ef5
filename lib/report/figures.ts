import type * as Plot from '@observablehq/plot' with { 'resolution-mode': 'import' };
import { CrossThinkError } from '../errors.js';
import type { EvaluationStats } from '../evaluation/summary.js';
import type { GrpoRecord } from '../training/records.js';
import type { MixRow, RunReport } from './run.js';

/** A figure of the report: inline SVG and what it says. */
export interface Figure {
  readonly title: string;
  readonly caption: string;
  readonly svg: string;
}

type PlotModule = typeof Plot;
type Draw = (options: Plot.PlotOptions) => string;

/** What is used of a drawn element; the DOM's own types are not those of Node.js. */
interface DrawnElement {
  setAttribute(name: string, value: string): void;
  readonly outerHTML: string;
}

// Colours are the page's custom properties, so that one SVG reads on light and dark ground.
const INK = { main: 'var(--series-1)', second: 'var(--series-2)', faint: 'var(--faint)' };
const WIDTH = 660;

/** Draws the figures of a run. Throws `ERR_MISSING_PEER` where the drawing libraries are not installed. */
export async function drawFigures(run: RunReport): Promise<Figure[]> {
  const { plot, draw } = await loadPlot();
  return [
    accuracyFigure(plot, draw, run),
    rewardFigure(plot, draw, run.grpo),
    lengthFigure(plot, draw, run.grpo),
    groupsFigure(plot, draw, run.grpo),
    mixFigure(plot, draw, run.mix),
    warmStartFigure(plot, draw, run),
  ];
}

/** Throws `ERR_MISSING_PEER` where the drawing libraries are not installed: asked before a long run, not after it. */
export async function requireFigures(): Promise<void> {
  await loadPlot();
}

async function loadPlot(): Promise<{ plot: PlotModule; draw: Draw }> {
  try {
    const [plot, linkedom] = await Promise.all([import('@observablehq/plot'), import('linkedom')]);
    const parse = linkedom.parseHTML as unknown as (html: string) => { document: object };
    const render = plot.plot as unknown as (options: object) => DrawnElement;
    const { document } = parse('<!doctype html><html><body></body></html>');
    const draw: Draw = (options) => {
      const style = { background: 'none', fontSize: '12px' };
      const svg = render({ width: WIDTH, marginTop: 28, marginBottom: 42, style, ...options, document });
      svg.setAttribute('role', 'img');
      svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
      return svg.outerHTML;
    };
    return { plot, draw };
  } catch (cause) {
    const message =
      'figures need @observablehq/plot and linkedom. Install them: npm install @observablehq/plot linkedom';
    throw new CrossThinkError('ERR_MISSING_PEER', message, { cause });
  }
}

const percent = { tickFormat: (value: number): string => `${Math.round(value * 100)} %` };

function accuracyFigure(plot: PlotModule, draw: Draw, { evaluations, control }: RunReport): Figure {
  const { ceiling, base, final } = evaluations;
  const parts = (
    of: { all: EvaluationStats } & Record<'domain' | 'form' | 'subject', Record<string, EvaluationStats>>,
  ) => ({
    'all questions': of.all,
    ...of.form,
    ...of.domain,
    ...of.subject,
  });
  const rows = [
    ...Object.entries(parts(base.sampled)).map(([part, stats]) => ({ part, stage: 'base', ...stats.passAt1 })),
    ...Object.entries(parts(final.sampled)).map(([part, stats]) => ({ part, stage: 'after GRPO', ...stats.passAt1 })),
  ];
  const limits =
    ceiling === undefined
      ? []
      : Object.entries(parts(ceiling.sampled)).map(([part, stats]) => ({ part, value: stats.passAt1.value }));
  const order = Object.keys(parts(base.sampled));
  const colour = (row: { stage: string }): string => (row.stage === 'base' ? INK.second : INK.main);
  const svg = draw({
    marginLeft: 120,
    height: 24 * order.length + 60,
    x: { domain: [0, 1], label: 'pass@1 at temperature 1', ...percent, grid: true },
    y: { domain: order, label: null },
    marks: [
      plot.tickX(limits, { x: 'value', y: 'part', stroke: INK.faint, strokeWidth: 3, inset: 5 }),
      plot.ruleY(rows, { x1: 'low', x2: 'high', y: 'part', stroke: colour, strokeWidth: 2 }),
      plot.dot(rows, { x: 'value', y: 'part', fill: colour, r: 4.5 }),
    ],
  });
  return {
    title: 'Accuracy before and after',
    caption: `Held-out questions. <span class="key k2"></span> base policy, <span class="key k1"></span> after ${
      control === 'none' ? 'GRPO' : 'GRPO on shuffled rewards'
    }, <span class="key kf"></span> skill before the warm start was weakened. Lines: 95 % intervals over questions.`,
    svg,
  };
}

/** Mean over a window around each step. */
function smooth(
  steps: readonly GrpoRecord[],
  of: (record: GrpoRecord) => number | null,
): { step: number; value: number }[] {
  const half = 4;
  return steps.map(({ step }, i) => {
    const near = steps.slice(Math.max(0, i - half), i + half + 1).map(of);
    const known = near.filter((value) => value !== null);
    return { step: step + 1, value: known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length) };
  });
}

function rewardFigure(plot: PlotModule, draw: Draw, steps: readonly GrpoRecord[]): Figure {
  const points = steps.map(({ step, reward }) => ({ step: step + 1, reward }));
  const heldOut = steps.flatMap(({ step, heldOut: value }) => (value === undefined ? [] : [{ step: step + 1, value }]));
  const svg = draw({
    height: 280,
    x: { label: 'GRPO step' },
    y: { domain: [0, 1], label: 'mean reward', ...percent, grid: true },
    marks: [
      plot.dot(points, { x: 'step', y: 'reward', fill: INK.main, fillOpacity: 0.35, r: 1.8 }),
      plot.line(
        smooth(steps, ({ reward }) => reward),
        { x: 'step', y: 'value', stroke: INK.main, strokeWidth: 2 },
      ),
      plot.line(heldOut, { x: 'step', y: 'value', stroke: INK.second, strokeWidth: 2 }),
      plot.dot(heldOut, { x: 'step', y: 'value', fill: INK.second, r: 3.5 }),
    ],
  });
  return {
    title: 'Reward',
    caption:
      'Mean reward (right answer and right format) of <span class="key k1"></span> the sampled training answers, smoothed over nine steps, and <span class="key k2"></span> one answer each to a small set of held-out questions.',
    svg,
  };
}

function lengthFigure(plot: PlotModule, draw: Draw, steps: readonly GrpoRecord[]): Figure {
  const svg = draw({
    height: 240,
    x: { label: 'GRPO step' },
    y: { label: 'tokens per answer', grid: true, zero: true },
    marks: [
      plot.line(
        smooth(steps, ({ tokens }) => tokens),
        { x: 'step', y: 'value', stroke: INK.main, strokeWidth: 2 },
      ),
      plot.line(
        smooth(steps, ({ tokensCorrect }) => tokensCorrect),
        { x: 'step', y: 'value', stroke: INK.second, strokeWidth: 2 },
      ),
    ],
  });
  return {
    title: 'Response length',
    caption:
      'Mean tokens of <span class="key k1"></span> all sampled answers and <span class="key k2"></span> the rewarded ones. It grows where the policy takes up its worked steps again.',
    svg,
  };
}

function groupsFigure(plot: PlotModule, draw: Draw, steps: readonly GrpoRecord[]): Figure {
  const parts = [
    ...smooth(steps, ({ allRight }) => allRight).map((point) => ({ ...point, part: 'all right' })),
    ...smooth(steps, ({ allWrong }) => allWrong).map((point) => ({ ...point, part: 'all wrong' })),
  ];
  const svg = draw({
    height: 240,
    x: { label: 'GRPO step' },
    y: { domain: [0, 1], label: 'share of groups', ...percent, grid: true },
    color: { domain: ['all right', 'all wrong'], range: [INK.main, INK.second] },
    marks: [plot.areaY(parts, { x: 'step', y: 'value', fill: 'part', fillOpacity: 0.75 })],
  });
  return {
    title: 'Groups without a signal',
    caption:
      'Groups whose rewards are all equal have zero advantage and teach nothing: <span class="key k1"></span> every answer right, <span class="key k2"></span> every answer wrong. They are left out of the step and counted.',
    svg,
  };
}

function mixFigure(plot: PlotModule, draw: Draw, mix: readonly MixRow[]): Figure {
  const fill = ({ domain }: MixRow): string => (domain === 'math' ? INK.second : INK.main);
  const svg = draw({
    marginLeft: 190,
    height: 20 * mix.length + 50,
    x: { label: 'share of prompts', grid: true, tickFormat: (value: number) => `${(value * 100).toFixed(0)} %` },
    y: { domain: mix.map(({ source }) => source), label: null },
    marks: [
      plot.barX(mix, { x: 'achieved', y: 'source', fill, fillOpacity: 0.8, insetTop: 3, insetBottom: 3 }),
      plot.tickX(mix, { x: 'asked', y: 'source', stroke: 'currentColor', strokeWidth: 2 }),
    ],
  });
  return {
    title: 'Mix asked and achieved',
    caption:
      'Prompts of the GRPO stage by source: bars are what was drawn (<span class="key k1"></span> general, <span class="key k2"></span> mathematics), ticks what the blend asked for.',
    svg,
  };
}

function warmStartFigure(plot: PlotModule, draw: Draw, { supervised }: RunReport): Figure {
  const skill = supervised.filter(({ stage }) => stage === 'skill').length;
  const points = supervised.map(({ stage, step, loss }) => ({
    step: step + 1 + (stage === 'habit' ? skill : 0),
    loss,
    stage,
  }));
  const svg = draw({
    height: 220,
    x: { label: 'warm-start step' },
    y: { label: 'loss (nats per token)', type: 'log', grid: true, ticks: 5, tickFormat: '~g' },
    marks: [
      plot.line(points, {
        x: 'step',
        y: 'loss',
        z: 'stage',
        stroke: ({ stage }: { stage: string }) => (stage === 'habit' ? INK.second : INK.main),
        strokeWidth: 1.2,
      }),
    ],
  });
  return {
    title: 'Warm start',
    caption:
      'Loss of <span class="key k1"></span> the clean worked solutions that teach the skill and <span class="key k2"></span> the weak annotator that spoils the habit: the base policy comes out of the latter.',
    svg,
  };
}
