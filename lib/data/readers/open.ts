import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { CrossThinkError } from '../../errors.js';

/** Opens a file for reading; throws `ERR_FILE_NOT_FOUND` or `ERR_INVALID_ARG_VALUE` with the path. */
export async function openBytes(file: string): Promise<Readable> {
  const info = await stat(file).catch((cause: unknown) => {
    const message = `no such file: ${file}. Check the path (it is taken relative to ${process.cwd()})`;
    throw new CrossThinkError('ERR_FILE_NOT_FOUND', message, { file, cause });
  });
  if (info.isDirectory()) {
    throw new CrossThinkError('ERR_INVALID_ARG_VALUE', `expected a file; received the folder ${file}`, { file });
  }
  return createReadStream(file, { highWaterMark: 1 << 20 });
}
