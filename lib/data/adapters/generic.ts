import { z } from 'zod';
import { CrossThinkError } from '../../errors.js';
import { answerWithAliases, truthOr } from '../answer.js';
import { asObject, isRowObject, type RowObject } from '../fields.js';
import { stripInstructions } from '../instructions.js';
import { lastBoxed } from '../latex.js';
import { RowProblem } from '../ledger.js';
import { goldOption, optionsFromMap, unlabelled } from '../options.js';
import type { Option } from '../question.js';
import { type Adapter, defineAdapter, type ParsedRow } from './adapter.js';
import { lastUserText } from './messages.js';
import { goldText, splitOptions } from './promptRows.js';
import { goldChoice } from './shapes.js';

const mappingSchema = z.strictObject({
  /** Value of `Question.source`. */
  source: z.string().min(1),
  licence: z.string().default('unknown'),
  domain: z.enum(['general', 'math']).default('general'),
  /** Path to the question: a field, or `a.b.0.c`. */
  question: z.string().min(1),
  /** Path to text put before the question. */
  passage: z.string().optional(),
  /** Path to the gold: text, number, list of accepted forms. */
  answer: z.string().min(1),
  /** How the gold is written. */
  answerFormat: z.enum(['auto', 'letter', 'index', 'index-from-1', 'text', 'boxed', 'after-hashes']).default('auto'),
  /** Path to a list or mapping of options, paths of one option each, or `in-question`. */
  options: z.union([z.string(), z.array(z.string()).min(2)]).optional(),
  subject: z.string().optional(),
  passRate: z.string().optional(),
  /** Take instructions ("Please reason step by step …") off the question. */
  stripInstructions: z.boolean().default(false),
});

/** A declarative adapter as written in YAML, defaults filled in. */
export interface MappingSpec {
  readonly source: string;
  readonly licence: string;
  readonly domain: 'general' | 'math';
  readonly question: string;
  readonly passage?: string | undefined;
  readonly answer: string;
  readonly answerFormat: 'auto' | 'letter' | 'index' | 'index-from-1' | 'text' | 'boxed' | 'after-hashes';
  readonly options?: string | string[] | undefined;
  readonly subject?: string | undefined;
  readonly passRate?: string | undefined;
  readonly stripInstructions: boolean;
}

/** Checks a mapping; errors name file and field. */
export function checkMapping(value: unknown, file?: string): MappingSpec {
  const parsed = mappingSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'mapping'}: ${message}`);
  throw new CrossThinkError('ERR_SCHEMA', problems.join('; '), file === undefined ? {} : { file });
}

/** The adapter of a mapping, for data sets that have none of their own. */
export function genericAdapter(mapping: MappingSpec): Adapter {
  return defineAdapter({
    name: 'generic',
    source: mapping.source,
    description: 'field mapping in YAML',
    licence: mapping.licence,
    domain: mapping.domain,
    recognises: (row) => isRowObject(row) && at(row, mapping.question) !== undefined,
    read: (row) => readMapped(asObject(row), mapping),
  });
}

function readMapped(row: RowObject, mapping: MappingSpec): ParsedRow {
  const asked = lastUserOr(need(row, mapping.question), mapping);
  const passage = mapping.passage === undefined ? undefined : at(row, mapping.passage);
  const text = typeof passage === 'string' && passage !== '' ? `${passage}\n\n${asked}` : asked;
  const gold = need(row, mapping.answer);
  const shared = {
    subject: mapping.subject === undefined ? undefined : textOrNothing(at(row, mapping.subject)),
    ...rate(row, mapping.passRate),
  };
  const split = mapping.options === 'in-question' ? splitOptions(text) : undefined;
  const options = split?.options ?? optionsOf(row, mapping);
  if (options === undefined) return { question: text, answer: openGold(gold, mapping), ...shared };
  const question = split?.question ?? text;
  return { question, options, answer: goldOption(options, choiceGold(goldText(gold), mapping)), ...shared };
}

function lastUserOr(value: unknown, mapping: MappingSpec): string {
  const text = typeof value === 'string' ? value : lastUserText(value);
  if (text === undefined) throw new RowProblem('wrong-type', `${mapping.question} must be text or chat messages`);
  return mapping.stripInstructions ? stripInstructions(text) : text;
}

function choiceGold(gold: string, { answerFormat }: MappingSpec): ReturnType<typeof goldChoice> {
  if (answerFormat === 'index') return { index: Number(gold) };
  if (answerFormat === 'index-from-1') return { index: Number(gold) - 1 };
  return answerFormat === 'text' ? { text: gold } : goldChoice(gold);
}

function openGold(gold: unknown, { answerFormat, domain }: MappingSpec): ParsedRow['answer'] {
  if (Array.isArray(gold)) return answerWithAliases(gold.map(goldText), domain);
  const text = typeof gold === 'string' ? gold : goldText(gold);
  if (answerFormat === 'text') return { type: 'text', value: text.trim() };
  if (answerFormat === 'boxed') return truthOr(lastBoxed(text) ?? '', domain);
  return truthOr(answerFormat === 'after-hashes' ? text.slice(text.lastIndexOf('####') + 4) : text, domain);
}

function optionsOf(row: RowObject, { options: where }: MappingSpec): Option[] | undefined {
  if (where === undefined || where === 'in-question') return undefined;
  if (Array.isArray(where)) return unlabelled(where.map((path) => goldText(need(row, path))));
  const given = need(row, where);
  if (Array.isArray(given))
    return unlabelled(given.map((item: unknown) => goldText(isRowObject(item) ? item['text'] : item)));
  return optionsFromMap(asObject(given));
}

function rate(row: RowObject, path: string | undefined): { passRate?: number } {
  const value = path === undefined ? undefined : at(row, path);
  return typeof value === 'number' && value >= 0 && value <= 1 ? { passRate: value } : {};
}

function textOrNothing(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Value at a path such as `a.b.0.c`; a field of that very name comes first. */
function at(row: RowObject, path: string): unknown {
  if (path in row) return row[path];
  let value: unknown = row;
  for (const step of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

function need(row: RowObject, path: string): unknown {
  const value = at(row, path);
  if (value !== undefined && value !== null) return value;
  throw new RowProblem('missing-field', `expected ${path}; the row has ${Object.keys(row).slice(0, 12).join(', ')}`);
}
