import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { CrossThinkError } from '../errors.js';

/** Reads YAML (or JSON); throws `ERR_FILE_NOT_FOUND` or `ERR_PARSE` with the file. `what` is what the file is. */
export async function readYaml(file: string, what: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new CrossThinkError('ERR_FILE_NOT_FOUND', `cannot read the ${what} ${file}`, { file, cause });
  });
  try {
    return parse(text) as unknown;
  } catch (cause) {
    const message = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new CrossThinkError('ERR_PARSE', `not YAML: ${message}`, { file, cause });
  }
}

/** As `readYaml`, checked; `ERR_SCHEMA` names every field at fault. */
export async function readYamlAs<T extends z.ZodType>(file: string, what: string, schema: T): Promise<z.output<T>> {
  const parsed = schema.safeParse(await readYaml(file, what));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || what}: ${message}`);
  throw new CrossThinkError('ERR_SCHEMA', problems.join('; '), { file });
}
