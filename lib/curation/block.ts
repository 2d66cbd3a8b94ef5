import type { Adapter, RowContext } from '../data/adapters/adapter.js';
import { genericAdapter } from '../data/adapters/generic.js';
import { adapterByName, recogniseRows } from '../data/adapters/registry.js';
import { isDrop } from '../data/ledger.js';
import { type Question, questionId } from '../data/question.js';
import { readRows } from '../data/readers/index.js';
import { eachJsonlRow } from '../data/readers/jsonl.js';
import type { RawRow, ReadItem, RowBlock } from '../data/readers/reader.js';
import { BenchmarkIndex } from '../filters/contamination/ngrams.js';
import { type FilterResources, type FilterSpec, makeFilter } from '../filters/registry.js';
import { ChatModel } from '../templates/chat.js';
import { GoldPool } from '../templates/distractors.js';
import { toMultipleChoice } from '../templates/multipleChoice.js';
import { toOpenEnded } from '../templates/openEnded.js';
import { renderPrompt } from '../templates/prompt.js';
import { shuffleOptions } from '../templates/shuffle.js';
import { PlainRows } from './plainRows.js';
import { type CuratePlan, type PlanInput, wantedRow } from './plan.js';
import { type BatchMemory, type EncodedQuestions, keysOf, QuestionBatch } from './questionBatch.js';
import { processRow, type RowResult, type RowSteps, withheldEntry, withheldQuestion } from './row.js';

/** Builds what rows pass through under a plan; reads the benchmark files of `decontaminate`. */
export async function makeSteps(plan: CuratePlan): Promise<RowSteps> {
  const filters = [];
  for (const spec of plan.filters) {
    filters.push(makeFilter(spec, await resourcesOf(spec)));
  }
  const { optionCount: count, seed, template } = plan;
  const golds = template === 'multiple-choice' ? await readGolds(plan.distractors) : undefined;
  const form: RowSteps['template'] =
    template === 'open-ended'
      ? toOpenEnded
      : template === 'multiple-choice'
        ? (question) => toMultipleChoice(question, { count, seed, ...(golds && { golds }) })
        : (question) => question;
  // What these two choose at random hangs on the id.
  const identify = template === 'multiple-choice' || plan.shuffleOptions;
  if (!plan.shuffleOptions) return { identify, template: form, filters };
  const shuffled: RowSteps['template'] = (question) => {
    const shaped = form(question);
    return isDrop(shaped) ? shaped : shuffleOptions(shaped, seed);
  };
  return { identify, template: shuffled, filters };
}

/** What a filter needs beside its options: benchmark files, a tokenizer. */
async function resourcesOf(spec: FilterSpec): Promise<FilterResources> {
  if (spec.name === 'decontaminate') return { benchmarks: await readBenchmarks(spec) };
  if (spec.name !== 'tokens') return {};
  const model = await ChatModel.load(String(spec['tokenizer']));
  const promptOf = (question: Question): string =>
    renderPrompt(question)
      .map(({ content }) => content)
      .join('\n');
  return { countTokens: (question) => model.countTokens(promptOf(question)) };
}

async function readBenchmarks(spec: FilterSpec): Promise<BenchmarkIndex> {
  const { benchmarks, words } = spec as unknown as { benchmarks: readonly string[]; words: number };
  const index = new BenchmarkIndex(words);
  for (const file of benchmarks) {
    await eachQuestion(file, (question) => {
      index.add(question.source, question);
    });
  }
  return index;
}

async function readGolds(files: readonly string[]): Promise<GoldPool> {
  const golds = new GoldPool();
  for (const file of files) {
    await eachQuestion(file, (question) => {
      golds.add(question);
    });
  }
  return golds;
}

/** The questions of a file of any format that an adapter recognises; other rows are passed over. */
async function eachQuestion(file: string, visit: (question: Question) => void): Promise<void> {
  let adapter: Adapter | undefined;
  for await (const batch of await readRows(file)) {
    adapter ??= adapterOf({ file, adapter: 'auto' }, batch);
    for (const item of batch) {
      if (!('value' in item)) continue;
      for (const value of adapter?.expand?.(item.value) ?? [item.value]) {
        const parsed = adapter?.parse(value, contextOf(item, file));
        if (parsed !== undefined && !isDrop(parsed)) visit(parsed);
      }
    }
  }
}

/** Rows to look at before `auto` gives up on a file. */
const AUTO_ROWS = 20;

/** The adapter of an input: the named one, the mapping's, or what the first rows are recognised by. */
export function adapterOf(input: PlanInput, items: readonly ReadItem[]): Adapter | undefined {
  if (input.mapping !== undefined) return genericAdapter(input.mapping);
  if (input.adapter !== 'auto') return adapterByName(input.adapter);
  const rows = items.slice(0, AUTO_ROWS).filter((item) => 'value' in item);
  return recogniseRows(rows.map((item) => ({ value: item.value, context: contextOf(item, input.file) })));
}

function contextOf({ row, envelope }: RawRow, file: string): RowContext {
  return envelope === undefined ? { file, row } : { file, row, envelope };
}

/** Rows of one block, ready to be written. */
export interface BlockResult {
  readonly questions: EncodedQuestions;
  readonly drops: BlockDrops;
}

/** Dropped rows in order; parallel lists, because they cross threads. */
export interface BlockDrops {
  readonly lines: string[];
  readonly reasons: string[];
  /** Questions of the block in front of each. */
  readonly behind: number[];
}

/** Takes rows of one file in order and collects what becomes of them: a pure function of the rows and the plan. */
export class BlockWriter {
  readonly #batch: QuestionBatch;
  readonly #drops: BlockDrops = { lines: [], reasons: [], behind: [] };
  readonly #hide: boolean;
  readonly #plain: PlainRows | undefined;
  readonly #file: string;
  readonly #wanted: (row: number) => boolean;

  /** `fromRow`: rows before it are done. */
  constructor(
    plan: CuratePlan,
    input: number,
    private readonly adapter: Adapter | undefined,
    private readonly steps: RowSteps,
    private readonly fromRow: number,
    memory: BatchMemory,
  ) {
    this.#batch = new QuestionBatch(keysOf(plan), memory);
    this.#hide = adapter?.withheld === true && !plan.plaintext;
    this.#plain = PlainRows.of(adapter, plan);
    this.#file = plan.inputs[input]?.file ?? '';
    this.#wanted = wantedRow(plan, input);
  }

  /** Adds those rows of a block that are looked at under the plan. */
  addBlock(block: RowBlock): void {
    const wanted = (row: number): boolean => row >= this.fromRow && this.#wanted(row);
    const add = (item: ReadItem): void => {
      this.#add(item);
    };
    if ('items' in block) block.items.filter(({ row }) => wanted(row)).forEach(add);
    else {
      eachJsonlRow(block, wanted, add, (place) => {
        if (place.row >= this.fromRow) this.#plain?.read(block.bytes, place, this.#batch);
      });
    }
  }

  #add(item: ReadItem): void {
    const results = processRow(item, this.#file, this.adapter, this.steps);
    // Of a row with several questions the drops come first: the order that `merge` can reproduce.
    for (const result of results) if ('entry' in result) this.#drop(result);
    for (const result of results) if ('question' in result) this.#accept(result);
  }

  #drop(result: Extract<RowResult, { entry: unknown }>): void {
    const { entry } = this.#hide ? withheldEntry(result.entry) : result;
    this.#drops.lines.push(JSON.stringify(entry));
    this.#drops.reasons.push(entry.reason);
    this.#drops.behind.push(this.#batch.count);
  }

  #accept({ question }: Extract<RowResult, { question: unknown }>): void {
    if (!this.#hide) {
      const profile = this.#batch.add(question);
      this.#plain?.learn(question, profile);
    } else {
      const duplicate = question.id === '' ? { ...question, id: questionId(question) } : question;
      this.#batch.add(withheldQuestion(duplicate), { duplicate });
    }
  }

  /** What became of the rows: `memory` is in use until it is there. */
  async finish(): Promise<BlockResult> {
    return { questions: await this.#batch.finish(), drops: this.#drops };
  }
}
