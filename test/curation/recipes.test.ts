import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readRecipeFile } from '../../lib/blend/recipeFile.js';
import { curate } from '../../lib/curation/curate.js';
import { readCurateRecipe } from '../../lib/curation/recipe.js';
import { temporaryFolder } from '../data/fixtures.js';

const recipes = resolve(__dirname, '../../recipes');
const folder = temporaryFolder();

/** A cache with one file for each source of the pool; JSON Lines, whatever the name says: the content decides. */
const CACHE: Readonly<Record<string, object>> = {
  'cais/mmlu/auxiliary_train/train-0.parquet': {
    question: 'Which of these is red?',
    subject: 's',
    choices: ['a', 'b'],
    answer: 1,
  },
  'nvidia/Nemotron-CrossThink/Data/Nemotron-CrossThink-QA.jsonl': {
    data_source: 'qa',
    prompt: [{ role: 'user', content: 'Who?\nA: Ann\nB: Bob\nC: Cy' }],
    reward_model: { style: 'rule', ground_truth: 'B: Bob' },
    meta_data: { index: 1 },
  },
  'nvidia/Nemotron-CrossThink/Data/Nemotron-CrossThink-Math.jsonl': {
    data_source: 'math',
    prompt: [{ role: 'user', content: 'Sum?' }],
    reward_model: { style: 'rule', ground_truth: '5' },
    meta_data: { question: 'What is 2+3?', persona: 'p' },
  },
  'facebook/natural_reasoning/full.jsonl': { question: 'Why?', reference_answer: 'Heat', responses: [] },
  'AI-MO/NuminaMath-CoT/data/train-0.parquet': { source: 'amc', problem: 'P?', solution: '\\boxed{7}', messages: [] },
  'EleutherAI/hendrycks_math/algebra/train-0.parquet': {
    problem: 'Q?',
    level: 'Level 1',
    type: 'Algebra',
    solution: '\\boxed{8}',
  },
};

beforeAll(() => {
  for (const [path, row] of Object.entries(CACHE)) {
    const [owner = '', name = '', ...rest] = path.split('/');
    const repository = join(folder.path, `datasets--${owner}--${name}`);
    const file = join(repository, 'snapshots', 'r1', ...rest);
    mkdirSync(dirname(file), { recursive: true });
    mkdirSync(join(repository, 'refs'), { recursive: true });
    writeFileSync(join(repository, 'refs', 'main'), 'r1');
    writeFileSync(file, `${JSON.stringify(row)}\n`);
  }
  process.env['HF_HUB_CACHE'] = folder.path;
});
afterAll(() => {
  delete process.env['HF_HUB_CACHE'];
});

describe('shipped recipes', () => {
  it('crossthink-pool curates the six sources of the paper', async () => {
    const summary = await curate(
      await readCurateRecipe(join(recipes, 'crossthink-pool.yaml')),
      join(folder.path, 'pool'),
    );
    expect(summary).toMatchObject({
      rows: 6,
      accepted: 6,
      domains: { general: 3, math: 3 },
      forms: { 'multiple-choice': 2, 'open-ended': 4 },
    });
    expect(summary.inputs.map(({ licence }) => licence)).toEqual([
      'MIT',
      'CC-BY-4.0',
      'CC-BY-4.0',
      'CC-BY-NC-4.0',
      'Apache-2.0',
      'MIT',
    ]);
  });

  it('crossthink-open drops what needs its options', async () => {
    const summary = await curate(
      await readCurateRecipe(join(recipes, 'crossthink-open.yaml')),
      join(folder.path, 'open'),
    );
    expect(summary).toMatchObject({
      rows: 2,
      accepted: 1,
      reasons: { 'incomplete-without-options': 1 },
      forms: { 'open-ended': 1 },
    });
  });

  it('are all readable', async () => {
    for (const name of readdirSync(recipes)) {
      if (name.startsWith('blend-')) expect((await readRecipeFile(join(recipes, name))).steps).toBe(650);
      else if (name !== 'crossthink-hard.yaml') await readCurateRecipe(join(recipes, name));
      else await expect(readCurateRecipe(join(recipes, name))).rejects.toThrow(/no file matches/);
    }
  });
});
