import { isRowObject, type RowObject } from '../fields.js';
import { parseLiteral } from '../literal.js';
import type { Adapter } from './adapter.js';

/**
 * The adapter for copies of its data set: column names in another spelling (case, spaces, `-` and `_`), lists and
 * mappings printed as text (what CSV files made of nested rows hold), rows wrapped as the Hugging Face viewer and
 * lm-evaluation-harness write them.
 */
export function lenient(adapter: Adapter): Adapter {
  return {
    ...adapter,
    plain: undefined,
    lenient: true,
    recognises: (row, context) => adapter.recognises(lenientRow(row), context),
    parse: (row, context, identify) => adapter.parse(lenientRow(row), context, identify),
    ...(adapter.expand === undefined ? {} : { expand: (row: unknown) => adapter.expand?.(lenientRow(row)) ?? [] }),
  };
}

/** The row as the data set's authors would have written it. */
export function lenientRow(row: unknown): unknown {
  return isRowObject(row) ? lenientView(unwrapped(row)) : row;
}

/**
 * `{row_idx, row}` of the Hugging Face viewer, `{doc_id, doc}` of lm-evaluation-harness, `{id, data, subject_name}` of
 * openlifescienceai, and rows that are their only field (`{train}` of MMLU's auxiliary_train).
 */
function unwrapped(row: RowObject): RowObject {
  if ('row_idx' in row && isRowObject(row['row'])) return row['row'];
  if ('doc_id' in row && isRowObject(row['doc'])) return row['doc'];
  if ('id' in row && isRowObject(row['data'])) return row['data'];
  const [only, second] = Object.values(row);
  return second === undefined && isRowObject(only) ? only : row;
}

/** The row with fields that answer to every spelling of their names; what it holds is seen in the same way. */
function lenientView(row: RowObject): RowObject {
  const names = new Map(Object.keys(row).map((name) => [spelling(name), name]));
  const nameOf = (name: string | symbol): string | symbol =>
    typeof name === 'symbol' || name in row ? name : (names.get(spelling(name)) ?? name);
  const values = new Map<string, unknown>();
  return new Proxy(row, {
    has: (_, name) => nameOf(name) in row,
    get: (_, asked) => {
      const name = nameOf(asked);
      if (typeof name === 'symbol') return undefined;
      if (!values.has(name)) values.set(name, lenientValue(row[name], name));
      return values.get(name);
    },
  });
}

function spelling(name: string): string {
  return name.toLowerCase().replace(/[\s_-]/g, '');
}

const ASKS = /question|problem|prompt|query|text|stem|instruction|input|passage|context/i;
const ANSWERS = /answer|gold|solution|target|label|output/i;

function lenientValue(value: unknown, name: string): unknown {
  const parsed = typeof value === 'string' ? structured(value, name) : value;
  if (Array.isArray(parsed)) return parsed.map((item: unknown) => (isRowObject(item) ? lenientView(item) : item));
  return isRowObject(parsed) ? lenientView(parsed) : parsed;
}

/** A list or mapping that a column holds as text. Prose in brackets stays prose, and a gold `[0, 1]` an interval. */
function structured(text: string, name: string): unknown {
  const parsed = parseLiteral(text);
  if (parsed === undefined || isRowObject(parsed)) return parsed ?? text;
  const items = Array.isArray(parsed) ? (parsed as unknown[]) : [];
  if (ASKS.test(name)) return items.some(isRowObject) ? parsed : text;
  return ANSWERS.test(name) && items.every((item) => typeof item === 'number') ? text : parsed;
}
