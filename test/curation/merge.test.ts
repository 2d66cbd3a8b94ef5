import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { curate, CURATED_FILES } from '../../lib/curation/curate.js';
import { hasDuckDb } from '../../lib/curation/duckdbJoin.js';
import { mergeShards } from '../../lib/curation/merge.js';
import { type CuratePlan, makePlan, type PlanOptions } from '../../lib/curation/plan.js';
import { temporaryFolder } from '../data/fixtures.js';

const folder = temporaryFolder();
const at = (...parts: string[]): string => join(folder.path, ...parts);

/** Several stripes of rows: every third repeats an earlier one of another stripe, in other case and spacing. */
const rows = Array.from({ length: 5000 }, (_, i) => {
  const n = i % 3 === 0 ? Math.floor(i / 5) : i;
  const question = `How many stones has heap number ${n} of the ${n % 7} heaps by the river?`;
  return JSON.stringify({ question: i % 2 === 0 ? question : question.toUpperCase(), answer: `so\n#### ${n}` });
});
const files = [
  folder.write('first.jsonl', `${rows.slice(0, 3000).join('\n')}\n{"question": broken\n`),
  folder.write('second.jsonl', rows.slice(3000).join('\n')),
];
const planOf = (options: PlanOptions): CuratePlan =>
  makePlan(
    files.map((file) => ({ file, adapter: 'gsm8k' })),
    options,
  );

async function shardsOf(plan: CuratePlan, name: string): Promise<string[]> {
  const dirs = [0, 1, 2].map((index) => at(name, String(index)));
  for (const [index, dir] of dirs.entries()) await curate({ ...plan, shard: { index, count: 3 } }, dir);
  return dirs;
}

const bytesOf = (dir: string): Record<string, string> =>
  Object.fromEntries(
    [...Object.values(CURATED_FILES), 'questions.parquet'].map((name) => [name, readFileSync(join(dir, name), 'hex')]),
  );

describe('merge by a join in DuckDB', () => {
  it('writes the bytes of a single run, as the index in memory does, and leaves nothing behind', async () => {
    if (!hasDuckDb()) {
      console.warn('skipped: @duckdb/node-api is not installed');
      return;
    }
    const plan = planOf({ duplicates: 'exact' });
    const dirs = await shardsOf(plan, 'exact');
    await curate(plan, at('whole'), { parquet: true });
    const summary = await mergeShards(dirs, at('duckdb'), { parquet: true, join: 'duckdb' });
    await mergeShards(dirs, at('memory'), { parquet: true, join: 'memory' });
    expect(summary.reasons['duplicate']).toBeGreaterThan(1000);
    expect(bytesOf(at('duckdb'))).toEqual(bytesOf(at('whole')));
    expect(bytesOf(at('memory'))).toEqual(bytesOf(at('whole')));
    expect(readdirSync(at('duckdb')).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('is refused for near duplicates, which no join finds', async () => {
    const dirs = await shardsOf(planOf({ duplicates: 'near' }), 'near');
    await expect(mergeShards(dirs, at('x'), { join: 'duckdb' })).rejects.toThrow(/near duplicates/);
  });

  it('is not asked where duplicates are kept', async () => {
    const plan = planOf({ duplicates: 'keep' });
    const merged = await mergeShards(await shardsOf(plan, 'keep'), at('kept'), { join: 'duckdb' });
    expect(merged).toMatchObject({ rows: 5001, accepted: 5000 });
  });
});
