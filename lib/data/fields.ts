import { describe } from '../errors.js';
import { RowProblem } from './ledger.js';

/** A row with named columns, before its adapter has looked at it. */
export type RowObject = Readonly<Record<string, unknown>>;

/** Whether a raw row is an object with named fields (and not an array of cells). */
export function isRowObject(value: unknown): value is RowObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The row as an object, or the row is dropped as `wrong-type`. */
export function asObject(value: unknown): RowObject {
  if (isRowObject(value)) return value;
  throw new RowProblem('wrong-type', `expected an object with named fields; received ${describe(value)}`);
}

/** Text of the first of `names` that is present; the row is dropped where none is, or where it is no text. */
export function requireText(row: RowObject, ...names: readonly string[]): string {
  for (const name of names) {
    const value = row[name];
    if (typeof value === 'string') return value;
    if (value === undefined || value === null) continue;
    throw new RowProblem('wrong-type', `${name} must be text; received ${describe(value)}`);
  }
  throw new RowProblem('missing-field', `expected ${names.join(' or ')}; the row has ${fieldList(row)}`);
}

/** Text of a field that may be absent, null or of another type (then: undefined). */
export function optionalText(row: RowObject, name: string): string | undefined {
  const value = row[name];
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** A list of texts; numbers in it become text, anything else drops the row. */
export function requireTexts(row: RowObject, name: string): string[] {
  const value = row[name];
  if (value === undefined || value === null) {
    throw new RowProblem('missing-field', `expected ${name}; the row has ${fieldList(row)}`);
  }
  if (!Array.isArray(value)) throw new RowProblem('wrong-type', `${name} must be a list; received ${describe(value)}`);
  return value.map((item: unknown, i) => textOf(item, `${name}[${i}]`));
}

/** The text of a scalar; anything else drops the row, which `what` names the place of. */
export function textOf(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  throw new RowProblem('wrong-type', `${what} must be text; received ${describe(value)}`);
}

/** Text or number as text; the row is dropped where the field is absent or of another type. */
export function requireScalar(row: RowObject, ...names: readonly string[]): string {
  const name = names.find((candidate) => row[candidate] !== undefined && row[candidate] !== null);
  const value = name === undefined ? undefined : row[name];
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  return requireText(row, ...names);
}

function fieldList(row: RowObject): string {
  const names = Object.keys(row);
  return names.length === 0 ? 'no fields' : names.slice(0, 12).join(', ');
}

/** Text of a scalar; empty for null, undefined, lists and objects. */
export function scalarText(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint' ? String(value) : '';
}
