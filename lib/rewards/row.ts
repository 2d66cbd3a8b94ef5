import { z } from 'zod';
import { CrossThinkError } from '../errors.js';
import type { Option } from '../data/question.js';
import { parseSettings, resolveSettings, type VerifySettings } from './settings.js';
import { fromParts, type Gold } from './target.js';
import type { Verdict } from './verdict.js';
import { verifyTarget } from './verify.js';

/** One line of `crossthink verify`: a response and what it is judged against. */
export interface VerifyRow {
  readonly id: string | number | null;
  readonly gold: Gold | null;
  readonly response: string;
  readonly options: readonly Option[];
  readonly form?: 'multiple-choice' | 'open-ended';
  readonly settings: VerifySettings;
}

/** What `crossthink verify` writes for a row, in JSON: NaN becomes null. */
export type RowVerdict = { readonly id: string | number | null } & Verdict;

/** What is written for a row that cannot be read. */
export interface RowError {
  readonly id: string | number | null;
  readonly line: number;
  readonly reward: null;
  readonly accuracy: null;
  readonly format: null;
  readonly extracted: null;
  readonly reason: 'bad_row';
  readonly error: string;
}

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const answer = z.object({
  type: z.enum(['option', 'integer', 'decimal', 'fraction', 'expression', 'boolean', 'text']),
  value: scalar.transform(String),
  alternatives: z.array(scalar.transform(String)).optional(),
  unit: z.string().optional(),
  tolerance: z.number().nonnegative().optional(),
});

const optionText = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const optionsSchema = z.union([
  z.array(z.object({ label: z.string().min(1), text: optionText })),
  z.array(optionText).transform((texts) => texts.map((text, i) => ({ label: letter(i), text }))),
  z.array(z.record(z.string().min(1), optionText)).transform((maps) => maps.flatMap(fromMap)),
  z.record(z.string().min(1), optionText).transform(fromMap),
]);

const rowSchema = z.object({
  id: z.union([z.string(), z.number()]).nullish(),
  gold: z.union([scalar, z.array(scalar), answer, z.null()]),
  response: z.union([z.string(), z.number(), z.boolean(), z.null()]),
  options: optionsSchema.nullish(),
  form: z.enum(['multiple-choice', 'open-ended']).nullish(),
  settings: z.record(z.string(), z.unknown()).nullish(),
});

function letter(index: number): string {
  return index < 26 ? String.fromCharCode(65 + index) : `${letter(Math.floor(index / 26) - 1)}${letter(index % 26)}`;
}

function fromMap(map: Record<string, string>): Option[] {
  return Object.entries(map).map(([label, text]) => ({ label, text }));
}

/** `options` in any of the accepted forms: texts, `{label, text}`, one-key objects `{"A": text}`, or one object. */
export function parseOptions(value: unknown): readonly Option[] {
  const parsed = optionsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new CrossThinkError(
    'ERR_SCHEMA',
    'options must be an array of texts, of {label, text} or of one-key objects, or one object of label to text',
    { field: 'options' },
  );
}

/** Checks a parsed row. Throws CrossThinkError ERR_SCHEMA that names the field. */
export function parseRow(value: unknown): VerifyRow {
  const parsed = rowSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = issue?.path.map(String).join('.') ?? '';
    const missing = typeof value === 'object' && value !== null && field !== '' && !(field in value);
    const problem = missing ? 'is missing' : (issue?.message ?? 'invalid');
    throw new CrossThinkError('ERR_SCHEMA', field === '' ? `row: ${problem}` : `${field}: ${problem}`, { field });
  }
  const row = parsed.data;
  return {
    id: row.id ?? null,
    gold: row.gold as Gold | null,
    response: row.response === null ? '' : String(row.response),
    options: row.options ?? [],
    ...(row.form == null ? {} : { form: row.form }),
    settings: row.settings == null ? {} : parseSettings(row.settings),
  };
}

/** Judges a row; its own settings win over `defaults`. */
export function verifyRow(row: VerifyRow, defaults: VerifySettings = {}): RowVerdict {
  const settings = resolveSettings({ ...defaults, ...row.settings });
  const target = fromParts(row.gold ?? '', row.options, row.form);
  return { id: row.id, ...verifyTarget(row.response, target, settings) };
}

/** Reads and judges one line of JSONL. Never throws: a line that cannot be read gives a `RowError` with its number. */
export function verifyLine(text: string, line: number, defaults: VerifySettings = {}): RowVerdict | RowError {
  let id: string | number | null = null;
  try {
    const value: unknown = JSON.parse(text);
    const given = typeof value === 'object' && value !== null ? (value as { id?: unknown }).id : undefined;
    if (typeof given === 'string' || typeof given === 'number') id = given;
    return verifyRow(parseRow(value), defaults);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const rest = { reward: null, accuracy: null, format: null, extracted: null } as const;
    return { id, line, ...rest, reason: 'bad_row', error: `line ${line}: ${message}` };
  }
}
