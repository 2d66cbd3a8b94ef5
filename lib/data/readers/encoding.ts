import { StringDecoder } from 'node:string_decoder';
import type { ByteStream } from './open.js';

/** What has to be done to the bytes of a text file before its rows are read. */
export type TextEncoding = 'utf8' | 'utf16le' | 'utf16be' | 'cr';

/**
 * The encoding that the first bytes of a text file say: UTF-16 by its byte-order mark or by the zero beside each of two
 * ASCII characters (Windows writes CSV like this); `cr` where lines end in carriage returns alone, as on old Macs.
 */
export function encodingOf(head: Buffer): TextEncoding {
  const [a = 0, b = 0, c = 0, d = 0] = head;
  if ((a === 0xff && b === 0xfe) || (a > 0 && b === 0 && c > 0 && d === 0)) return 'utf16le';
  if ((a === 0xfe && b === 0xff) || (a === 0 && b > 0 && c === 0 && d > 0)) return 'utf16be';
  return head.includes(0x0d) && !head.includes(0x0a) ? 'cr' : 'utf8';
}

/** The bytes as UTF-8 with line feeds. */
export async function* decoded(stream: ByteStream, encoding: TextEncoding): AsyncGenerator<Buffer> {
  if (encoding === 'utf8') yield* stream;
  else if (encoding === 'cr')
    for await (const chunk of stream) yield Buffer.from(chunk).map((byte) => (byte === 0x0d ? 0x0a : byte)) as Buffer;
  else yield* utf8Of(stream, encoding === 'utf16be');
}

/** No UTF-8: readers make a fault of the row that holds it. */
const BAD = Buffer.from([0xff]);

async function* utf8Of(stream: ByteStream, bigEndian: boolean): AsyncGenerator<Buffer> {
  const decoder = new StringDecoder('utf16le');
  let odd = Buffer.alloc(0);
  for await (const chunk of stream) {
    const bytes = Buffer.concat([odd, chunk]);
    const whole = bytes.subarray(0, bytes.length & ~1);
    odd = bytes.subarray(whole.length);
    yield utf8(decoder.write(bigEndian ? Buffer.from(whole).swap16() : whole));
  }
  yield utf8(decoder.end());
  if (odd.length > 0) yield BAD;
}

/** UTF-8 with `BAD` for each half of a surrogate pair that stands alone. */
function utf8(text: string): Buffer {
  const [first = '', ...rest] = text.split(/\p{Surrogate}/u);
  return rest.length === 0
    ? Buffer.from(first)
    : Buffer.concat([Buffer.from(first), ...rest.flatMap((part) => [BAD, Buffer.from(part)])]);
}
