import { Readable } from 'node:stream';
import zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import type { ByteStream } from './open.js';

export type Compression = 'gzip' | 'zstd' | 'zip' | 'none';

/** The compression that the first four bytes of a file say. */
export function compressionOf(head: Buffer): Compression {
  const magic = head.subarray(0, 4).toString('hex');
  if (magic.startsWith('1f8b')) return 'gzip';
  if (magic === '28b52ffd') return 'zstd';
  // Local file header, or the end record of an empty archive.
  return magic === '504b0304' || magic === '504b0506' ? 'zip' : 'none';
}

/** First bytes, in hexadecimal, of formats that are met in place of a table and are not read. */
const FOREIGN: readonly (readonly [magic: string, what: string])[] = [
  ['425a68', 'compressed with bzip2'],
  ['fd377a585a', 'compressed with xz'],
  ['377abcaf271c', 'a 7z archive'],
  ['526172211a07', 'a RAR archive'],
  ['4152524f5731', 'an Arrow file'],
  ['53514c697465', 'an SQLite database'],
  ['d0cf11e0', 'an Excel workbook'],
];

/** What a file that is no table is, by its first bytes; undefined where they say nothing. */
export function foreignFormat(head: Buffer): string | undefined {
  if (head.subarray(257, 262).toString('latin1') === 'ustar') return 'a tar archive';
  const magic = head.subarray(0, 8).toString('hex');
  return FOREIGN.find(([start]) => magic.startsWith(start))?.[1];
}

/** Decompresses gzip (also of several members). A cut stream throws behind the last whole bytes. */
export function gunzip(stream: ByteStream): ByteStream {
  const output = zlib.createGunzip();
  const input = Readable.from(stream);
  input.on('error', (error) => output.destroy(error));
  return input.pipe(output);
}

/** Decompresses Zstandard; in plain JavaScript, because Node.js 20 has no decoder of its own. */
export async function* unzstd(stream: ByteStream): AsyncGenerator<Buffer> {
  let ready: Buffer[] = [];
  let ended = false;
  const decoder = new Decompress((chunk, final) => {
    ready.push(Buffer.from(chunk));
    ended ||= final === true;
  });
  for await (const chunk of stream) {
    decoder.push(chunk);
    yield* ready;
    ready = [];
  }
  decoder.push(new Uint8Array(0), true);
  yield* ready;
}
