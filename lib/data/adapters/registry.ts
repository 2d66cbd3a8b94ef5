import { CrossThinkError } from '../../errors.js';
import { isDrop } from '../ledger.js';
import type { Adapter, RowContext } from './adapter.js';
import { agieval } from './agieval.js';
import { aime } from './aime.js';
import { amc23 } from './amc23.js';
import { aqua } from './aqua.js';
import { bbh } from './bbh.js';
import { bigbench } from './bigbench.js';
import { carpEn } from './carpEn.js';
import { cmath } from './cmath.js';
import { collegeMath } from './collegeMath.js';
import { common } from './common.js';
import { commonsenseqa } from './commonsenseqa.js';
import { deepmath } from './deepmath.js';
import { deepscaler } from './deepscaler.js';
import { dropQa } from './drop.js';
import { gaokao2023en } from './gaokao2023en.js';
import { gaokao2024Mix } from './gaokao2024Mix.js';
import { gpqa } from './gpqa.js';
import { gsm8k } from './gsm8k.js';
import { gsmHard } from './gsmHard.js';
import { legalbench } from './legalbench.js';
import { lenient } from './lenient.js';
import { llmAdapters } from './llmAdapters.js';
import { math } from './math.js';
import { math500 } from './math500.js';
import { medmcqa, medmcqaHub } from './medmcqa.js';
import { medqa } from './medqa.js';
import { minerva } from './minerva.js';
import { mmlu } from './mmlu.js';
import { mmluPro } from './mmluPro.js';
import { mmluStem } from './mmluStem.js';
import { multiSubjectRlvr } from './multiSubjectRlvr.js';
import { naturalReasoning } from './naturalReasoning.js';
import { nemoGym } from './nemoGym.js';
import { nemoSkills } from './nemoSkills.js';
import { nemotronCrossthinkOriginal } from './nemotronCrossthink.js';
import { nemotronCrossthinkRoll } from './nemotronCrossthinkRoll.js';
import { nqOpen } from './nqOpen.js';
import { numinaMath } from './numinaMath.js';
import { olympiadbench } from './olympiadbench.js';
import { openInstruct } from './openInstruct.js';
import { openReasonerZero } from './openReasonerZero.js';
import { procedural } from './procedural.js';
import { pubmedqa } from './pubmedqa.js';
import { roll } from './roll.js';
import { scibench } from './scibench.js';
import { superGpqa } from './superGpqa.js';
import { svamp } from './svamp.js';
import { tatqa } from './tatqa.js';
import { theoremqa } from './theoremqa.js';
import { triviaqa } from './triviaqa.js';
import { trl } from './trl.js';
import { truthfulqa } from './truthfulqa.js';
import { verl } from './verl.js';
import { webinstruct } from './webinstruct.js';

/** All adapters, the more specific schema first: `auto` takes the first that recognises a row. */
export const adapters: readonly Adapter[] = [
  // Training rows, told by their envelope.
  nemotronCrossthinkRoll,
  procedural,
  gpqa,
  multiSubjectRlvr,
  deepmath,
  roll,
  nemotronCrossthinkOriginal,
  nemoGym,
  verl,
  openInstruct,
  openReasonerZero,
  trl,
  // Multiple choice.
  agieval,
  aqua,
  commonsenseqa,
  gaokao2024Mix,
  llmAdapters,
  medmcqaHub,
  medmcqa,
  medqa,
  mmluPro,
  mmluStem,
  superGpqa,
  truthfulqa,
  mmlu,
  // Passages and tables.
  dropQa,
  pubmedqa,
  tatqa,
  // Open-ended.
  bigbench,
  bbh,
  carpEn,
  cmath,
  collegeMath,
  gsm8k,
  gsmHard,
  legalbench,
  naturalReasoning,
  nqOpen,
  olympiadbench,
  scibench,
  svamp,
  theoremqa,
  triviaqa,
  webinstruct,
  gaokao2023en,
  // Mathematics that differs in little: what has more marks comes first.
  math500,
  deepscaler,
  numinaMath,
  math,
  aime,
  amc23,
  minerva,
  nemoSkills,
  common,
];

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

/** Reasons that say of a row that it has another schema. */
const MISFITS = new Set(['unrecognised', 'missing-field', 'wrong-type', 'too-few-options']);

/** A row with what its adapters may know of it. */
export interface PlacedRow {
  readonly value: unknown;
  readonly context: RowContext;
}

/**
 * The adapter of a file by its first rows, for `--adapter auto`: the first that recognises one of them and can read half
 * of them. Data sets' own schemas come first, then copies of them (`lenient`), then plain field names (`common`).
 */
export function recogniseRows(rows: readonly PlacedRow[]): Adapter | undefined {
  const own = firstRecognising(adapters, rows);
  if (own === undefined || own === common || !fits(own, rows)) {
    const copies = adapters.filter((adapter) => adapter !== common).map(lenient);
    const copy = firstRecognising(copies, rows);
    if (copy !== undefined && fits(copy, rows)) return copy;
  }
  if (own !== undefined) return own;
  const copy = lenient(common);
  return rows.some(({ value, context }) => copy.recognises(value, context)) ? copy : undefined;
}

/** As `recogniseRows`, by one row. */
export function recogniseAdapter(value: unknown, context: RowContext): Adapter | undefined {
  return recogniseRows([{ value, context }]);
}

/** The first adapter that recognises one of the rows and reads half of them; else the first that recognises one. */
function firstRecognising(candidates: readonly Adapter[], rows: readonly PlacedRow[]): Adapter | undefined {
  const known = candidates.filter((adapter) => rows.some(({ value, context }) => adapter.recognises(value, context)));
  return known.find((adapter) => adapter !== common && fits(adapter, rows)) ?? known[0];
}

function fits(adapter: Adapter, rows: readonly PlacedRow[]): boolean {
  const values = rows.flatMap(({ value, context }) =>
    (adapter.expand?.(value) ?? [value]).map((one) => adapter.parse(one, context, false)),
  );
  const read = values.filter((result) => !isDrop(result) || !MISFITS.has(result.reason));
  return read.length * 2 >= values.length && read.length > 0;
}
