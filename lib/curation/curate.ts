import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { stat } from 'node:fs/promises';
import { CrossThinkError } from '../errors.js';
import type { Adapter } from '../data/adapters/adapter.js';
import { adapterByName, recogniseAdapter } from '../data/adapters/registry.js';
import { isDrop, type LedgerEntry } from '../data/ledger.js';
import type { Question } from '../data/question.js';
import { readRows } from '../data/readers/index.js';
import type { ReadItem, ReadOptions } from '../data/readers/reader.js';
import { type AtomicFile, writeAtomically } from '../data/writers/atomic.js';
import { applyFilters, type Filter, ledgerEntry } from '../filters/filter.js';
import { verifiable } from '../filters/verifiable.js';
import { toMultipleChoice } from '../templates/multipleChoice.js';
import { toOpenEnded } from '../templates/openEnded.js';

export type TemplateName = 'none' | 'open-ended' | 'multiple-choice';

export interface CurateOptions extends ReadOptions {
  /** Adapter by name, or `auto` (default): the first that recognises the first rows of each file. */
  readonly adapter?: string;
  /** Form asked of every question; default `none` (as the source has it). */
  readonly template?: TemplateName;
  /** Number of options made by the multiple-choice template; default 4. */
  readonly optionCount?: number;
  /** Seed of whatever is drawn (option order); default 0. */
  readonly seed?: number;
  /** Default: the paper's filter H(D). */
  readonly filters?: readonly Filter[];
  /** Called after each batch of rows. */
  readonly onProgress?: (progress: CurateProgress) => void;
}

export interface CurateProgress {
  readonly file: string;
  readonly rows: number;
  readonly accepted: number;
}

/** Counts of one run; `rows` is always `accepted + dropped`. */
export interface CurateSummary {
  readonly rows: number;
  readonly accepted: number;
  readonly dropped: number;
  /** Dropped rows by reason. */
  readonly reasons: Record<string, number>;
  readonly sources: Record<string, number>;
  readonly domains: Record<string, number>;
  readonly forms: Record<string, number>;
  readonly answerTypes: Record<string, number>;
  readonly template: TemplateName;
  readonly filters: readonly string[];
  readonly seed: number;
  readonly inputs: readonly InputSummary[];
  /** SHA-256 over the accepted ids in order: changes when the data set does. */
  readonly fingerprint: string;
}

export interface InputSummary {
  readonly file: string;
  readonly adapter: string;
  readonly licence: string;
  readonly bytes: number;
  readonly rows: number;
  readonly accepted: number;
}

/** Names of the files that `curateFiles` writes. */
export const CURATED_FILES = { questions: 'questions.jsonl', ledger: 'ledger.jsonl', summary: 'summary.json' } as const;

/**
 * Rows of `files` → questions: adapter, template, filters. Writes `questions.jsonl`, `ledger.jsonl` and `summary.json`
 * into `out`, each complete or not at all. Every row is accepted or in the ledger. Memory does not grow with the input.
 */
export async function curateFiles(
  files: readonly string[],
  out: string,
  options: CurateOptions = {},
): Promise<CurateSummary> {
  const paths = [CURATED_FILES.questions, CURATED_FILES.ledger, CURATED_FILES.summary].map((name) => join(out, name));
  return writeAtomically(paths, async ([questions, ledger, summaryFile]) => {
    if (questions === undefined || ledger === undefined || summaryFile === undefined) throw new Error('unreachable');
    const run = new CurateRun(options, questions, ledger);
    for (const file of files) await run.file(file);
    const summary = run.summary();
    await summaryFile.write(`${JSON.stringify(summary, null, 2)}\n`);
    return summary;
  });
}

/** Rows to look at before `auto` gives up on a file. */
const AUTO_ROWS = 20;

class CurateRun {
  readonly #filters: readonly Filter[];
  readonly #counts = { rows: 0, accepted: 0, dropped: 0 };
  readonly #by = { reasons: tally(), sources: tally(), domains: tally(), forms: tally(), answerTypes: tally() };
  readonly #inputs: InputSummary[] = [];
  readonly #ids = createHash('sha256');

  constructor(
    private readonly options: CurateOptions,
    private readonly questions: AtomicFile,
    private readonly ledger: AtomicFile,
  ) {
    this.#filters = options.filters ?? [verifiable()];
  }

  async file(file: string): Promise<void> {
    const { adapter: name = 'auto' } = this.options;
    let adapter = name === 'auto' ? undefined : adapterByName(name);
    const rows = await readRows(file, this.options);
    const before = { ...this.#counts };
    for await (const batch of rows) {
      adapter ??= recognise(batch, file);
      for (const item of batch) await this.#row(item, file, adapter);
      this.options.onProgress?.({ file, rows: this.#counts.rows, accepted: this.#counts.accepted });
    }
    this.#inputs.push({
      file,
      adapter: adapter?.name ?? name,
      licence: adapter?.licence ?? 'unknown',
      bytes: (await stat(file)).size,
      rows: this.#counts.rows - before.rows,
      accepted: this.#counts.accepted - before.accepted,
    });
  }

  async #row(item: ReadItem, file: string, adapter: Adapter): Promise<void> {
    this.#counts.rows++;
    const { row, line } = item;
    const result = 'fault' in item ? item.fault : adapter.parse(item.value, { file, row });
    if (isDrop(result)) {
      await this.#drop({ source: adapter.source, file, row, ...(line === undefined ? {} : { line }), ...result });
      return;
    }
    const shaped = this.#shape(result);
    const kept = isDrop(shaped) ? shaped : applyFilters(shaped, this.#filters);
    if (isDrop(kept)) await this.#drop({ ...ledgerEntry(result, kept), ...(line === undefined ? {} : { line }) });
    else await this.#accept(kept);
  }

  #shape(question: Question): ReturnType<typeof toOpenEnded> {
    const { template = 'none', optionCount: count = 4, seed = 0 } = this.options;
    if (template === 'open-ended') return toOpenEnded(question);
    return template === 'multiple-choice' ? toMultipleChoice(question, { count, seed }) : question;
  }

  async #accept(question: Question): Promise<void> {
    this.#counts.accepted++;
    this.#ids.update(question.id);
    const { sources, domains, forms, answerTypes } = this.#by;
    sources.add(question.source);
    domains.add(question.domain);
    forms.add(question.form);
    answerTypes.add(question.answer.type);
    await this.questions.writeJson(question);
  }

  async #drop(entry: LedgerEntry): Promise<void> {
    this.#counts.dropped++;
    this.#by.reasons.add(entry.reason);
    await this.ledger.writeJson(entry);
  }

  summary(): CurateSummary {
    const { reasons, sources, domains, forms, answerTypes } = this.#by;
    return {
      ...this.#counts,
      reasons: reasons.counts(),
      sources: sources.counts(),
      domains: domains.counts(),
      forms: forms.counts(),
      answerTypes: answerTypes.counts(),
      template: this.options.template ?? 'none',
      filters: this.#filters.map(({ name }) => name),
      seed: this.options.seed ?? 0,
      inputs: this.#inputs,
      fingerprint: this.#ids.digest('hex'),
    };
  }
}

function recognise(batch: readonly ReadItem[], file: string): Adapter {
  for (const item of batch.slice(0, AUTO_ROWS)) {
    const adapter = 'value' in item ? recogniseAdapter(item.value, { file, row: item.row }) : undefined;
    if (adapter !== undefined) return adapter;
  }
  throw new CrossThinkError(
    'ERR_SCHEMA',
    `no adapter recognises the rows of ${basename(file)}. Name one with --adapter (crossthink curate --list shows them)`,
    { file },
  );
}

/** Counts by key; keys come out sorted, so that equal data gives equal summaries. */
function tally(): { add: (key: string) => void; counts: () => Record<string, number> } {
  const counts = new Map<string, number>();
  return {
    add: (key) => counts.set(key, (counts.get(key) ?? 0) + 1),
    counts: () => Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}
