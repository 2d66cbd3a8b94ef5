import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { TextReader, Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from '@zip.js/zip.js';
import fc from 'fast-check';
import { curateFiles } from '../../lib/curation/curate.js';
import { CrossThinkError } from '../../lib/errors.js';
import type { LedgerEntry } from '../../lib/data/ledger.js';
import type { Question } from '../../lib/data/question.js';
import { temporaryFolder } from './fixtures.js';

const folder = temporaryFolder();
const row = (n: number): string => JSON.stringify({ question: `Ann has ${n} hens. How many?`, answer: `#### ${n}` });
const rows = Array.from({ length: 6 }, (_, i) => row(i));
const long = JSON.stringify({ question: 'x'.repeat(3 << 20), answer: '#### 1' });

/** Adapter, accepted rows, and `reason at row` of the others. */
async function outcome(name: string, content: string | Buffer): Promise<[string | undefined, number, string[]]> {
  const out = join(folder.path, 'out');
  const file = folder.write(name, content);
  const summary = await curateFiles([file], out, { fresh: true, maxRowBytes: 1 << 20 });
  const ledger = readFileSync(join(out, 'ledger.jsonl'), 'utf8').trim().split('\n').filter(Boolean);
  const entries = ledger.map((line) => JSON.parse(line) as LedgerEntry);
  expect(entries.map((entry) => entry.file)).toEqual(entries.map(() => file));
  return [summary.inputs[0]?.adapter, summary.accepted, entries.map((entry) => `${entry.reason} at ${entry.row ?? 0}`)];
}

async function zip(members: Record<string, string | Uint8Array>): Promise<Buffer> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { level: 0 });
  for (const [name, content] of Object.entries(members)) {
    await writer.add(name, typeof content === 'string' ? new TextReader(content) : new Uint8ArrayReader(content));
  }
  return Buffer.from(await writer.close());
}

describe('malformed input', () => {
  it('a bad first row does not hide what the file is', async () => {
    expect(await outcome('first.jsonl', [long, ...rows].join('\n'))).toEqual(['gsm8k', 6, ['line-too-long at 1']]);
  });

  it('a small gzip file that is cut or damaged ends in a fault', async () => {
    const packed = gzipSync(rows.join('\n'));
    const cut = await outcome('cut.jsonl.gz', packed.subarray(0, packed.length - 9));
    expect(cut[2].at(-1)).toMatch(/^truncated-file at/);
    const damaged = Buffer.from(packed);
    damaged.writeUInt32BE(0xffffffff, packed.length >> 1);
    expect((await outcome('damaged.jsonl.gz', damaged))[2].at(-1)).toMatch(/^truncated-file at/);
  });

  it('a long line is one fault in JSON Lines, in CSV, and in an archive', async () => {
    const lines = [...rows.slice(0, 3), long, ...rows.slice(3)].join('\n');
    const expected = ['gsm8k', 6, ['line-too-long at 4']];
    expect(await outcome('long.jsonl', lines)).toEqual(expected);
    expect(await outcome('long.zip', await zip({ 'long.jsonl': lines }))).toEqual(expected);
    const cells = (n: number): string => `"Ann has ${n} hens?","#### ${n}"`;
    for (const bad of [`"${'x'.repeat(3 << 20)}",1`, `${'x'.repeat(3 << 20)},1`]) {
      const csv = ['question,answer', cells(1), bad, cells(2)].join('\n');
      expect(await outcome('long.csv', csv)).toEqual(['gsm8k', 2, ['line-too-long at 2']]);
    }
  });

  it('an open quote costs its line, not the next question', async () => {
    const csv = 'question,answer\n"open,1\n"Ann has 2 hens?","#### 2"\n"Bo has\n3 hens?","#### 3"\n';
    expect(await outcome('open.csv', csv)).toEqual(['gsm8k', 2, ['malformed-csv at 1']]);
  });

  it('a member of an archive that is no table or damaged is a fault, the others are read', async () => {
    const members = { 'notes.md': 'Hens, all of them.', 'rows.jsonl': rows.join('\n') };
    expect(await outcome('two.zip', await zip(members))).toEqual(['gsm8k', 6, ['unreadable at 1']]);
  });
});

describe('a file that cannot be read', () => {
  const locked = async (): Promise<string> => {
    const writer = new ZipWriter(new Uint8ArrayWriter(), { password: 'secret', zipCrypto: true });
    await writer.add('rows.jsonl', new TextReader(rows.join('\n')));
    return folder.write('secret.zip', Buffer.from(await writer.close()));
  };

  it('is an error alone, and a ledger entry among others, which are read; also gone on with', async () => {
    mkdirSync(join(folder.path, 'folder'), { recursive: true });
    const bad = [
      folder.write('rows.jsonl.xz', Buffer.from('fd377a585a000004', 'hex')),
      folder.write('notes.md', 'Hens, all of them.'),
      await locked(),
      join(folder.path, 'folder'),
    ];
    const [first, second] = [folder.write('a.jsonl', rows.join('\n')), folder.write('b.jsonl', row(9))];
    const out = join(folder.path, 'several');
    for (const file of bad) {
      await expect(curateFiles([file], out, { fresh: true })).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    }
    const files = [first, ...bad, second];
    const stop = new Error('stop');
    const interrupted = curateFiles(files, out, {
      journalMs: 0,
      onProgress: ({ file }) => {
        if (file === second) throw stop;
      },
    });
    await expect(interrupted).rejects.toBe(stop);
    let resumed = 0;
    const summary = await curateFiles(files, out, { onResume: (done) => (resumed = done) });
    expect([summary.rows, summary.accepted, summary.reasons]).toEqual([11, 7, { unreadable: 4 }]);
    expect(resumed).toBeGreaterThan(6);
    const ledger = readFileSync(join(out, 'ledger.jsonl'), 'utf8').trim().split('\n');
    expect(ledger.map((line) => (JSON.parse(line) as LedgerEntry).file)).toEqual(bad);
  });
});

describe('bytes changed in a file', () => {
  it('leave rows and ledger entries, or an error with a code', async () => {
    const files: [string, Buffer][] = [
      ['flipped.jsonl', Buffer.from(rows.join('\n'))],
      ['flipped.json', Buffer.from(`[${rows.join(',')}]`)],
      ['flipped.csv', Buffer.from(table)],
      ['flipped.jsonl.gz', gzipSync(rows.join('\n'))],
      ['flipped.zip', await zip({ 'rows.jsonl': rows.join('\n') })],
    ];
    const change = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...files), change, async ([name, content], [at, flip]) => {
        const damaged = Buffer.from(content);
        damaged[at % damaged.length] = (damaged[at % damaged.length] ?? 0) ^ flip;
        try {
          const summary = await curateFiles([folder.write(name, damaged)], join(folder.path, 'flips'), { fresh: true });
          expect(summary.accepted + summary.dropped).toBe(summary.rows);
          expect(summary.rows).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(CrossThinkError);
        }
      }),
      { numRuns: 200 },
    );
  });
});

const deep = '['.repeat(200_000) + ']'.repeat(200_000);
const table = 'question,answer\r\n"Ann hät 1?","#### 1"\r\n"Bo 2? 😀","#### 2"\r\n';
const utf16 = (text: string): Buffer => Buffer.from(`\uFEFF${text}`, 'utf16le');
const bytes = (...parts: (string | number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string)));

/** Name, content, adapter, accepted rows, ledger. */
const FILES: readonly [string, string | Buffer, string | undefined, number, string[]][] = [
  ['lines.csv', rows.join('\n'), 'gsm8k', 6, []],
  ['array.csv', `[\n${rows.join(',\n')}]`, 'gsm8k', 6, []],
  ['lines.json', rows.join('\n'), 'gsm8k', 6, []],
  ['table.jsonl', table, 'gsm8k', 2, []],
  ['gzip.jsonl', gzipSync(rows.join('\n')), 'gsm8k', 6, []],
  ['mixed.jsonl', `${rows.slice(0, 3).join('\r\n')}\n${rows.slice(3).join('\n')}`, 'gsm8k', 6, []],
  ['mac.csv', table.replaceAll('\r\n', '\r'), 'gsm8k', 2, []],
  ['windows.csv', utf16(table), 'gsm8k', 2, []],
  ['big-endian.csv', utf16(table).swap16(), 'gsm8k', 2, []],
  ['no-mark.jsonl', Buffer.from(rows.join('\n'), 'utf16le'), 'gsm8k', 6, []],
  [
    'half.jsonl',
    utf16(`${row(1)}\n{"question":"\ud800?","answer":"#### 1"}\n${row(2)}`),
    'gsm8k',
    2,
    ['invalid-utf8 at 2'],
  ],
  [
    'odd.jsonl',
    bytes([0xff, 0xfe], [...Buffer.from(`${row(1)}\n`, 'utf16le')], [0x31]),
    'gsm8k',
    1,
    ['invalid-utf8 at 2'],
  ],
  ['nul.csv', 'question,answer\na?,#### 1\nx\0?,#### 2\nb?,#### 3\n', 'gsm8k', 2, ['malformed-csv at 2']],
  ['nul.json', `[${row(1)},{"question":"a\0","answer":"#### 1"},${row(2)}]`, 'gsm8k', 2, ['invalid-json at 2']],
  ['nuls.jsonl', `${row(1)}\n${'\0'.repeat(5000)}\n${row(2)}`, 'gsm8k', 2, ['invalid-json at 2']],
  ['bad.json', bytes(`[${row(1)},{"question":"`, [0xff], `"},${row(2)}]`), 'gsm8k', 2, ['invalid-utf8 at 2']],
  ['deep.jsonl', `${row(1)}\n{"question":"a?","answer":${deep}}\n${row(2)}`, 'gsm8k', 2, ['wrong-type at 2']],
  ['deep.json', `[${row(1)},${deep},${row(2)}]`, 'gsm8k', 2, ['wrong-type at 2']],
  ['deeper.jsonl', `{"question":"a?","choices":${deep},"answer":${deep}}`, undefined, 0, ['wrong-type at 1']],
  ['open.jsonl', `${row(1)}\n${'['.repeat(200_000)}\n${row(2)}`, 'gsm8k', 2, ['invalid-json at 2']],
  ['scalars.jsonl', `1\n"x"\n${rows.join('\n')}`, 'gsm8k', 6, ['wrong-type at 1', 'wrong-type at 2']],
  ['keys.jsonl', '{"__proto__":{"a":1},"constructor":2,"question":"a?","answer":"#### 1"}', 'gsm8k', 1, []],
  ['cut.csv', 'question,answer\na?,#### 1\n"b?,#### 2', 'gsm8k', 1, ['malformed-csv at 2']],
  ['blank.jsonl', '\n \n\r\n', undefined, 0, []],
  ['empty.jsonl.gz', gzipSync(''), undefined, 0, []],
  ['zstd.jsonl.zst', bytes([0x28, 0xb5, 0x2f, 0xfd], 'junk'), undefined, 0, ['truncated-file at 1']],
  ...['csv', 'tsv', 'json', 'jsonl', 'jsonl.gz', 'parquet', 'zip', 'txt'].map(
    (ending): [string, string, undefined, number, string[]] => [`empty.${ending}`, '', undefined, 0, []],
  ),
];

describe('files that are not what they should be', () => {
  it.each(FILES)('%s', async (name, content, adapter, acceptedRows, ledger) => {
    const [found, count, entries] = await outcome(name, content);
    if (adapter !== undefined) expect(found).toBe(adapter);
    expect([count, entries]).toEqual([acceptedRows, ledger]);
  });

  it.each([
    ['BZh91AY&SY', /compressed with bzip2; unpack/],
    ['\u00fd7zXZ\0', /compressed with xz/],
    [`${'\0'.repeat(257)}ustar${'\0'.repeat(250)}`, /a tar archive/],
    ['"a text"', /cannot tell the format/],
  ])('%j is an error that says what it is', async (content, message) => {
    await expect(outcome('foreign.jsonl.bin', Buffer.from(content, 'latin1'))).rejects.toThrow(message);
  });
});

describe('numbers that JavaScript cannot hold', () => {
  it.each(['12345678901234567891', '-9007199254740993', '1e999', '0.1'])(
    'are kept as they stand: %s',
    async (number) => {
      const line = `{"problem":"1234567890123456789 and \\"12345678901234567890?","answer":${number},"difficulty":1}`;
      for (const [name, content] of [['n.jsonl', line] as const, ['n.json', `[${line}]`] as const]) {
        await outcome(name, content);
        const [written = ''] = readFileSync(join(folder.path, 'out', 'questions.jsonl'), 'utf8').split('\n');
        const { question, answer } = JSON.parse(written) as Question;
        expect(question).toBe('1234567890123456789 and "12345678901234567890?');
        expect(answer.value).toBe(number);
      }
    },
  );
});
