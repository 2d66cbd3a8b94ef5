import { openAsBlob } from 'node:fs';
import { BlobReader, configure, type Entry, type FileEntry, Uint8ArrayWriter, ZipReader } from '@zip.js/zip.js';
import { CrossThinkError } from '../../errors.js';
import { type Drop, drop } from '../ledger.js';

/**
 * Passwords that stand in the readme beside the archives they belong to, which are locked against crawlers, not readers:
 * GPQA's (github.com/idavidrein/gpqa). `curate` withholds GPQA's texts all the same.
 */
const PUBLISHED_PASSWORDS = ['deserted-untie-orchid'];

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
 * The files of a zip archive, one at a time, unpacked in memory and never on disk. Encrypted members (traditional and AES)
 * need `password`, unless one that is published with its data set opens them.
 */
export async function* zipMembers(file: string, password?: string): AsyncGenerator<ZipMember | BadMember> {
  configure({ useWebWorkers: false });
  const reader = new ZipReader(new BlobReader(await openAsBlob(file)));
  try {
    for (const entry of await entriesOf(reader, file)) {
      if (entry.directory || /(?:^|\/)(?:__MACOSX\/|\.)/.test(entry.filename)) continue;
      const passwords = password === undefined ? PUBLISHED_PASSWORDS : [password];
      if (entry.encrypted) yield await unlocked(entry, passwords, file, password !== undefined);
      else yield await unpacked(entry).catch((cause: unknown) => damaged(entry, cause));
    }
  } finally {
    await reader.close();
  }
}

async function unpacked(entry: FileEntry, password?: string): Promise<ZipMember> {
  const settings = password === undefined ? {} : { password };
  // The sum tells a wrong password that the one byte of the traditional encryption lets through.
  const bytes = await entry.getData(new Uint8ArrayWriter(), { ...settings, checkSignature: true });
  return { name: entry.filename, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

function damaged({ filename }: Entry, cause: unknown): BadMember {
  return { name: filename, fault: drop('truncated-file', `cannot unpack ${filename}: ${reasonOf(cause)}`) };
}

/** The member under the first password that opens it; throws where none does. */
async function unlocked(
  entry: FileEntry,
  passwords: readonly string[],
  file: string,
  given: boolean,
): Promise<ZipMember> {
  let cause: unknown;
  for (const password of passwords) {
    try {
      return await unpacked(entry, password);
    } catch (error) {
      cause = error;
    }
  }
  if (given) {
    throw new CrossThinkError('ERR_PARSE', `cannot unpack ${entry.filename}: ${reasonOf(cause)}`, { file, cause });
  }
  const message = `${entry.filename} is encrypted; give the password with --password or CROSSTHINK_ZIP_PASSWORD`;
  throw new CrossThinkError('ERR_INVALID_ARG_VALUE', message, { file, field: '--password' });
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

async function entriesOf(reader: ZipReader<Blob>, file: string): Promise<Entry[]> {
  return reader.getEntries().catch((cause: unknown) => {
    throw new CrossThinkError('ERR_PARSE', `not a whole zip archive: ${reasonOf(cause)}`, { file, cause });
  });
}
