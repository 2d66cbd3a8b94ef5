import { rename, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Type of a column: text, whole number, a list of one type, or a structure. */
export type ParquetType = 'string' | 'int64' | readonly [ParquetType] | { readonly [field: string]: ParquetType };

/** One element of a Parquet schema, in the depth-first order of the file format. */
export interface SchemaElement {
  readonly name: string;
  readonly type?: 'BYTE_ARRAY' | 'INT64';
  readonly converted_type?: 'UTF8' | 'LIST';
  readonly repetition_type?: 'OPTIONAL' | 'REPEATED' | 'REQUIRED';
  readonly num_children?: number;
}

/** Depth-first schema of named columns; lists in the three-level form that Arrow and the Hugging Face tools write. */
export function parquetSchema(columns: Readonly<Record<string, ParquetType>>): SchemaElement[] {
  const names = Object.keys(columns);
  return [
    { name: 'schema', num_children: names.length },
    ...names.flatMap((name) => elements(name, columns[name] ?? 'string')),
  ];
}

function elements(name: string, type: ParquetType): SchemaElement[] {
  if (type === 'string') return [{ name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' }];
  if (type === 'int64') return [{ name, type: 'INT64', repetition_type: 'OPTIONAL' }];
  if (isList(type)) {
    return [
      { name, converted_type: 'LIST', repetition_type: 'OPTIONAL', num_children: 1 },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      ...elements('element', type[0]),
    ];
  }
  const fields = Object.keys(type);
  return [
    { name, repetition_type: 'OPTIONAL', num_children: fields.length },
    ...fields.flatMap((field) => elements(field, type[field] ?? 'string')),
  ];
}

function isList(type: ParquetType): type is readonly [ParquetType] {
  return Array.isArray(type);
}

/** Rows of a row group: how much is held in memory. */
const GROUP_ROWS = 20_000;

/** Writes rows to a Parquet file of fixed columns, a row group at a time; the file appears only when it is whole. */
export async function writeParquet(
  path: string,
  columns: Readonly<Record<string, ParquetType>>,
  rows: AsyncIterable<Readonly<Record<string, unknown>>>,
): Promise<number> {
  // hyparquet-writer is an ES module only.
  const { fileWriter, ParquetWriter } = await import('hyparquet-writer');
  mkdirSync(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  let count = 0;
  try {
    const writer = new ParquetWriter({ writer: fileWriter(temporary), schema: parquetSchema(columns) });
    let group: Readonly<Record<string, unknown>>[] = [];
    const flush = async (): Promise<void> => {
      const columnData = Object.entries(columns).map(([name, type]) => ({
        name,
        data: group.map((row) => toParquet(row[name], type)),
      }));
      await writer.write({ columnData, rowGroupSize: GROUP_ROWS });
      group = [];
    };
    for await (const row of rows) {
      group.push(row);
      count++;
      if (group.length === GROUP_ROWS) await flush();
    }
    if (group.length > 0 || count === 0) await flush();
    await writer.finish();
    await rename(temporary, path);
    return count;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Whole numbers of 64 bits are BigInt to the writer. */
function toParquet(value: unknown, type: ParquetType): unknown {
  if (value === null || value === undefined) return null;
  if (type === 'int64') return BigInt(value as number);
  if (type === 'string') return value;
  if (isList(type)) return (value as readonly unknown[]).map((item) => toParquet(item, type[0]));
  return Object.fromEntries(
    Object.keys(type).map((field) => [
      field,
      toParquet((value as Record<string, unknown>)[field], type[field] ?? 'string'),
    ]),
  );
}
