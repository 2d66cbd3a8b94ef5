import { resolveSettings, type VerifySettings } from './settings.js';
import { fromParts } from './target.js';
import type { Verdict } from './verdict.js';
import { verifyTarget } from './verify.js';
import type { VerifyRow } from './row.js';

/** A stored rollout whose verdict differs between two settings. */
export interface Change {
  readonly id: string | number | null;
  readonly before: Verdict;
  readonly after: Verdict;
}

/** What re-judging stored rollouts shows: counts of (before, after) accuracy, and the rows that changed. */
export interface Comparison {
  readonly rows: number;
  readonly bothRight: number;
  readonly bothWrong: number;
  /** Right before, wrong after. */
  readonly lost: number;
  /** Wrong before, right after: false negatives of the first settings, if the second are right. */
  readonly gained: number;
  /** Unscorable under either. */
  readonly unscorable: number;
  readonly changes: readonly Change[];
}

/** Judges rows twice, with `before` and with `after` under each row's own settings, and reports what changed. */
export function compareSettings(rows: Iterable<VerifyRow>, before: VerifySettings, after: VerifySettings): Comparison {
  const tally = { rows: 0, bothRight: 0, bothWrong: 0, lost: 0, gained: 0, unscorable: 0 };
  const changes: Change[] = [];
  for (const row of rows) {
    const pair = compareRow(row, before, after);
    tally.rows++;
    const [x, y] = [pair.before.accuracy, pair.after.accuracy];
    if (Number.isNaN(x) || Number.isNaN(y)) tally.unscorable++;
    else if (x === y) tally[x === 1 ? 'bothRight' : 'bothWrong']++;
    else tally[x === 1 ? 'lost' : 'gained']++;
    if (!Object.is(x, y) || pair.before.format !== pair.after.format) changes.push(pair);
  }
  return { ...tally, changes };
}

/** One row under two settings. */
export function compareRow(row: VerifyRow, before: VerifySettings, after: VerifySettings): Change {
  const target = fromParts(row.gold ?? '', row.options, row.form);
  const judge = (settings: VerifySettings): Verdict =>
    verifyTarget(row.response, target, resolveSettings({ ...settings, ...row.settings }));
  return { id: row.id, before: judge(before), after: judge(after) };
}
