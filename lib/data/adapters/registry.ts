import { CrossThinkError } from '../../errors.js';
import type { Adapter, RowContext } from './adapter.js';
import { gsm8k } from './gsm8k.js';
import { mmlu } from './mmlu.js';
import { nemotronCrossthinkRoll } from './nemotronCrossthinkRoll.js';
import { procedural } from './procedural.js';

/** All adapters, the more specific schema first: `auto` takes the first that recognises a row. */
export const adapters: readonly Adapter[] = [nemotronCrossthinkRoll, procedural, gsm8k, mmlu];

/** Spelling that does not count: case, and everything but letters and digits. */
function key(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

const byName = new Map(adapters.flatMap((a) => [a.name, ...(a.aliases ?? [])].map((name) => [key(name), a] as const)));

/** The adapter of that name or alias; throws `ERR_UNKNOWN_NAME` with the known names. */
export function adapterByName(name: string): Adapter {
  const adapter = byName.get(key(name));
  if (adapter !== undefined) return adapter;
  const known = adapters.map((candidate) => candidate.name).join(', ');
  const message = `unknown adapter ${JSON.stringify(name)}. Known: auto, ${known}`;
  throw new CrossThinkError('ERR_UNKNOWN_NAME', message, { field: '--adapter' });
}

/** The first adapter that recognises the row, for `--adapter auto`. */
export function recogniseAdapter(row: unknown, context: RowContext): Adapter | undefined {
  return adapters.find((adapter) => adapter.recognises(row, context));
}
