import { resolve } from 'node:path';
import { z } from 'zod';
import { checkMapping } from '../data/adapters/generic.js';
import { readYaml, readYamlAs } from '../data/yamlFile.js';
import { baseOf, expandInput } from './inputs.js';
import { type CuratePlan, makePlan, type PlanInput } from './plan.js';

const filter = z.union([z.string(), z.looseObject({ name: z.string() })]);

const recipeSchema = z.strictObject({
  name: z.string().optional(),
  description: z.string().optional(),
  inputs: z
    .array(
      z.strictObject({
        /** Paths, globs, or `hf://owner/name/path` in the local cache. */
        files: z.union([z.string(), z.array(z.string()).min(1)]),
        adapter: z.string().default('auto'),
        /** Field mapping of the generic adapter, or the YAML file that holds it. */
        mapping: z.unknown().optional(),
        /** For people: where the data is from. */
        note: z.string().optional(),
      }),
    )
    .min(1),
  template: z.enum(['none', 'open-ended', 'multiple-choice']).optional(),
  optionCount: z.number().int().optional(),
  distractors: z.array(z.string()).optional(),
  shuffleOptions: z.boolean().optional(),
  seed: z.number().int().optional(),
  filters: z.array(filter).optional(),
  duplicates: z.enum(['keep', 'exact', 'near']).optional(),
  nearThreshold: z.number().optional(),
  sample: z.number().optional(),
  limit: z.number().int().positive().optional(),
  maxRowBytes: z.number().int().positive().optional(),
  plaintext: z.boolean().optional(),
});

/** Fields of a recipe that are no options of the plan. */
const FOR_PEOPLE: ReadonlySet<string> = new Set(['name', 'description', 'inputs', 'filters']);

/** Reads a curation recipe (YAML or JSON) into a plan; errors name the file and the field. */
export async function readCurateRecipe(file: string): Promise<CuratePlan> {
  const recipe = await readYamlAs(file, 'recipe', recipeSchema);
  const { inputs, filters } = recipe;
  const base = baseOf(file);
  const expanded: PlanInput[] = [];
  for (const { files, adapter, mapping } of inputs) {
    const spec = mapping === undefined ? undefined : await readMapping(mapping, file, base);
    for (const pattern of [files].flat()) {
      for (const path of await expandInput(pattern, base)) {
        expanded.push({
          file: path,
          adapter: spec === undefined ? adapter : 'generic',
          ...(spec === undefined ? {} : { mapping: spec }),
        });
      }
    }
  }
  const options = Object.fromEntries(
    Object.entries(recipe).filter(([key, value]) => value !== undefined && !FOR_PEOPLE.has(key)),
  );
  const distractors = recipe.distractors?.map((path) => resolve(base, path));
  return makePlan(expanded, { ...options, ...withFilters(filters, base), ...(distractors && { distractors }) });
}

/** Paths of benchmark files are relative to the recipe, too. */
function withFilters(filters: readonly (string | { name: string })[] | undefined, base: string): object {
  if (filters === undefined) return {};
  const resolved = filters.map((spec) => {
    if (typeof spec === 'string' || !('benchmarks' in spec) || !Array.isArray(spec.benchmarks)) return spec;
    return { ...spec, benchmarks: spec.benchmarks.map((path: unknown) => resolve(base, String(path))) };
  });
  return { filters: resolved };
}

async function readMapping(mapping: unknown, file: string, base: string): Promise<ReturnType<typeof checkMapping>> {
  if (typeof mapping !== 'string') return checkMapping(mapping, file);
  return readMappingFile(resolve(base, mapping));
}

/** Reads the mapping of a generic adapter from a YAML file. */
export async function readMappingFile(file: string): Promise<ReturnType<typeof checkMapping>> {
  return checkMapping(await readYaml(file, 'mapping'), file);
}
