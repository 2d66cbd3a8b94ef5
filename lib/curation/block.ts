import type { Adapter } from '../data/adapters/adapter.js';
import { genericAdapter } from '../data/adapters/generic.js';
import { adapterByName, recogniseAdapter } from '../data/adapters/registry.js';
import { isDrop } from '../data/ledger.js';
import type { Question } from '../data/question.js';
import { readRows } from '../data/readers/index.js';
import type { ReadItem } from '../data/readers/reader.js';
import { BenchmarkIndex } from '../filters/contamination/ngrams.js';
import { exactKey } from '../filters/duplicates/exact.js';
import { minHash } from '../filters/duplicates/minhash.js';
import { type FilterResources, type FilterSpec, makeFilter } from '../filters/registry.js';
import { ChatModel } from '../templates/chat.js';
import { toMultipleChoice } from '../templates/multipleChoice.js';
import { toOpenEnded } from '../templates/openEnded.js';
import { renderPrompt } from '../templates/prompt.js';
import { shuffleOptions } from '../templates/shuffle.js';
import type { CuratePlan, PlanInput } from './plan.js';
import { processRow, type RowResult, type RowSteps, withheldResult } from './row.js';

/** What one row gave, ready to be written. */
export type BlockRow =
  | {
      readonly kind: 'question';
      readonly line: string;
      readonly id: string;
      readonly source: string;
      readonly domain: string;
      readonly form: string;
      readonly answerType: string;
      readonly file: string;
      readonly row: number;
      /** Key of exact duplication, where duplicates are dropped. */
      readonly key?: string;
      readonly signature?: Uint32Array;
    }
  | { readonly kind: 'drop'; readonly line: string; readonly reason: string };

/** Builds what rows pass through under a plan; reads the benchmark files of `decontaminate`. */
export async function makeSteps(plan: CuratePlan): Promise<RowSteps> {
  const filters = [];
  for (const spec of plan.filters) {
    filters.push(makeFilter(spec, await resourcesOf(spec)));
  }
  const { optionCount: count, seed, template } = plan;
  const form: RowSteps['template'] =
    template === 'open-ended'
      ? toOpenEnded
      : template === 'multiple-choice'
        ? (question) => toMultipleChoice(question, { count, seed })
        : (question) => question;
  if (!plan.shuffleOptions) return { template: form, filters };
  const shuffled: RowSteps['template'] = (question) => {
    const shaped = form(question);
    return isDrop(shaped) ? shaped : shuffleOptions(shaped, seed);
  };
  return { template: shuffled, filters };
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
    let adapter: Adapter | undefined;
    for await (const batch of await readRows(file)) {
      for (const item of batch) {
        if (!('value' in item)) continue;
        const context = { file, row: item.row, ...(item.envelope === undefined ? {} : { envelope: item.envelope }) };
        adapter ??= recogniseAdapter(item.value, context);
        for (const value of adapter?.expand?.(item.value) ?? [item.value]) {
          const parsed = adapter?.parse(value, context);
          if (parsed !== undefined && !isDrop(parsed)) index.add(parsed.source, parsed);
        }
      }
    }
  }
  return index;
}

/** Rows to look at before `auto` gives up on a file. */
const AUTO_ROWS = 20;

/** The adapter of an input: the named one, the mapping's, or the first that recognises one of the first rows. */
export function adapterOf(input: PlanInput, items: readonly ReadItem[]): Adapter | undefined {
  if (input.mapping !== undefined) return genericAdapter(input.mapping);
  if (input.adapter !== 'auto') return adapterByName(input.adapter);
  for (const item of items.slice(0, AUTO_ROWS)) {
    if (!('value' in item)) continue;
    const { file } = input;
    const envelope = item.envelope === undefined ? {} : { envelope: item.envelope };
    const adapter = recogniseAdapter(item.value, { file, row: item.row, ...envelope });
    if (adapter !== undefined) return adapter;
  }
  return undefined;
}

/** Processes rows of one file, in order. A pure function of the rows and the plan. */
export function processItems(
  items: readonly ReadItem[],
  file: string,
  adapter: Adapter | undefined,
  plan: CuratePlan,
  steps: RowSteps,
): BlockRow[] {
  const hide = adapter?.withheld === true && !plan.plaintext;
  return items.flatMap((item) => {
    const rows = processRow(item, file, adapter, steps).map((result) => toBlockRow(result, item.row, file, plan, hide));
    // Of a row with several questions the drops come first: the order that `merge` can reproduce.
    return rows.length === 1
      ? rows
      : rows.sort((a, b) => Number(a.kind === 'question') - Number(b.kind === 'question'));
  });
}

function toBlockRow(result: RowResult, row: number, file: string, plan: CuratePlan, hide: boolean): BlockRow {
  const shown = hide ? withheldResult(result) : result;
  if ('entry' in shown) return { kind: 'drop', line: JSON.stringify(shown.entry), reason: shown.entry.reason };
  const { id, source, domain, form, answer } = shown.question;
  return {
    kind: 'question',
    line: JSON.stringify(shown.question),
    id,
    source,
    domain,
    form,
    answerType: answer.type,
    file,
    row,
    ...('question' in result ? duplicateKeys(result.question, plan) : {}),
  };
}

/** What duplicates are recognised by; nothing where they are kept, or left to `merge`. */
export function duplicateKeys(question: Question, plan: CuratePlan): { key?: string; signature?: Uint32Array } {
  if (plan.duplicates === 'keep' || plan.shard !== undefined) return {};
  if (plan.duplicates === 'exact') return { key: exactKey(question) };
  return { key: exactKey(question), signature: minHash(question, { threshold: plan.nearThreshold }) };
}
