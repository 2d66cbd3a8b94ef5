import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { configure, TextReader, Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from '@zip.js/zip.js';
import fc from 'fast-check';
import { readRows } from '../../lib/data/readers/index.js';
import { readParquet } from '../../lib/data/readers/parquet.js';
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
    expect(items.length).toBeGreaterThan(1000);
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
  // hyparquet-writer is an ES module, which Jest cannot load: a child process writes.
  const write = (name: string, columns: string, options = ''): Buffer => {
    const script = `
      import { parquetWriteBuffer } from 'hyparquet-writer';
      process.stdout.write(Buffer.from(parquetWriteBuffer({ columnData: ${columns}, ${options} })));`;
    const bytes = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: resolve(__dirname, '../..'),
    });
    folder.write(name, bytes);
    return bytes;
  };

  it('reads nested columns, and says that a file was cut', async () => {
    const whole = write(
      't.parquet',
      `[
        { name: 'm', data: [[{ role: 'user' }], []], type: 'JSON' },
        { name: 'n', data: [1n, 2n ** 60n], type: 'INT64' },
      ]`,
    );
    expect(await readAll(`${folder.path}/t.parquet`)).toMatchObject([
      { row: 1, value: { m: [{ role: 'user' }], n: 1 } },
      { row: 2, value: { m: [], n: '1152921504606846976' } },
    ]);
    const cut = await readAll(folder.write('cut.parquet', whole.subarray(0, 60)));
    expect(cut).toMatchObject([{ row: 1, fault: { reason: 'truncated-file' } }]);
  });

  it('reads many stretches in order, and one from an archive', async () => {
    const whole = write('long.parquet', `[{ name: 'n', data: Array.from({ length: 5000 }, (_, i) => i) }]`);
    const expected = Array.from({ length: 5000 }, (_, n) => ({ n }));
    expect(values(await readAll(`${folder.path}/long.parquet`))).toEqual(expected);
    const writer = new ZipWriter(new Uint8ArrayWriter());
    await writer.add('long.parquet', new Uint8ArrayReader(whole));
    expect(values(await readAll(folder.write('long.zip', Buffer.from(await writer.close()))))).toEqual(expected);
  });

  it('with bytes changed gives rows and faults, and ends', async () => {
    const words = `Array.from({ length: 40 }, (_, i) => 'hen ' + (i % 7))`;
    const columns = `[
      { name: 'question', data: ${words}, type: 'STRING' },
      { name: 'meta', data: ${words}.map((w) => ({ w })), type: 'JSON' },
      { name: 'n', data: ${words}.map((_, i) => BigInt(i)), type: 'INT64' },
    ]`;
    const seen = { rows: 0, faults: 0, lost: 0 };
    for (const codec of ['SNAPPY', 'UNCOMPRESSED']) {
      const whole = write('whole.parquet', columns, `codec: '${codec}', rowGroupSize: 10`);
      // 76 bytes on, hyparquet 1.31.5 loops for ever: what the thread is for.
      const changes: [number, number][] = [
        [76, 21 ^ 4],
        ...fc.sample(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 })), { seed: 7, numRuns: 40 }),
      ];
      for (const [at, flip] of changes) {
        const damaged = Buffer.from(whole);
        damaged[at] = (damaged[at] ?? 0) ^ flip;
        const batches = readParquet({ path: folder.write('damaged.parquet', damaged) }, 1000);
        for await (const batch of batches) {
          for (const item of batch) {
            seen['fault' in item ? 'faults' : 'rows']++;
            if ('fault' in item && item.fault.detail.includes('no end of decoding')) seen.lost++;
          }
        }
      }
    }
    expect(seen.rows).toBeGreaterThan(500);
    expect(seen.faults).toBeGreaterThan(50);
    expect(seen.lost).toBeGreaterThan(0);
  });
});
