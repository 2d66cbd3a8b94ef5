import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { CrossThinkError, invalidValue } from '../errors.js';
import { readYamlAs } from '../data/yamlFile.js';
import { BLEND_NAMES, type BlendName, blendRecipe, type BlendRecipe, type BlendSource } from './recipe.js';

const recipeFileSchema = z.strictObject({
  name: z.string().optional(),
  /** Curated files or folders, relative to the recipe. */
  inputs: z.array(z.string().min(1)).min(1).optional(),
  blend: z.enum(BLEND_NAMES).optional(),
  /** Weight by source name; sources not named are left out. */
  weights: z.record(z.string(), z.number().nonnegative()).optional(),
  seed: z.number().int().optional(),
  batchSize: z.number().int().positive().optional(),
  steps: z.number().int().positive().optional(),
});

/** A blend recipe file, checked; `inputs` are absolute paths. */
export interface RecipeFile {
  readonly name?: string | undefined;
  readonly inputs?: readonly string[] | undefined;
  readonly blend?: BlendName | undefined;
  readonly weights?: Readonly<Record<string, number>> | undefined;
  readonly seed?: number | undefined;
  readonly batchSize?: number | undefined;
  readonly steps?: number | undefined;
}

/** Reads a YAML (or JSON) recipe; errors name the file and the field. */
export async function readRecipeFile(file: string): Promise<RecipeFile> {
  const recipe = await readYamlAs(file, 'recipe', recipeFileSchema);
  const { blend, weights, inputs } = recipe;
  if ((blend === undefined) === (weights === undefined)) {
    throw new CrossThinkError('ERR_SCHEMA', 'expected either blend (a name) or weights (by source)', { file });
  }
  return { ...recipe, inputs: inputs?.map((path) => resolve(dirname(file), path)) };
}

/** The recipe over the sources at hand: a named blend, or weights by source name. */
export function recipeOf(file: RecipeFile, sources: readonly BlendSource[]): BlendRecipe {
  if (file.blend !== undefined) return blendRecipe(file.blend, sources);
  const weights = file.weights ?? {};
  const known = sources.map(({ name }) => name);
  const missing = Object.keys(weights).find((name) => !known.includes(name));
  if (missing !== undefined) throw invalidValue('weights', `names among ${known.join(', ')}`, missing);
  return { name: file.name ?? 'custom', sources, weights: known.map((name) => weights[name] ?? 0) };
}
