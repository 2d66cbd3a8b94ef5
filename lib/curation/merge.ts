import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CrossThinkError, invalidValue } from '../errors.js';
import type { LedgerEntry } from '../data/ledger.js';
import type { Question } from '../data/question.js';
import { AtomicFile } from '../data/writers/atomic.js';
import { keysOf } from './block.js';
import { datasetCard } from './card.js';
import { CURATED_FILES } from './curate.js';
import { DuplicateStage, LOOKUP_BATCH } from './duplicates.js';
import { ParquetOutput } from './parquetOutput.js';
import type { CuratePlan } from './plan.js';
import { QuestionBatch } from './questionBatch.js';
import { countAccepted, countDropped, type CurateSummary, newCounts, summarise } from './summary.js';

/** A row of a shard's output, by its place in the whole. */
interface Placed {
  readonly input: number;
  readonly row: number;
  readonly line: string;
}

/**
 * Joins the folders of all shards of one plan into what a single run would have written, byte for byte: rows in their
 * order, duplicates dropped over the whole. Throws where shards are missing, double or of different plans.
 */
export async function mergeShards(
  dirs: readonly string[],
  out: string,
  options: { readonly parquet?: boolean } = {},
): Promise<CurateSummary> {
  const summaries = await Promise.all(dirs.map(readSummary));
  const plan = commonPlan(dirs, summaries);
  const files = summaries[0]?.inputs.map(({ file }) => file) ?? [];
  const stage = new DuplicateStage(plan);
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
  const drops = interleave(dirs.map((dir) => placedRows(join(dir, CURATED_FILES.ledger), files, ledgerPlace)));
  let waiting = await drops.next();
  const passDrops = async (until: Placed | undefined): Promise<void> => {
    while (waiting.done !== true && (until === undefined || !before(until, waiting.value))) {
      const { line, input } = waiting.value;
      countDropped(counts, (JSON.parse(line) as LedgerEntry).reason);
      note(input, false);
      await ledgerFile.write(`${line}\n`);
      waiting = await drops.next();
    }
  };

  const parquet = options.parquet === true ? await ParquetOutput.create(out) : undefined;
  const writeBatch = async (rows: readonly Placed[]): Promise<void> => {
    const batch = new QuestionBatch(keysOf(plan));
    for (const { line } of rows) batch.add(JSON.parse(line) as Question, { line });
    const questions = batch.finish();
    const repeated = stage.check(questions);
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
  };
  let rows: Placed[] = [];
  for await (const placed of interleave(
    dirs.map((dir) => placedRows(join(dir, CURATED_FILES.questions), files, questionPlace)),
  )) {
    rows.push(placed);
    if (rows.length < LOOKUP_BATCH) continue;
    await writeBatch(rows);
    rows = [];
  }
  await writeBatch(rows);
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

type PlaceOf = (row: unknown) => { readonly file: string | undefined; readonly row: number | undefined };

const questionPlace: PlaceOf = (row) => {
  const { file, row: number } = (row as Question).provenance;
  return { file, row: number };
};
const ledgerPlace: PlaceOf = (row) => {
  const { file, row: number } = row as LedgerEntry;
  return { file, row: number };
};

async function* placedRows(path: string, files: readonly string[], placeOf: PlaceOf): AsyncGenerator<Placed> {
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    const { file, row } = placeOf(JSON.parse(line));
    yield { input: files.indexOf(file ?? ''), row: row ?? 0, line };
  }
}

function before(a: Placed, b: Placed): boolean {
  return a.input < b.input || (a.input === b.input && a.row < b.row);
}

/** Joins ordered sequences into one; rows of one place are all in one shard, so ties do not arise. */
async function* interleave(sequences: readonly AsyncGenerator<Placed>[]): AsyncGenerator<Placed> {
  const heads = await Promise.all(sequences.map((sequence) => sequence.next()));
  for (;;) {
    let best = -1;
    for (const [i, head] of heads.entries()) {
      const leader = heads[best];
      if (head.done !== true && (leader === undefined || leader.done === true || before(head.value, leader.value)))
        best = i;
    }
    const head = heads[best];
    const sequence = sequences[best];
    if (head === undefined || head.done === true || sequence === undefined) return;
    yield head.value;
    heads[best] = await sequence.next();
  }
}
