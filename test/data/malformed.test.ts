import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { TextReader, Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from '@zip.js/zip.js';
import { curateFiles } from '../../lib/curation/curate.js';
import type { LedgerEntry } from '../../lib/data/ledger.js';
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
