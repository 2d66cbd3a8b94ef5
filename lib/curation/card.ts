import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { LedgerEntry } from '../data/ledger.js';
import type { Question } from '../data/question.js';
import type { CurateSummary } from './summary.js';

const EXAMPLES = 3;
const HEAD_BYTES = 256 * 1024;

/** The data-set card: what is in the folder, where it came from under which licence, what was dropped and why. */
export async function datasetCard(summary: CurateSummary, dir: string): Promise<string> {
  const questions = (await firstLines(join(dir, 'questions.jsonl'))) as Question[];
  const ledger = (await firstLines(join(dir, 'ledger.jsonl'))) as LedgerEntry[];
  const { plan } = summary;
  const share = summary.rows === 0 ? 0 : (100 * summary.accepted) / summary.rows;
  return [
    '# Curated questions',
    '',
    `${summary.accepted} questions of ${summary.rows} rows (${share.toFixed(1)} %); fingerprint \`${summary.fingerprint.slice(0, 16)}\`.`,
    '`questions.jsonl`: one question a line. `ledger.jsonl`: every other row, with its reason. `summary.json`: all counts.',
    '',
    '## Sources',
    '',
    table(
      ['file', 'adapter', 'licence', 'rows', 'accepted'],
      summary.inputs.map((i) => [basename(i.file), i.adapter, i.licence, String(i.rows), String(i.accepted)]),
    ),
    '',
    '## What was done',
    '',
    `- template: ${plan.template}; filters: ${plan.filters.map(({ name }) => name).join(', ') || 'none'}; duplicates: ${plan.duplicates}`,
    `- seed ${plan.seed}${plan.shard === undefined ? '' : `; shard ${plan.shard.index + 1} of ${plan.shard.count}`}`,
    '',
    '## Questions',
    '',
    ...(['domains', 'forms', 'sources', 'answerTypes'] as const).flatMap((name) => counted(name, summary[name])),
    '## Dropped rows',
    '',
    ...counted('reason', summary.reasons),
    ...ledger
      .slice(0, EXAMPLES)
      .map((entry) => `- row ${entry.row ?? '?'} of ${basename(entry.file ?? '')}: ${entry.reason}`),
    '',
    '## Examples',
    '',
    ...questions.slice(0, EXAMPLES).flatMap(example),
    '',
  ].join('\n');
}

function counted(name: string, counts: Record<string, number>): string[] {
  const rows = Object.entries(counts).map(([key, n]) => [key, String(n)]);
  return rows.length === 0 ? [] : [table([name, 'count'], rows), ''];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function example({ question, options = [], answer }: Question): string[] {
  const text = question.length > 300 ? `${question.slice(0, 300)} …` : question;
  const shown = [text, ...options.map(({ label, text: option }) => `${label}. ${option}`), `→ ${answer.value}`];
  return [
    ...shown
      .join('\n')
      .split('\n')
      .map((line) => `> ${line}  `),
    '',
  ];
}

/** The first whole lines of a JSONL file. */
async function firstLines(path: string): Promise<unknown[]> {
  const handle = await open(path);
  try {
    const buffer = Buffer.alloc(HEAD_BYTES);
    const { bytesRead } = await handle.read(buffer, 0, HEAD_BYTES, 0);
    const text = buffer.subarray(0, bytesRead).toString('utf8');
    const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
    return lines
      .slice(0, EXAMPLES)
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown);
  } finally {
    await handle.close();
  }
}
