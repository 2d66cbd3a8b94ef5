import { openAsBlob } from 'node:fs';
import { BlobReader, configure, type Entry, Uint8ArrayWriter, ZipReader } from '@zip.js/zip.js';
import { CrossThinkError } from '../../errors.js';
import { type Drop, drop } from '../ledger.js';

/** One file of an archive, unpacked in memory. */
export interface ZipMember {
  readonly name: string;
  readonly bytes: Buffer;
}

/** A file of an archive that cannot be unpacked. */
export interface BadMember {
  readonly name: string;
  readonly fault: Drop;
}

/**
 * The files of a zip archive, one at a time, unpacked in memory and never on disk. Encrypted members need `password`
 * (traditional and AES encryption).
 */
export async function* zipMembers(file: string, password?: string): AsyncGenerator<ZipMember | BadMember> {
  configure({ useWebWorkers: false });
  const reader = new ZipReader(new BlobReader(await openAsBlob(file)));
  try {
    for (const entry of await entriesOf(reader, file)) {
      if (entry.directory || /(?:^|\/)(?:__MACOSX\/|\.)/.test(entry.filename)) continue;
      if (entry.encrypted && password === undefined) {
        const message = `${entry.filename} is encrypted; give the password with --password or CROSSTHINK_ZIP_PASSWORD`;
        throw new CrossThinkError('ERR_INVALID_ARG_VALUE', message, { file, field: '--password' });
      }
      yield await entry.getData(new Uint8ArrayWriter(), password === undefined ? {} : { password }).then(
        (bytes) => ({ name: entry.filename, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) }),
        (cause: unknown) => {
          const why = cause instanceof Error ? cause.message : String(cause);
          if (entry.encrypted) {
            throw new CrossThinkError('ERR_PARSE', `cannot unpack ${entry.filename}: ${why}`, { file, cause });
          }
          return { name: entry.filename, fault: drop('truncated-file', `cannot unpack ${entry.filename}: ${why}`) };
        },
      );
    }
  } finally {
    await reader.close();
  }
}

async function entriesOf(reader: ZipReader<Blob>, file: string): Promise<Entry[]> {
  return reader.getEntries().catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CrossThinkError('ERR_PARSE', `not a whole zip archive: ${why}`, { file, cause });
  });
}
