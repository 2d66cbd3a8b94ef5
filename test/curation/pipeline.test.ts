import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { curate, CURATED_FILES, curateFiles, type RunOptions } from '../../lib/curation/curate.js';
import { explain } from '../../lib/curation/explain.js';
import { expandInput } from '../../lib/curation/inputs.js';
import { mergeShards } from '../../lib/curation/merge.js';
import { makePlan, parseShard, type PlanOptions } from '../../lib/curation/plan.js';
import { readCurateRecipe } from '../../lib/curation/recipe.js';
import type { Question } from '../../lib/data/question.js';
import { temporaryFolder } from '../data/fixtures.js';

jest.setTimeout(120_000);

const folder = temporaryFolder();
const at = (...parts: string[]): string => join(folder.path, ...parts);

/** A text of its own for each number. */
function story(n: number): string {
  let state = n + 1;
  const letters = Array.from({ length: 90 }, () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    return (state >>> 24) % 7 === 0 ? ' ' : String.fromCharCode(97 + ((state >>> 16) % 26));
  });
  return `Story ${n}: ${letters.join('')}`;
}

/** Enough rows for many blocks and stripes: some repeat, some nearly, some are broken. */
const rows = Array.from({ length: 3000 }, (_, i) => {
  if (i % 97 === 0) return '{"question": broken';
  const n = i % 31 === 0 ? i - 2 : i % 53 === 0 ? i - 1 : i;
  const tail = i % 53 === 0 ? ' Say!' : '';
  return JSON.stringify({ question: `${story(n)}. How many?${tail}`, answer: `so\n#### ${n * 8 + 4}` });
});
const big = folder.write('big.jsonl', `${rows.join('\n')}\n`);
const small = folder.write('small.jsonl', '{"question":"One?","answer":"#### 1"}\n');
const options: PlanOptions = { duplicates: 'near', nearThreshold: 0.9, seed: 3 };
const plan = makePlan(
  [big, small].map((file) => ({ file, adapter: 'gsm8k' })),
  options,
);

const bytesOf = (dir: string): Record<string, string> =>
  Object.fromEntries(Object.values(CURATED_FILES).map((name) => [name, readFileSync(join(dir, name), 'utf8')]));

let whole: Record<string, string>;
beforeAll(async () => {
  await curate(plan, at('whole'));
  whole = bytesOf(at('whole'));
});

describe('a run', () => {
  it('drops what repeats, keeping the first, and says of what', () => {
    const summary = JSON.parse(whole['summary.json']!) as { rows: number; reasons: Record<string, number> };
    expect(summary.rows).toBe(3001);
    expect(summary.reasons['duplicate']).toBeGreaterThan(50);
    expect(summary.reasons['near-duplicate']).toBeGreaterThan(10);
    expect(summary.reasons['invalid-json']).toBe(31);
  });

  it('writes a card with sources, licences, reasons and examples', () => {
    const card = whole['README.md']!;
    expect(card).toContain('| big.jsonl | gsm8k | MIT | 3000 |');
    expect(card).toContain('| near-duplicate |');
    expect(card).toContain('How many?');
  });

  it('that was cut off inside a file is gone on with, to the same bytes', async () => {
    const lines = Array.from({ length: 12_000 }, (_, i) =>
      rows[i % rows.length]!.replace('Story', `Story ${i % 5000}`),
    );
    const long = makePlan([{ file: folder.write('long.jsonl', lines.join('\n')), adapter: 'auto' }], {
      duplicates: 'exact',
    });
    await curate(long, at('uncut'));
    const dir = at('cut');
    let resumed = 0;
    let blocks = 0;
    const cut: RunOptions = {
      journalMs: 0,
      onProgress: () => {
        if (++blocks === 2) throw new Error('stop');
      },
    };
    await expect(curate(long, dir, cut)).rejects.toThrow('stop');
    expect(existsSync(join(dir, 'summary.json'))).toBe(false);
    // Written but not journalled: must be cut off again.
    appendFileSync(join(dir, '.questions.jsonl.partial'), '{"half a');
    await curate(long, dir, {
      onResume: (done) => {
        resumed = done;
      },
    });
    expect(resumed).toBeGreaterThan(1000);
    expect(resumed).toBeLessThan(12_000);
    expect(bytesOf(dir)).toEqual(bytesOf(at('uncut')));
    expect(readdirSync(dir).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('starts anew where plan or data have changed', async () => {
    const dir = at('changed');
    await expect(
      curate(plan, dir, {
        journalMs: 0,
        onProgress: () => {
          throw new Error('stop');
        },
      }),
    ).rejects.toThrow('stop');
    let resumed = false;
    const other = makePlan([{ file: small, adapter: 'gsm8k' }]);
    const summary = await curate(other, dir, {
      onResume: () => {
        resumed = true;
      },
    });
    expect(resumed).toBe(false);
    expect(summary.rows).toBe(1);
  });

  it.each([2, 3, 5])('in %d shards, merged, gives the same bytes', async (count) => {
    const dirs = await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const dir = at(`shards-${count}`, String(index));
        await curate({ ...plan, shard: { index, count } }, dir);
        return dir;
      }),
    );
    await mergeShards([...dirs].reverse(), at(`merged-${count}`));
    expect(bytesOf(at(`merged-${count}`))).toEqual(whole);
    await expect(mergeShards(dirs.slice(1), at('x'))).rejects.toThrow(/expected shards 1 to/);
  });

  it('writes nothing when it is dry, and less when it is sampled or limited', async () => {
    const summary = await curate(plan, at('dry'), { dryRun: true });
    expect(summary.accepted).toBe((JSON.parse(whole['summary.json']!) as { accepted: number }).accepted);
    expect(existsSync(at('dry'))).toBe(false);
    const part = await curate({ ...plan, sample: 0.1 }, at('sample'));
    expect(part.rows).toBeGreaterThan(220);
    expect(part.rows).toBeLessThan(380);
    expect((await curate({ ...plan, limit: 10 }, at('limit'))).rows).toBe(11);
  });

  it('can be asked what became of a row', async () => {
    const question = JSON.parse(whole['questions.jsonl']!.split('\n')[0]!) as Question;
    expect(await explain(at('whole'), question.id.slice(0, 12))).toMatchObject([
      { outcome: 'accepted', question: { id: question.id } },
    ]);
    expect(await explain(at('whole'), 'big.jsonl:1')).toMatchObject([
      { outcome: 'dropped', entry: { reason: 'invalid-json', line: 1 } },
    ]);
    await expect(explain(at('whole'), 'nothing')).rejects.toMatchObject({ code: 'ERR_UNKNOWN_NAME' });
  });
});

describe('workers', () => {
  const cli = resolve(__dirname, '../../dist/cli/main.js');
  const onBuilt = existsSync(cli) ? it : it.skip;

  onBuilt.each([1, 2, 4])('%d of them write the same bytes', (workers) => {
    const dir = at(`workers-${workers}`);
    const args = ['curate', '--input', big, small, '--adapter', 'gsm8k', '--duplicates', 'near', '--seed', '3'];
    execFileSync(process.execPath, [cli, ...args, '--workers', String(workers), '--out', dir, '--json']);
    if (workers === 1) mkdirSync(at('reference'), { recursive: true });
    expect(bytesOf(dir)).toEqual(bytesOf(at('workers-1')));
  });
});

describe('inputs and recipes', () => {
  it('expand globs in order, and data sets in the Hugging Face cache', async () => {
    mkdirSync(at('g', 'sub'), { recursive: true });
    for (const name of ['g/b.csv', 'g/a.csv', 'g/sub/c.csv', 'g/d.txt']) folder.write(name, '');
    expect(await expandInput('g/*.csv', folder.path)).toEqual([at('g/a.csv'), at('g/b.csv')]);
    expect(await expandInput('g/**/*.csv', folder.path)).toEqual([at('g/a.csv'), at('g/b.csv'), at('g/sub/c.csv')]);
    await expect(expandInput('g/*.json', folder.path)).rejects.toThrow(/no file matches/);

    const repository = at('hub', 'datasets--me--quiz');
    mkdirSync(join(repository, 'refs'), { recursive: true });
    mkdirSync(join(repository, 'snapshots', 'abc', 'data'), { recursive: true });
    folder.write('hub/datasets--me--quiz/refs/main', 'abc\n');
    folder.write('hub/datasets--me--quiz/snapshots/abc/data/t.jsonl', '{}');
    process.env['HF_HUB_CACHE'] = at('hub');
    try {
      expect(await expandInput('hf://me/quiz/data/*.jsonl', '')).toEqual([
        join(repository, 'snapshots/abc/data/t.jsonl'),
      ]);
      await expect(expandInput('hf://me/none', '')).rejects.toThrow(/not in the Hugging Face cache/);
    } finally {
      delete process.env['HF_HUB_CACHE'];
    }
  });

  it('recipes become plans; their errors name the field', async () => {
    folder.write('bench.jsonl', '{"question":"One?","answer":"#### 1"}\n');
    const recipe = folder.write(
      'recipe.yaml',
      [
        'name: mine',
        'inputs:',
        '  - files: [small.jsonl]',
        '    adapter: gsm8k',
        '  - files: odd.jsonl',
        '    mapping: { source: odd, question: q.text, answer: a, options: o, answerFormat: index-from-1 }',
        'filters: [verifiable, { name: decontaminate, benchmarks: [bench.jsonl] }]',
        'duplicates: exact',
        '',
      ].join('\n'),
    );
    folder.write('odd.jsonl', '{"q":{"text":"Which?"},"a":2,"o":["x","y"]}\n{"q":{},"a":1,"o":["x","y"]}\n');
    const made = await readCurateRecipe(recipe);
    expect(made.inputs.map(({ file, adapter }) => [file, adapter])).toEqual([
      [small, 'gsm8k'],
      [at('odd.jsonl'), 'generic'],
    ]);
    const summary = await curate(made, at('recipe'));
    expect(summary).toMatchObject({
      rows: 3,
      accepted: 1,
      sources: { odd: 1 },
      reasons: { contaminated: 1, 'missing-field': 1 },
    });
    const [question] = readFileSync(at('recipe', 'questions.jsonl'), 'utf8').split('\n');
    expect((JSON.parse(question!) as Question).answer).toEqual({ type: 'option', value: 'B' });

    const bad = async (text: string): Promise<unknown> => readCurateRecipe(folder.write('bad.yaml', text));
    await expect(bad('inputs: []')).rejects.toMatchObject({ code: 'ERR_SCHEMA' });
    await expect(bad('inputs: [{files: small.jsonl}]\nfilter: [x]')).rejects.toThrow(/filter/);
    await expect(bad('inputs: [{files: small.jsonl}]\nfilters: [x]')).rejects.toThrow(/Known: verifiable/);
    await expect(bad('inputs: [{files: small.jsonl, mapping: {source: x}}]')).rejects.toThrow(/question/);
    await expect(bad('a: [')).rejects.toMatchObject({ code: 'ERR_PARSE' });
  });

  it('shuffle options, and count tokens with a model’s tokenizer', async () => {
    mkdirSync(at('model'), { recursive: true });
    const vocab = { '[UNK]': 0 };
    const model = {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    };
    folder.write(
      'model/tokenizer.json',
      JSON.stringify({
        added_tokens: [],
        normalizer: null,
        pre_tokenizer: { type: 'Whitespace' },
        post_processor: null,
        decoder: null,
        model,
      }),
    );
    const csv = folder.write('choices.csv', `Q?,a,b,c,d,A\n"${'word '.repeat(200)}?",a,b,c,d,A\n`);
    const made = makePlan([{ file: csv, adapter: 'mmlu' }], {
      shuffleOptions: true,
      filters: ['verifiable', { name: 'tokens', tokenizer: at('model'), max: 150 }],
    });
    const summary = await curate(made, at('shuffled'));
    expect(summary).toMatchObject({ accepted: 1, reasons: { 'too-many-tokens': 1 } });
    const [line] = readFileSync(at('shuffled', 'questions.jsonl'), 'utf8').split('\n');
    const question = JSON.parse(line!) as Question;
    expect(question.provenance.steps[1]).toMatch(/^shuffle:[ABCD]{4}$/);
    expect(question.options?.find(({ label }) => label === question.answer.value)?.text).toBe('a');
  });

  it('shards come from the argument or from the scheduler', () => {
    expect(parseShard('2/4')).toEqual({ index: 1, count: 4 });
    const slurm = { SLURM_ARRAY_TASK_ID: '6', SLURM_ARRAY_TASK_MIN: '5', SLURM_ARRAY_TASK_COUNT: '4' };
    expect(parseShard('auto', slurm)).toEqual({ index: 1, count: 4 });
    expect(parseShard('auto', { RANK: '0', WORLD_SIZE: '2' })).toEqual({ index: 0, count: 2 });
    expect(() => parseShard('0/4')).toThrow(/--shard/);
    expect(() => parseShard('auto', {})).toThrow(/SLURM_ARRAY_TASK_ID/);
  });
});

describe('data sets whose texts are not to be shown', () => {
  const csv =
    'Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2,Incorrect Answer 3\nSecret stem?,secret a,secret b,secret c,secret d\nNo gold?,,x,y,z\n';

  it('are counted, and written without their texts unless asked', async () => {
    const file = folder.write('gpqa.csv', csv);
    const summary = await curateFiles([file], at('hidden'));
    expect(summary).toMatchObject({ rows: 2, accepted: 1, reasons: { 'empty-option': 1 } });
    expect(Object.values(bytesOf(at('hidden'))).join('')).not.toContain('secret');
    await curateFiles([file], at('shown'), { plaintext: true });
    expect(readFileSync(at('shown', 'questions.jsonl'), 'utf8')).toContain('secret');
  });
});
