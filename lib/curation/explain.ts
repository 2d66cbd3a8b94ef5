import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CrossThinkError } from '../errors.js';
import type { LedgerEntry } from '../data/ledger.js';
import type { Question } from '../data/question.js';
import { CURATED_FILES } from './curate.js';

/** What became of one row. */
export type Explanation =
  | { readonly outcome: 'accepted'; readonly question: Question }
  | { readonly outcome: 'dropped'; readonly entry: LedgerEntry };

/**
 * Finds out what became of a question or row in a curated folder: by id (a prefix of 6 or more characters is enough), or
 * by place, as `file:row`. Throws `ERR_UNKNOWN_NAME` where neither file knows it.
 */
export async function explain(dir: string, what: string): Promise<Explanation[]> {
  const found: Explanation[] = [];
  const matches = matcher(what);
  await eachLine(join(dir, CURATED_FILES.questions), (row) => {
    const question = row as Question;
    const { provenance } = question;
    if (matches(question.id, provenance.file, provenance.row)) found.push({ outcome: 'accepted', question });
  });
  await eachLine(join(dir, CURATED_FILES.ledger), (row) => {
    const entry = row as LedgerEntry;
    if (matches(entry.id, entry.file, entry.row)) found.push({ outcome: 'dropped', entry });
  });
  if (found.length > 0) return found;
  const message = `${what} is neither in ${CURATED_FILES.questions} nor in ${CURATED_FILES.ledger} of ${dir}. Give an id or file:row`;
  throw new CrossThinkError('ERR_UNKNOWN_NAME', message, { field: '--explain' });
}

type Matcher = (id: string | undefined, file: string | undefined, row: number | undefined) => boolean;

function matcher(what: string): Matcher {
  const place = /^(.+):(\d+)$/.exec(what);
  if (place?.[1] !== undefined) {
    const [, file, row] = place;
    return (_id, itsFile, itsRow) =>
      itsRow === Number(row) && (itsFile === file || itsFile?.endsWith(`/${file}`) === true);
  }
  return (id) => id === what || (what.length >= 6 && id?.startsWith(what) === true);
}

async function eachLine(file: string, visit: (row: unknown) => void): Promise<void> {
  const input = createReadStream(file);
  const failed = new Promise<never>((_resolve, reject) => {
    input.on('error', (cause) => {
      reject(
        new CrossThinkError('ERR_FILE_NOT_FOUND', `cannot read ${file}: is it a curated folder?`, { file, cause }),
      );
    });
  });
  const read = async (): Promise<void> => {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) visit(JSON.parse(line));
  };
  await Promise.race([read(), failed]);
}
