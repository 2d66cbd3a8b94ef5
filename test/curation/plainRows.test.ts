import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { adapterOf, BlockWriter, makeSteps } from '../../lib/curation/block.js';
import { makePlan, type PlanOptions } from '../../lib/curation/plan.js';
import { BatchMemory } from '../../lib/curation/questionBatch.js';
import type { Adapter } from '../../lib/data/adapters/adapter.js';
import { adapterByName, adapters } from '../../lib/data/adapters/registry.js';
import { readBlocks } from '../../lib/data/readers/index.js';
import { parseJsonlBlock } from '../../lib/data/readers/jsonl.js';
import type { RowBlock } from '../../lib/data/readers/reader.js';

/** The adapter without its short cut, and the rows that went the long way. */
function longWay(adapter: Adapter): { slow: Adapter; fast: Adapter; parsed: () => number } {
  let rows = 0;
  const parse: Adapter['parse'] = (row, context, identify) => {
    rows++;
    return adapter.parse(row, context, identify);
  };
  return { slow: { ...adapter, plain: undefined }, fast: { ...adapter, parse }, parsed: () => rows };
}

type Curated = Awaited<ReturnType<BlockWriter['finish']>>;

/** What is written of a block, and in which order; rows before `fromRow` are done. */
async function curated(block: RowBlock, adapter: Adapter, options: PlanOptions = {}, fromRow = 1): Promise<object> {
  const plan = makePlan([{ file: 'rows.jsonl', adapter: adapter.name }], options);
  const writer = new BlockWriter(plan, 0, adapter, await makeSteps(plan), fromRow, new BatchMemory());
  writer.addBlock(block);
  return plainly(await writer.finish());
}

/** Without the numbers of profiles, which depend on the order in which they were met. */
function plainly({ questions, drops }: Curated): object {
  const { lines, lineEnds, ids, rows, profiles, profileOf, keys, signatures } = questions;
  return {
    lines: Buffer.from(lines).toString('utf8').split('\n'),
    lineEnds: [...lineEnds],
    ids: Buffer.from(ids).toString('latin1'),
    rows: [...rows],
    profiles: [...profileOf].map((i) => profiles[i]),
    keys: keys === undefined ? [] : [...keys],
    signatures: signatures === undefined ? [] : [...signatures],
    drops,
  };
}

function blockOf(lines: readonly string[]): RowBlock {
  const bytes = Buffer.from(lines.join('\n'));
  const rows = lines.filter((line) => !/^[ \t\r]*$/.test(line)).length;
  return { bytes, firstRow: 1, firstLine: 1, rows, final: true };
}

const plain = adapters.filter((adapter) => adapter.plain !== undefined);
const names = [...new Set(plain.flatMap(({ plain: fields }) => [...fields!.question, ...fields!.answer]))];

const words = fc.constantFrom(
  'four',
  'the answer',
  'x+y',
  'Zürich',
  'a\tb',
  'twelve words '.repeat(6),
  'ab, cd; ef',
  'No',
);
const spaces = fc.constantFrom('', ' ', '\n', '\u00a0', '\u3000', '\ufeff', '\v\f', '\u2028');
const numbers = fc.constantFrom(
  '0',
  '-0',
  '007',
  '12',
  '-3',
  '1,234',
  '+5',
  '3.50',
  '1/2',
  '$5',
  '12.',
  '9'.repeat(20),
);
const gold = fc
  .tuple(spaces, fc.oneof(words, numbers, fc.string(), fc.string({ unit: 'binary' })), spaces)
  .map((parts) => parts.join(''));
const marked = fc
  .tuple(fc.constantFrom('so ', '#### 3 ', ''), fc.constantFrom('####', '#### ', '###'), gold)
  .map((parts) => parts.join(''));
const text = fc.oneof(fc.string({ unit: 'grapheme' }), gold, fc.constant('What is it? 😀 \u0007 \\frac12 "quoted"'));
const value = fc.oneof(text, gold, marked, fc.double(), fc.integer(), fc.jsonValue());
const field = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...names, 'subject', 'type') }, fc.string());

/** JSON as other programs write it: with spaces, with escapes for all that is not ASCII, broken here and there. */
const written = (row: fc.Arbitrary<object>): fc.Arbitrary<string> =>
  fc.tuple(row, fc.constantFrom(...WRITTEN), fc.nat()).map(([content, how, at]) => how(JSON.stringify(content), at));

const lastOfText = /"(?=[,}])/;
const WRITTEN: readonly ((json: string, at: number) => string)[] = [
  (json) => json,
  (json) => json.replace(/[^\0-~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`),
  (json) => ` ${json.replaceAll('":', '" : ')}\t`,
  (json, at) => json.slice(0, at % json.length) + json.slice((at % json.length) + 1),
  (json) => `${json.slice(0, -1)},${json.slice(1)}`,
  (json) => json.replace(lastOfText, '\\ud800!"'),
  (json) => json.replace(lastOfText, '\\ud83d\\ude00!"'),
  (json) => json.replace(lastOfText, '\u0001!"'),
  (json) => json.replace(lastOfText, '\\/\\u0009!"'),
  (json) => json.replace(lastOfText, '\\x!"'),
  (json) => `${json.slice(0, -1)},"more":[1,{"a":[null,true,-0.5e+3]}]}`,
  (json) => `${json.slice(0, -1)},"more":[01]}`,
  (json) => `${json}\r`,
  (json) => `${json} ]`,
  () => ' \t',
];

const plans: readonly PlanOptions[] = [
  {},
  { filters: [] },
  { filters: [{ name: 'verifiable', maxWords: 2 }] },
  { duplicates: 'near' },
  { limit: 5 },
  { shard: { index: 0, count: 2 } },
  { sample: 0.5 },
  { filters: ['self-contained'] },
  { template: 'open-ended' },
];

describe('the native short cut of plain rows', () => {
  it.each(plain.map((adapter) => [adapter.name, adapter] as const))('writes what %s writes', async (_, adapter) => {
    const { question, answer, mark, subject } = adapter.plain!;
    const row = (asked: unknown, right: unknown, about: unknown): object => ({
      [question[0]!]: asked,
      [answer[0]!]: right,
      [subject ?? 'other']: about,
    });
    const learnt = ['7', 'four'].map((right) => JSON.stringify(row('?', `${mark ?? ''}${right}`, 'x')));
    const right = mark === undefined ? fc.oneof(gold, fc.integer(), fc.double()) : marked;
    const simple = fc.oneof(words, numbers).map((text) => `${mark ?? ''}${text}`);
    const ordinary = fc
      .tuple(
        fc.oneof(text, fc.constant('Why?')),
        fc.oneof(simple, right),
        fc.constantFrom('x', ' x ', 'y', '', null, 'ü'),
      )
      .map((parts) => row(...parts));
    const lines = fc.array(
      written(fc.oneof({ weight: 3, arbitrary: ordinary }, fc.dictionary(field, value, { maxKeys: 6 }))),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(
        lines,
        fc.constantFrom(...plans),
        fc.integer({ min: 1, max: 4 }),
        async (rows, plan, fromRow) => {
          const block = blockOf([...learnt, ...rows]);
          const { slow, fast } = longWay(adapter);
          expect(await curated(block, fast, plan, fromRow)).toEqual(await curated(block, slow, plan, fromRow));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is taken by ordinary rows, also behind rows that are not', async () => {
    const rows = Array.from({ length: 5000 }, (_, i) => ({
      question: `What is ${i} less one?`,
      answer: i % 1000 === 500 ? 'not marked' : `so\n#### ${i + 1}`,
    }));
    const { fast, parsed } = longWay(adapterByName('gsm8k'));
    await curated(blockOf(rows.map((row) => JSON.stringify(row))), fast);
    // One for the profile, five without mark, and the few at which the lists of the batch grew.
    expect(parsed()).toBeLessThan(15);
  });

  it('knows the subjects it has seen, and numbers as they stand', async () => {
    const rows = Array.from({ length: 300 }, (_, i) => ({
      problem: `Which number is ${i}?`,
      answer: i % 3 === 0 ? i + 1 : `${i + 1}`,
      subject: `Part ${i % 4}`,
    }));
    const { fast, slow, parsed } = longWay(adapterByName('math500'));
    const block = blockOf(rows.map((row) => JSON.stringify(row)));
    const written = await curated(block, fast);
    expect(parsed()).toBe(4);
    expect(written).toEqual(await curated(block, slow));
  });

  it('leaves numbers to JavaScript that it would write in another way', async () => {
    const answers = ['12', '9007199254740993', '1e3', '-0', '1.0', '123456789012345'];
    const block = blockOf(answers.map((n) => `{"problem":"How many?","answer":${n}}`));
    const { fast, slow } = longWay(adapterByName('math500'));
    const written = await curated(block, fast);
    expect(written).toEqual(await curated(block, slow));
    expect(JSON.stringify(written)).toContain('9007199254740993');
  });
});

const real = resolve(__dirname, '../../../shared/data/A_questions');
const files = existsSync(real)
  ? readdirSync(real, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.jsonl'))
      .map((entry) => join(entry.parentPath, entry.name))
  : [];
const onReal = files.length > 0 ? it : it.skip;
if (files.length === 0) console.warn(`skipped: no test data at ${real}`);

onReal('writes the same of every real file of lines', async () => {
  let short = 0;
  for (const file of files) {
    let adapter: Adapter | undefined;
    for await (const block of await readBlocks(file)) {
      const items = 'items' in block ? [...block.items] : parseJsonlBlock(block);
      adapter ??= adapterOf({ file, adapter: 'auto' }, items);
      if (adapter?.plain === undefined) continue;
      const { fast, slow, parsed } = longWay(adapter);
      expect(await curated(block, fast, { duplicates: 'exact' })).toEqual(
        await curated(block, slow, { duplicates: 'exact' }),
      );
      short += items.length - parsed();
    }
  }
  expect(short).toBeGreaterThan(1000);
});
