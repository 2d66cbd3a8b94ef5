import { CrossThinkError } from '../errors.js';
import type { ExportFormat } from './format.js';
import { nemoGym } from './nemoGym.js';
import { nemoRl } from './nemoRl.js';
import { openrlhf } from './openrlhf.js';
import { trl } from './trl.js';
import { verifiers } from './verifiers.js';
import { verl } from './verl.js';

/** The questions as they are. */
const jsonl: ExportFormat = {
  name: 'jsonl',
  follows: 'lib/data/question.ts',
  container: 'jsonl',
  row: (question) => ({ ...question }),
};

export const exportFormats: readonly ExportFormat[] = [verl, trl, nemoRl, nemoGym, openrlhf, verifiers, jsonl];

/** The format of that name, case and punctuation aside; throws `ERR_UNKNOWN_NAME`. */
export function exportFormat(name: string): ExportFormat {
  const key = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  const found = exportFormats.find((format) => key(format.name) === key(name));
  if (found !== undefined) return found;
  const known = exportFormats.map((format) => format.name).join(', ');
  throw new CrossThinkError('ERR_UNKNOWN_NAME', `unknown format ${JSON.stringify(name)}. Known: ${known}`, {
    field: '--format',
  });
}
