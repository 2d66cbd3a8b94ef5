import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { curateFiles } from '../../lib/curation/curate.js';
import type { LedgerEntry } from '../../lib/data/ledger.js';
import type { Question } from '../../lib/data/question.js';
import { temporaryFolder } from './fixtures.js';
import type { Upstream } from './upstreamCase.js';
import { CHOICE_FILES } from './upstreamCases.choice.js';
import { OPEN_FILES } from './upstreamCases.open.js';
import { TASK_FILES } from './upstreamCases.tasks.js';

const folder = temporaryFolder();

function linesOf<T>(file: string): T[] {
  const text = readFileSync(file, 'utf8').trim();
  return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as T);
}

/** The outcome as the tables write it. */
function shown({ options, answer }: Question, expected = ''): string {
  if (options === undefined) return `${answer.type}:${[answer.value, ...(answer.alternatives ?? [])].join('|')}`;
  const gold = options.find(({ label }) => label === answer.value);
  return `${expected.startsWith('=') ? `=${gold?.text}` : answer.value}/${options.length}`;
}

describe('files in the fields of public data sets', () => {
  it.each([...CHOICE_FILES, ...OPEN_FILES, ...TASK_FILES].map((entry): [string, Upstream] => [entry[0], entry]))(
    '%s',
    async (_, [, name, content, adapter, outcomes, question]) => {
      const lines = (rows: readonly unknown[]): string => rows.map((row) => JSON.stringify(row)).join('\n');
      const text = Array.isArray(content) && !name.endsWith('.json') ? lines(content) : JSON.stringify(content);
      const file = folder.write(basename(name), typeof content === 'string' ? content : text);
      const out = join(folder.path, 'out');
      const summary = await curateFiles([file], out, { fresh: true, filters: [] });
      const questions = linesOf<Question>(join(out, 'questions.jsonl'));
      const ledger = linesOf<LedgerEntry>(join(out, 'ledger.jsonl'));
      const accepted = outcomes.filter((outcome) => !outcome.startsWith('!'));
      expect(questions.map((one, i) => shown(one, accepted[i]))).toEqual(accepted);
      expect(ledger.map(({ reason }) => `!${reason}`)).toEqual(outcomes.filter((outcome) => outcome.startsWith('!')));
      if (adapter !== undefined) expect(summary.inputs[0]?.adapter).toBe(adapter);
      if (question !== undefined) expect(questions[0]?.question).toBe(question);
    },
  );
});
