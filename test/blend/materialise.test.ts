import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { materialiseBlend } from '../../lib/blend/materialise.js';
import { QuestionStore } from '../../lib/blend/questionStore.js';
import { blendRecipe } from '../../lib/blend/recipe.js';
import { readRecipeFile, recipeOf } from '../../lib/blend/recipeFile.js';
import { BlendSchedule } from '../../lib/blend/schedule.js';
import type { Question } from '../../lib/data/question.js';
import { choiceQuestion, openQuestion, temporaryFolder } from '../data/fixtures.js';

const folder = temporaryFolder();
const jsonl = (questions: readonly Question[]): string => questions.map((q) => `${JSON.stringify(q)}\n`).join('');
const math = Array.from({ length: 6 }, (_, i) => openQuestion({ source: 'sums', question: `Größe ${i}?` }));
const general = Array.from({ length: 9 }, (_, i) => ({ ...choiceQuestion(`Wähle ${i}?`, ['a', 'b']), source: 'quiz' }));
const file = folder.write('questions.jsonl', jsonl([...math.slice(0, 3), ...general, ...math.slice(3)]));

describe('QuestionStore', () => {
  it('finds sources and reads their rows in file order', async () => {
    const store = await QuestionStore.open([folder.path]);
    expect(store.sources).toMatchObject([
      { name: 'sums', domain: 'math', form: 'open-ended', size: 6 },
      { name: 'quiz', domain: 'general', form: 'multiple-choice', size: 9 },
    ]);
    for (const [i, question] of math.entries()) expect(await store.read('sums', i)).toEqual(question);
    expect(await store.read('quiz', 8)).toEqual(general[8]);
    await expect(store.read('quiz', 9)).rejects.toThrow(RangeError);
    await store.close();
  });

  it('splits a data set of both forms, and names the line of a row that is no question', async () => {
    const both = folder.write(
      'both.jsonl',
      jsonl([openQuestion({ source: 'x', domain: 'general' }), { ...general[0]!, source: 'x' }]),
    );
    const store = await QuestionStore.open([both]);
    expect(store.sources.map(({ name }) => name)).toEqual(['x/open-ended', 'x/multiple-choice']);
    await store.close();
    const bad = folder.write('bad.jsonl', `${JSON.stringify(math[0])}\n{"id":"x"}\n`);
    await expect(QuestionStore.open([bad])).rejects.toMatchObject({ code: 'ERR_SCHEMA', file: bad, line: 2 });
    const broken = folder.write('broken.jsonl', '{"id":');
    await expect(QuestionStore.open([broken])).rejects.toMatchObject({ code: 'ERR_PARSE', line: 1 });
  });
});

describe('materialiseBlend', () => {
  it('writes the batches in order and says the mix asked and achieved', async () => {
    const store = await QuestionStore.open([file]);
    const recipe = blendRecipe('mr-up', store.sources);
    const schedule = new BlendSchedule(recipe, { seed: 3 });
    const out = join(folder.path, 'blend');
    const summary = await materialiseBlend(store, recipe, schedule, out, { steps: 3, batchSize: 6 });
    expect(summary.domains).toEqual({
      general: { asked: 1 / 3, achieved: 1 / 3, draws: 6 },
      math: { asked: 2 / 3, achieved: 2 / 3, draws: 12 },
    });
    expect(summary.sources['sums']).toMatchObject({ size: 6, epochs: 2 });
    expect(JSON.parse(readFileSync(join(out, 'blend.json'), 'utf8'))).toEqual(summary);

    type Row = Question & { blend: { step: number; slot: number; source: string; index: number; epoch: number } };
    const rows = readFileSync(join(out, 'blend.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Row);
    expect(rows).toHaveLength(18);
    const plain = [0, 1, 2].flatMap((step) =>
      schedule.batch(step, { size: 6 }).map((draw, slot) => ({ step, slot, ...draw })),
    );
    expect(rows.map(({ blend }) => blend)).toEqual(plain);
    for (const { blend, ...question } of rows) expect(question).toEqual(await store.read(blend.source, blend.index));
    const firstPass = rows.filter(({ blend }) => blend.source === 'sums' && blend.epoch === 0);
    expect(new Set(firstPass.map(({ id }) => id)).size).toBe(6);

    const ids = join(folder.path, 'ids');
    await materialiseBlend(store, recipe, schedule, ids, { steps: 1, batchSize: 2, scheduleOnly: true });
    const [first] = readFileSync(join(ids, 'blend.jsonl'), 'utf8').split('\n');
    expect(JSON.parse(first!)).toEqual({ ...plain[0], id: rows[0]!.id });
    await store.close();
  });
});

describe('recipe files', () => {
  const sources = [
    { name: 'a', domain: 'math', form: 'open-ended', size: 4 },
    { name: 'b', domain: 'general', form: 'open-ended', size: 4 },
  ] as const;

  it('take a named blend or weights, with inputs relative to the file', async () => {
    const yaml = folder.write('r.yaml', 'inputs: [curated/a]\nweights: {a: 2, b: 1}\nseed: 7\nbatchSize: 4\n');
    const recipe = await readRecipeFile(yaml);
    expect(recipe).toMatchObject({ inputs: [join(folder.path, 'curated/a')], seed: 7, batchSize: 4 });
    expect(recipeOf(recipe, sources).weights).toEqual([2, 1]);
    expect(recipeOf({ blend: 'gpr-up' }, sources).weights).toEqual([1, 2]);
  });

  it.each([
    ['blend: gpr-upp\n', 'ERR_SCHEMA', /blend/],
    ['seed: 7\n', 'ERR_SCHEMA', /either blend/],
    ['blend: natural\nbatch: 3\n', 'ERR_SCHEMA', /batch/],
    ['a: [', 'ERR_PARSE', /not YAML/],
  ])('reject %j', async (text, code, message) => {
    const yaml = folder.write('bad.yaml', text);
    await expect(readRecipeFile(yaml)).rejects.toMatchObject({
      code,
      file: yaml,
      message: expect.stringMatching(message) as string,
    });
  });

  it('reject weights of unknown sources', () => {
    expect(() => recipeOf({ weights: { c: 1 } }, sources)).toThrow(/names among a, b; received "c"/);
  });
});
