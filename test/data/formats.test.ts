import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { configure, TextReader, Uint8ArrayWriter, ZipWriter } from '@zip.js/zip.js';
import { readRows } from '../../lib/data/readers/index.js';
import type { ReadItem, ReadOptions } from '../../lib/data/readers/reader.js';
import { temporaryFolder } from './fixtures.js';

const folder = temporaryFolder();

async function readAll(file: string, options?: ReadOptions): Promise<ReadItem[]> {
  const items: ReadItem[] = [];
  for await (const batch of await readRows(file, options)) items.push(...batch);
  return items;
}

const values = (items: readonly ReadItem[]): unknown[] =>
  items.map((item) => ('value' in item ? item.value : item.fault.reason));

describe('JSON files', () => {
  it('reads an array element by element, with lines, whatever its layout', async () => {
    const pretty = '[\n {"a": 1,\n  "b": [1, {"c": "],["}]},\n {"a": 2}\n]\n';
    expect(await readAll(folder.write('pretty.json', pretty))).toEqual([
      { row: 1, line: 2, value: { a: 1, b: [1, { c: '],[' }] } },
      { row: 2, line: 4, value: { a: 2 } },
    ]);
    expect(values(await readAll(folder.write('one.json', '[{"a":1},{"a":2}]')))).toEqual([{ a: 1 }, { a: 2 }]);
    expect(await readAll(folder.write('empty.json', '[]'))).toEqual([]);
  });

  it('goes on behind a broken element and says that an array was cut', async () => {
    const items = await readAll(folder.write('broken.json', '[\n{"a":1},\n{"a":},\n{"a":3},\n{"a":'));
    expect(values(items)).toEqual([{ a: 1 }, 'invalid-json', { a: 3 }, 'truncated-file']);
    expect(items.map(({ line }) => line)).toEqual([2, 3, 4, 4]);
  });

  it('reads elements that straddle chunks, and skips one that is too long', async () => {
    const rows = Array.from({ length: 30_000 }, (_, i) => ({ text: `日本 ${i} "quoted" \\ [` }));
    expect(values(await readAll(folder.write('long.json', JSON.stringify(rows))))).toEqual(rows);
    const huge = JSON.stringify([{ a: 1 }, { a: 'x'.repeat(300_000) }, { a: 2 }]);
    expect(values(await readAll(folder.write('huge.json', huge), { maxRowBytes: 10_000 }))).toEqual([
      { a: 1 },
      'line-too-long',
      { a: 2 },
    ]);
  });

  it('takes the rows out of a document and keeps what stands beside them', async () => {
    const document = {
      name: 'task',
      canary: 'c',
      examples: [
        { input: 'x', target: 'y' },
        { input: 'z', target: 'w' },
      ],
    };
    expect(await readAll(folder.write('task.json', JSON.stringify(document, null, 1)))).toEqual([
      { row: 1, value: document.examples[0], envelope: { name: 'task', canary: 'c' } },
      { row: 2, value: document.examples[1], envelope: { name: 'task', canary: 'c' } },
    ]);
    const keyed = await readAll(folder.write('keyed.json', '{"p1":{"Q":1},"p2":{"Q":2}}'));
    expect(keyed).toMatchObject([
      { value: { Q: 1 }, envelope: { key: 'p1' } },
      { row: 2, envelope: { key: 'p2' } },
    ]);
    const single = '{"question":"Q?","choices":[{"text":"a"},{"text":"b"}],"answer":0}';
    expect(values(await readAll(folder.write('single.json', single)))).toEqual([JSON.parse(single)]);
  });

  it('knows JSON Lines by their content, not their name', async () => {
    for (const name of ['rows.json', 'rows.txt']) {
      expect(values(await readAll(folder.write(name, '{"a":1}\n{"a":2}\n')))).toEqual([{ a: 1 }, { a: 2 }]);
    }
    const long = `{"a":"${'x'.repeat(100_000)}"}`;
    expect(values(await readAll(folder.write('long.txt', `${long}\n{"a":2}\n`)))).toEqual([JSON.parse(long), { a: 2 }]);
  });
});

describe('compressed files', () => {
  const text = '{"a":1}\n{"a":2}\n';

  it('gzip, also when cut: the rows before the cut are read', async () => {
    expect(values(await readAll(folder.write('r.jsonl.gz', gzipSync(text))))).toEqual([{ a: 1 }, { a: 2 }]);
    const noise = Array.from({ length: 50_000 }, (_, i) => `{"a":${Math.imul(i, 2654435761)}}\n`).join('');
    const whole = gzipSync(noise);
    const items = await readAll(folder.write('cut.jsonl.gz', whole.subarray(0, whole.length - 1000)));
    expect(items.length).toBeGreaterThan(10_000);
    expect(values(items.slice(-1))).toEqual(['truncated-file']);
  });

  it('Zstandard', async () => {
    // A frame with one raw block, after RFC 8878: magic, single segment, size, last block.
    const body = Buffer.from(text);
    const frame = Buffer.concat([
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, body.length, 1 | (body.length << 3), 0, 0]),
      body,
    ]);
    expect(values(await readAll(folder.write('r.jsonl.zst', frame)))).toEqual([{ a: 1 }, { a: 2 }]);
  });

  it('zip, also encrypted, with the files inside told by their names', async () => {
    configure({ useWebWorkers: false });
    const writer = new ZipWriter(new Uint8ArrayWriter(), { password: 'open sesame', zipCrypto: true });
    await writer.add('inside/q.csv', new TextReader('question,answer\nhow?,so\n'));
    await writer.add('b.jsonl', new TextReader(text));
    await writer.add('__MACOSX/._b.jsonl', new TextReader('junk'));
    const file = folder.write('locked.zip', Buffer.from(await writer.close()));
    const password = 'open sesame';
    expect(values(await readAll(file, { password }))).toEqual([{ question: 'how?', answer: 'so' }, { a: 1 }, { a: 2 }]);
    await expect(readAll(file)).rejects.toThrow(/is encrypted; give the password/);
    await expect(readAll(file, { password: 'wrong' })).rejects.toMatchObject({ code: 'ERR_PARSE' });
    const published = new ZipWriter(new Uint8ArrayWriter(), { password: 'deserted-untie-orchid', zipCrypto: true });
    await published.add('b.jsonl', new TextReader(text));
    const gpqa = folder.write('gpqa.zip', Buffer.from(await published.close()));
    expect(values(await readAll(gpqa))).toEqual([{ a: 1 }, { a: 2 }]);
    await expect(readAll(folder.write('no.zip', Buffer.from('PK\x03\x04broken')))).rejects.toMatchObject({
      code: 'ERR_PARSE',
    });
  });
});

describe('CSV with faults', () => {
  it('finds the row with bad UTF-8, and loses only the line with the open quote', async () => {
    const bytes = Buffer.concat([
      Buffer.from('\uFEFFquestion,answer\nü,1\n'),
      Buffer.from([0xff, 0x2c, 0x32, 0x0a]),
      Buffer.from('"open,3\nq,4\nr,5\n'),
    ]);
    const items = await readAll(folder.write('faults.csv', bytes));
    expect(values(items)).toEqual([
      { question: 'ü', answer: '1' },
      'invalid-utf8',
      'malformed-csv',
      { question: 'q', answer: '4' },
      { question: 'r', answer: '5' },
    ]);
    expect(items.map(({ line }) => line)).toEqual([2, 3, 4, 5, 6]);
  });
});

describe('Parquet', () => {
  // hyparquet is an ES module, which Jest cannot load: a child process reads and prints.
  const run = (script: string): unknown => {
    const args = ['--import', 'tsx', '--input-type=module', '-e', script];
    return JSON.parse(execFileSync(process.execPath, args, { cwd: resolve(__dirname, '../..'), encoding: 'utf8' }));
  };
  const reader = resolve(__dirname, '../../lib/data/readers/index.ts');

  it('reads nested columns, and says that a file was cut', () => {
    const file = `${folder.path}/t.parquet`;
    const result = run(`
      import { writeFileSync, readFileSync } from 'node:fs';
      import { parquetWriteBuffer } from 'hyparquet-writer';
      import index from ${JSON.stringify(reader)};
      const rows = [{ m: [{ role: 'user' }], n: 1 }, { m: [], n: 2 }];
      const columnData = [
        { name: 'm', data: rows.map((r) => r.m), type: 'JSON' },
        { name: 'n', data: rows.map((r) => BigInt(r.n)), type: 'INT64' },
      ];
      writeFileSync(${JSON.stringify(file)}, Buffer.from(parquetWriteBuffer({ columnData })));
      writeFileSync(${JSON.stringify(`${file}.cut`)}, readFileSync(${JSON.stringify(file)}).subarray(0, 60));
      const out = [];
      for (const name of ['', '.cut']) for await (const b of await index.readRows(${JSON.stringify(file)} + name)) out.push(...b);
      console.log(JSON.stringify(out));
    `);
    expect(result).toMatchObject([
      { row: 1, value: { m: [{ role: 'user' }], n: 1 } },
      { row: 2, value: { m: [], n: 2 } },
      { row: 1, fault: { reason: 'truncated-file' } },
    ]);
  });
});
