import { CrossThinkError } from '../../errors.js';
import { readCsv } from './csv.js';
import { readJsonl } from './jsonl.js';
import { openBytes } from './open.js';
import type { ReadOptions, RowReader } from './reader.js';

/** Reads the rows of a file; the format follows from the file's ending. */
export async function readRows(file: string, options: ReadOptions = {}): Promise<RowReader> {
  const ending = /\.([a-z0-9]+)$/i.exec(file)?.[1]?.toLowerCase() ?? '';
  switch (ending) {
    case 'jsonl':
    case 'ndjson':
      return readJsonl(await openBytes(file), options);
    case 'csv':
      return readCsv(await openBytes(file), options);
    case 'tsv':
      return readCsv(await openBytes(file), { ...options, delimiter: '\t' });
    default:
      throw new CrossThinkError(
        'ERR_INVALID_ARG_VALUE',
        `cannot tell the format of ${file} from its ending. Known endings: .jsonl, .ndjson, .csv, .tsv`,
        { file },
      );
  }
}
