import type { Estimate } from '../evaluation/estimate.js';
import type { EvaluationStats, EvaluationSummary } from '../evaluation/summary.js';
import type { Figure } from './figures.js';
import { STYLE } from './style.js';
import type { RunReport } from './run.js';

/** Escapes text for HTML. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** One static page: no scripts, nothing loaded from anywhere. */
export function renderPage(run: RunReport, figures: readonly Figure[]): string {
  const title = run.control === 'none' ? 'CrossThink: a policy before and after GRPO' : 'CrossThink: control run';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${lead(run)}
${headline(run)}
${figures.map(figureHtml).join('\n')}
<h2>Numbers</h2>
${numbers(run)}
<h2>What this shows, and what it does not</h2>
${honesty(run)}
<h2>The run</h2>
${details(run)}
</main>
</body>
</html>
`;
}

function lead({ control, questions, policy, grpo }: RunReport): string {
  const size = `${(policy.parameters / 1e6).toFixed(2)} million parameters`;
  const rewards =
    control === 'none'
      ? 'Each answer earns 1 where its final answer is right and its format is kept, else 0.'
      : '<strong>Control: the rewards of each step were dealt out at random among its answers, so there is nothing to learn.</strong>';
  return `<p class="lead">A transformer of ${size} answers questions of ${
    Object.keys(questions.perSubject).length
  } subjects. ${grpo.length} GRPO steps followed a warm start by worked solutions, whose habits a simulated weak annotator
had then spoilt. ${rewards} ${questions.test.toLocaleString('en')} of ${questions.accepted.toLocaleString(
    'en',
  )} questions were held out by a hash of their text and never trained on.</p>`;
}

function headline({ evaluations: { ceiling, base, final } }: RunReport): string {
  const card = (label: string, stats: EvaluationStats | undefined): string =>
    stats === undefined
      ? ''
      : `<div class="card"><span>${label}</span><strong>${share(stats.passAt1.value)}</strong><span>pass@1${
          stats.passAtK === undefined ? '' : `, pass@${stats.passAtK.k} ${share(stats.passAtK.value)}`
        }</span></div>`;
  return `<div class="cards">${card('skill ceiling', ceiling?.sampled.all)}${card('base policy', base.sampled.all)}${card(
    'after GRPO',
    final.sampled.all,
  )}</div>`;
}

function figureHtml({ title, caption, svg }: Figure): string {
  return `<figure>\n<h2>${escapeHtml(title)}</h2>\n${svg}\n<figcaption>${caption}</figcaption>\n</figure>`;
}

/** `61.3 %`, or `61.3 % (58.0–64.6)` with an interval; a dash where there is none. */
export function share(value: number | undefined, interval?: Estimate): string {
  if (value === undefined) return '–';
  const percent = (x: number): string => (100 * Math.min(1, Math.max(0, x))).toFixed(1);
  return `${percent(value)} %${interval === undefined ? '' : ` <small>(${percent(interval.low)}–${percent(interval.high)})</small>`}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  return `<div class="scroll"><table>\n<thead>${line(head, 'th')}</thead>\n<tbody>\n${rows
    .map((row) => line(row, 'td'))
    .join('\n')}\n</tbody></table></div>`;
}

function numbers({ evaluations: { ceiling, base, final } }: RunReport): string {
  const parts = ({ all, domain, form, subject }: EvaluationSummary): Map<string, EvaluationStats> =>
    new Map([['all questions', all], ...Object.entries({ ...domain, ...form, ...subject })]);
  const limits = ceiling === undefined ? undefined : parts(ceiling.sampled);
  const before = parts(base.sampled);
  const [greedyBefore, greedyAfter] = [parts(base.greedy), parts(final.greedy)];
  const after = [...parts(final.sampled)];
  const first = after.map(([part, stats]) => {
    const old = before.get(part);
    return [
      escapeHtml(part),
      String(stats.questions),
      share(limits?.get(part)?.passAt1.value),
      share(old?.passAt1.value, old?.passAt1),
      share(stats.passAt1.value, stats.passAt1),
    ];
  });
  const second = after.map(([part, stats]) => {
    const old = before.get(part);
    const change = (of: (stats: EvaluationStats) => string): string =>
      `${old === undefined ? '–' : of(old)} → ${of(stats)}`;
    return [
      escapeHtml(part),
      change(({ passAtK }) => share(passAtK?.value)),
      `${share(greedyBefore.get(part)?.passAt1.value)} → ${share(greedyAfter.get(part)?.passAt1.value)}`,
      change(({ format }) => share(format)),
      change(({ tokensCorrect }) => tokensCorrect?.toFixed(1) ?? '–'),
    ];
  });
  const k = final.sampled.all.passAtK?.k ?? 8;
  return `<p>pass@1 at temperature 1, with 95 % intervals over questions:</p>
${table(['', 'questions', 'ceiling', 'base', 'after'], first)}
<p>Base policy → after:</p>
${table(['', `pass@${k}`, 'greedy', 'format', 'tokens of correct answers'], second)}`;
}

function honesty({ policy, evaluations: { base, final }, control }: RunReport): string {
  const open = base.sampled.form['open-ended']?.passAtK;
  const already =
    open === undefined
      ? ''
      : ` ${open.k} samples of the base policy already solved ${share(open.value)} of the open-ended questions. (Of
multiple-choice pass@${open.k} says little: ${open.k} guesses among four options hit in ${share(1 - 0.75 ** open.k)} of all cases,
and a base near 25 % is guessing.)`;
  const elicited =
    control === 'none'
      ? `<li>Reinforcement learning here mostly brings back a skill the warm start had taught and a weak annotator had
hidden.${already} It is elicitation; a little is new where a subject ends above its ceiling.</li>`
      : `<li>Rewards were shuffled. pass@1 went from ${share(base.sampled.all.passAt1.value)} to ${share(
          final.sampled.all.passAt1.value,
        )}: without a true signal the same machinery does not raise it.</li>`;
  return `<ul>
${elicited}
<li>A policy of ${(policy.parameters / 1e6).toFixed(2)} million parameters shows that the whole path works: questions,
filters, blend, sampling, rewards, advantages, loss and gradients. It says nothing about language models, about transfer
between domains at scale, or about which blend is best: those need a pretrained model and real benchmarks.</li>
<li>Knowledge questions test recall of taught facts in wordings that were not trained for them; they do not test
knowledge the policy was never shown.</li>
<li>One run with one seed. The intervals cover the choice of held-out questions, not the luck of training.</li>
</ul>`;
}

function details(run: RunReport): string {
  const { questions, policy, machine, seconds, maxRssMiB, seed, version } = run;
  const dropped = Object.entries(questions.dropped)
    .map(([reason, count]) => `${count} ${reason}`)
    .join(', ');
  const spent = Object.entries(seconds)
    .map(([stage, value]) => `${stage} ${value.toFixed(1)} s`)
    .join(', ');
  const rows = [
    [
      'questions',
      `${questions.rows} rows, ${questions.accepted} accepted; dropped: ${dropped === '' ? 'none' : dropped}`,
    ],
    ['split', `${questions.train} train, ${questions.test} test`],
    [
      'policy',
      `${policy.parameters} parameters: ${policy.layers} layers of width ${policy.width}, ${policy.vocabulary} tokens`,
    ],
    ['seed', String(seed)],
    ['machine', `${machine.isa}, ${machine.threads} threads, Node.js ${machine.node}`],
    ['time', spent],
    ['memory', `${Math.round(maxRssMiB)} MiB at most`],
    ['crossthink', version],
  ].map(([name = '', value = '']) => [escapeHtml(name), escapeHtml(value)]);
  return `${table(['', ''], rows)}
<details><summary>All settings</summary><pre>${escapeHtml(JSON.stringify(run.settings, null, 2))}</pre></details>`;
}
