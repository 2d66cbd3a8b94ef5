import { writeAtomically } from '../data/writers/atomic.js';
import { join } from 'node:path';
import type { QuestionStore } from './questionStore.js';
import type { BlendRecipe, BlendSource } from './recipe.js';
import type { BlendSchedule, BlendState } from './schedule.js';

export interface MaterialiseOptions {
  readonly steps: number;
  readonly batchSize: number;
  /** Leave the questions out: only places and ids. Default false. */
  readonly scheduleOnly?: boolean;
  readonly onProgress?: (step: number) => void;
}

/** Asked and achieved share of a source, a domain or a form. */
export interface MixShare {
  readonly asked: number;
  readonly achieved: number;
  readonly draws: number;
}

export interface BlendSummary {
  readonly blend: string;
  readonly seed: number;
  readonly steps: number;
  readonly batchSize: number;
  readonly draws: number;
  readonly sources: Record<string, MixShare & { readonly size: number; readonly epochs: number }>;
  readonly domains: Record<string, MixShare>;
  readonly forms: Record<string, MixShare>;
  /** State after the last step, for going on. */
  readonly state: BlendState;
}

/** Names of the files that `materialiseBlend` writes. */
export const BLEND_FILES = { rows: 'blend.jsonl', summary: 'blend.json' } as const;

/**
 * Writes the first `steps` batches in order: `blend.jsonl` holds one question a line with its place in the schedule
 * under `blend`, `blend.json` the mix asked against the mix achieved. Both appear whole or not at all.
 */
export async function materialiseBlend(
  store: QuestionStore,
  recipe: BlendRecipe,
  schedule: BlendSchedule,
  out: string,
  options: MaterialiseOptions,
): Promise<BlendSummary> {
  const { steps, batchSize } = options;
  const draws = new Map<string, number>();
  return writeAtomically([join(out, BLEND_FILES.rows), join(out, BLEND_FILES.summary)], async ([rows, summaryFile]) => {
    if (rows === undefined || summaryFile === undefined) throw new Error('unreachable');
    for (let step = 0; step < steps; step++) {
      for (const [slot, draw] of schedule.batch(step, { size: batchSize }).entries()) {
        draws.set(draw.source, (draws.get(draw.source) ?? 0) + 1);
        const question = await store.read(draw.source, draw.index);
        const blend = { step, slot, ...draw };
        await rows.writeJson(options.scheduleOnly === true ? { ...blend, id: question.id } : { ...question, blend });
      }
      options.onProgress?.(step + 1);
    }
    const summary = summarise(recipe, schedule, draws, options);
    await summaryFile.write(`${JSON.stringify(summary, null, 2)}\n`);
    return summary;
  });
}

function summarise(
  recipe: BlendRecipe,
  schedule: BlendSchedule,
  draws: ReadonlyMap<string, number>,
  { steps, batchSize }: MaterialiseOptions,
): BlendSummary {
  const total = steps * batchSize;
  const weight = recipe.weights.reduce((a, b) => a + b, 0);
  const share = (members: readonly (readonly [BlendSource, number])[]): MixShare => {
    const drawn = members.reduce((sum, [{ name }]) => sum + (draws.get(name) ?? 0), 0);
    return { asked: members.reduce((sum, [, w]) => sum + w, 0) / weight, achieved: drawn / total, draws: drawn };
  };
  const weighed = recipe.sources.map((source, i) => [source, recipe.weights[i] ?? 0] as const);
  const by = (key: 'domain' | 'form'): Record<string, MixShare> => {
    const values = [...new Set(recipe.sources.map((source) => source[key]))].sort();
    return Object.fromEntries(
      values.map((value) => [value, share(weighed.filter(([source]) => source[key] === value))]),
    );
  };
  const sources = weighed.map((entry) => {
    const { name, size } = entry[0];
    const mix = share([entry]);
    return [name, { ...mix, size, epochs: size === 0 ? 0 : mix.draws / size }] as const;
  });
  return {
    blend: recipe.name,
    seed: schedule.seed,
    steps,
    batchSize,
    draws: total,
    sources: Object.fromEntries(sources),
    domains: by('domain'),
    forms: by('form'),
    state: schedule.state(steps, batchSize),
  };
}
