import { Readable } from 'node:stream';
import zlib from 'node:zlib';
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

/** Decompresses gzip (also of several members). A cut stream throws behind the last whole bytes. */
export function gunzip(stream: ByteStream): ByteStream {
  const output = zlib.createGunzip();
  const input = Readable.from(stream);
  input.on('error', (error) => output.destroy(error));
  return input.pipe(output);
}

/** Decompresses Zstandard; in plain JavaScript, because Node.js 20 has no decoder of its own. */
export async function* unzstd(stream: ByteStream): AsyncGenerator<Buffer> {
  const { Decompress } = await import('fzstd');
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
