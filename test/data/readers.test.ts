import { gzipSync } from 'node:zlib';
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

describe('JSON Lines', () => {
  it('reads one value a line, past a byte-order mark, blank lines and CRLF', async () => {
    const file = folder.write('plain.jsonl', '\uFEFF{"a":1}\r\n\n{"a":"é"}\n[1,2]');
    expect(await readAll(file)).toEqual([
      { row: 1, line: 1, value: { a: 1 } },
      { row: 2, line: 3, value: { a: 'é' } },
      { row: 3, line: 4, value: [1, 2] },
    ]);
  });

  it('names row and line of broken rows and goes on behind them', async () => {
    const bad = Buffer.concat([
      Buffer.from('{"a":1}\n{"a":\n'),
      Buffer.from([0x22, 0xff, 0xfe, 0x22, 0x0a]),
      Buffer.from('{"a":"\0"}\n{"a":2}\n{"a":"cut'),
    ]);
    const items = await readAll(folder.write('broken.jsonl', bad));
    expect(values(items)).toEqual([{ a: 1 }, 'invalid-json', 'invalid-utf8', 'invalid-json', { a: 2 }, 'invalid-json']);
    expect(items.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5, 6]);
    const details = items.map((item) => ('fault' in item ? item.fault.detail : ''));
    expect(details[3]).toContain('NUL');
    expect(details[5]).toContain('the file ends inside this line');
  });

  it('skips a line longer than the limit without losing count, wherever chunks end', async () => {
    const long = `"${'x'.repeat(3_000_000)}"`;
    const file = folder.write('long.jsonl', `1\n${long}\n2\n${long}\n3\n`);
    const items = await readAll(file, { maxRowBytes: 100_000 });
    expect(values(items)).toEqual([1, 'line-too-long', 2, 'line-too-long', 3]);
    expect(items.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5]);
    expect(items.map(({ row }) => row)).toEqual([1, 2, 3, 4, 5]);
  });

  it('reads lines of every length, wherever chunks end: from a file as from a stream', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => ({ i, text: `${'é'.repeat((i * 7919) % 300_000)}.` }));
    const text = Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'));
    expect(text.length).toBeGreaterThan(10_000_000);
    const items = await readAll(folder.write('lengths.jsonl', text));
    expect(values(items)).toEqual(rows);
    expect(items.map(({ line }) => line)).toEqual(rows.map(({ i }) => i + 1));
    expect(await readAll(folder.write('lengths.jsonl.gz', gzipSync(text)))).toEqual(items);
  });

  it('reads characters that straddle chunks', async () => {
    const rows = Array.from({ length: 40_000 }, (_, i) => ({ text: `日本語 ${i} ünï😀` }));
    const file = folder.write('straddle.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
    expect(values(await readAll(file))).toEqual(rows);
  });
});

describe('CSV and TSV', () => {
  it('reads headerless rows as cells and headed rows as objects, with lines of multi-line cells', async () => {
    const plain = await readAll(folder.write('plain.csv', '"a ""b"", c",x\n"two\nlines",y\nz,w\n'));
    expect(plain).toEqual([
      { row: 1, line: 1, value: ['a "b", c', 'x'] },
      { row: 2, line: 2, value: ['two\nlines', 'y'] },
      { row: 3, line: 4, value: ['z', 'w'] },
    ]);
    const headed = await readAll(folder.write('headed.tsv', 'question\tanswer\nhow?\tso\n'));
    expect(headed).toEqual([{ row: 1, line: 2, value: { question: 'how?', answer: 'so' } }]);
  });

  it('reports rows whose cells do not match the header, and an open quote', async () => {
    const items = await readAll(folder.write('bad.csv', 'question,answer\na,b\nc\nd,e\n"open,f\n'));
    expect(values(items)).toEqual([
      { question: 'a', answer: 'b' },
      'malformed-csv',
      { question: 'd', answer: 'e' },
      'malformed-csv',
    ]);
    expect(items.map(({ line }) => line)).toEqual([2, 3, 4, 5]);
  });

  it('does not take a first row with a gold letter for a header', async () => {
    const [first] = await readAll(folder.write('letters.csv', 'The answer to the question,one,two,A\n'));
    expect(first).toMatchObject({ value: ['The answer to the question', 'one', 'two', 'A'] });
  });
});

describe('files', () => {
  it('says what is wrong with a path', async () => {
    await expect(readRows(`${folder.path}/none.jsonl`)).rejects.toMatchObject({ code: 'ERR_FILE_NOT_FOUND' });
    await expect(readRows(folder.path)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    await expect(readRows(folder.write('x.weird', 'no rows here'))).rejects.toThrow(/cannot tell the format/);
  });
});
