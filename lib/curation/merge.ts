import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CrossThinkError, invalidValue } from '../errors.js';
import type { Question } from '../data/question.js';
import { AtomicFile } from '../data/writers/atomic.js';
import { datasetCard } from './card.js';
import { CURATED_FILES } from './curate.js';
import { DuckDbJoin, hasDuckDb } from './duckdbJoin.js';
import { type DuplicateFinder, DuplicateStage } from './duplicates.js';
import { ParquetOutput } from './parquetOutput.js';
import type { CuratePlan } from './plan.js';
import { keysOf, type EncodedQuestions, QuestionBatch } from './questionBatch.js';
import { before, ledgerRows, type Placed, questionBatches } from './shardRows.js';
import { countAccepted, countDropped, type CurateSummary, newCounts, summarise } from './summary.js';

/**
 * What finds duplicates over the whole: an index in memory (40 bytes a question, 170 with near duplicates), or a join in
 * DuckDB on disk, where duplicates are exact and the optional peer dependency `@duckdb/node-api` is installed. `auto`:
 * the join where there are more questions than `INDEX_LIMIT` and it can be had. All write the same bytes.
 */
export type MergeJoin = 'auto' | 'memory' | 'duckdb';

/** Questions up to which `auto` keeps their keys in memory: 1 GB of them. */
const INDEX_LIMIT = 25_000_000;

export interface MergeOptions {
  /** Write `questions.parquet` too. */
  readonly parquet?: boolean;
  /** Default `auto`. */
  readonly join?: MergeJoin;
}

/**
 * Joins the folders of all shards of one plan into what a single run would have written, byte for byte: rows in their
 * order, duplicates dropped over the whole. Throws where shards are missing, double or of different plans.
 */
export async function mergeShards(
  dirs: readonly string[],
  out: string,
  options: MergeOptions = {},
): Promise<CurateSummary> {
  const summaries = await Promise.all(dirs.map(readSummary));
  const plan = commonPlan(dirs, summaries);
  const files = summaries[0]?.inputs.map(({ file }) => file) ?? [];
  const finder = await finderOf(dirs, files, plan, out, options.join ?? 'auto', summaries);
  try {
    return await mergeInto(out, { dirs, files, plan, finder, summaries, parquet: options.parquet === true });
  } finally {
    if (finder instanceof DuckDbJoin) await finder.close();
  }
}

interface Merge {
  readonly dirs: readonly string[];
  readonly files: readonly string[];
  readonly plan: CuratePlan;
  readonly finder: DuplicateFinder;
  readonly summaries: readonly CurateSummary[];
  readonly parquet: boolean;
}

async function mergeInto(out: string, merge: Merge): Promise<CurateSummary> {
  const { dirs, files, plan, finder, summaries } = merge;
  const counts = newCounts();
  const questionsFile = await AtomicFile.create(join(out, CURATED_FILES.questions));
  const ledgerFile = await AtomicFile.create(join(out, CURATED_FILES.ledger));
  const perInput = files.map(() => ({ rows: 0, accepted: 0 }));
  const note = (input: number, accepted: boolean): void => {
    const entry = perInput[input];
    if (entry === undefined) return;
    entry.rows++;
    if (accepted) entry.accepted++;
  };
  const drops = ledgerRows(dirs, files);
  let waiting = await drops.next();
  const passDrops = async (until: Placed<unknown> | undefined): Promise<void> => {
    while (waiting.done !== true && (until === undefined || !before(until, waiting.value))) {
      const { line, input, value } = waiting.value;
      countDropped(counts, value.reason);
      note(input, false);
      await ledgerFile.write(`${line}\n`);
      waiting = await drops.next();
    }
  };

  const parquet = merge.parquet ? await ParquetOutput.create(out) : undefined;
  for await (const rows of questionBatches(dirs, files)) {
    const questions = await encoded(rows, plan);
    const repeated = await finder.check(questions);
    countAccepted(counts, questions, repeated);
    const kept: string[] = [];
    for (const [i, placed] of rows.entries()) {
      await passDrops(placed);
      const entry = repeated.get(i);
      note(placed.input, entry === undefined);
      if (entry === undefined) kept.push(placed.line, '\n');
      else {
        countDropped(counts, entry.reason);
        await ledgerFile.write(`${JSON.stringify(entry)}\n`);
      }
    }
    await questionsFile.write(kept.join(''));
    await parquet?.write(Buffer.from(kept.join('')));
  }
  await passDrops(undefined);

  counts.inputs = (summaries[0]?.inputs ?? []).map((input, i) => ({ ...input, ...perInput[i] }));
  const summary = summarise(counts, plan);
  await questionsFile.commit();
  await parquet?.commit();
  await ledgerFile.commit();
  const card = await AtomicFile.create(join(out, CURATED_FILES.card));
  await card.write(await datasetCard(summary, out));
  await card.commit();
  const summaryFile = await AtomicFile.create(join(out, CURATED_FILES.summary));
  await summaryFile.write(`${JSON.stringify(summary, null, 2)}\n`);
  await summaryFile.commit();
  return summary;
}

async function finderOf(
  dirs: readonly string[],
  files: readonly string[],
  plan: CuratePlan,
  out: string,
  how: MergeJoin,
  summaries: readonly CurateSummary[],
): Promise<DuplicateFinder> {
  if (how === 'duckdb' && plan.duplicates === 'near') {
    throw invalidValue('--join', 'memory or auto for near duplicates: no join finds them', how);
  }
  const questions = summaries.reduce((sum, { accepted }) => sum + accepted, 0);
  const large = how === 'auto' && plan.duplicates === 'exact' && questions > INDEX_LIMIT && hasDuckDb();
  if (plan.duplicates === 'keep' || (how !== 'duckdb' && !large)) return new DuplicateStage(plan);
  await mkdir(out, { recursive: true });
  const joined = await DuckDbJoin.open(out);
  for await (const rows of questionBatches(dirs, files)) await joined.add(await encoded(rows, plan));
  return joined;
}

async function encoded(rows: readonly Placed<Question>[], plan: CuratePlan): Promise<EncodedQuestions> {
  const batch = new QuestionBatch(keysOf(plan));
  for (const { line, value } of rows) batch.add(value, { line });
  return batch.finish();
}

async function readSummary(dir: string): Promise<CurateSummary> {
  const file = join(dir, CURATED_FILES.summary);
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new CrossThinkError('ERR_FILE_NOT_FOUND', `${dir} has no ${CURATED_FILES.summary}: its shard is not done`, {
      file,
      cause,
    });
  });
  return JSON.parse(text) as CurateSummary;
}

/** The plan of the whole: that of every shard, without the shard. */
function commonPlan(dirs: readonly string[], summaries: readonly CurateSummary[]): CuratePlan {
  const [first] = summaries;
  if (first?.plan.shard === undefined) throw invalidValue('dirs', 'folders of shards (curate --shard i/n)', dirs);
  const { count } = first.plan.shard;
  const indexes = summaries.map(({ plan }) => plan.shard?.index);
  const whole = (summary: CurateSummary): string =>
    JSON.stringify({ ...summary.plan, shard: undefined, files: summary.inputs.map(({ file }) => file) });
  if (summaries.some((summary) => whole(summary) !== whole(first)))
    throw invalidValue('dirs', 'shards of one plan over the same files', dirs);
  if (summaries.length !== count || new Set(indexes).size !== count) {
    const have = indexes.map((index) => (index ?? -1) + 1).join(', ');
    throw new CrossThinkError('ERR_INVALID_ARG_VALUE', `expected shards 1 to ${count}, each once; received ${have}`, {
      field: 'dirs',
    });
  }
  const plan = { ...first.plan };
  delete (plan as { shard?: unknown }).shard;
  return { ...plan, inputs: first.inputs.map(({ file, adapter }) => ({ file, adapter })) };
}
