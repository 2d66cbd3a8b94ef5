import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CrossThinkError } from '../errors.js';
import { type Question, questionSchema } from '../data/question.js';
import { readRows } from '../data/readers/index.js';
import { AtomicFile } from '../data/writers/atomic.js';
import { writeParquet } from '../data/writers/parquet.js';
import type { ExportOptions } from './format.js';
import { exportFormat } from './registry.js';

/**
 * Writes curated questions (files, or folders with a `questions.jsonl`; blends too) in a trainer's row format. The file
 * appears only when it is whole. Returns the number of rows; throws with file and line for a row that is no question.
 */
export async function exportQuestions(
  inputs: readonly string[],
  out: string,
  format: string,
  options: ExportOptions = {},
): Promise<number> {
  const { row, container, columns } = exportFormat(format);
  let index = 0;
  async function* rows(): AsyncGenerator<Readonly<Record<string, unknown>>> {
    for await (const question of questionsOf(inputs)) yield row(question, index++, options);
  }
  if (container === 'parquet' && columns !== undefined) return writeParquet(out, columns, rows());
  const file = await AtomicFile.create(out);
  try {
    for await (const value of rows()) await file.writeJson(value);
    await file.commit();
  } catch (error) {
    await file.abort();
    throw error;
  }
  return index;
}

async function* questionsOf(inputs: readonly string[]): AsyncGenerator<Question> {
  for (const input of inputs) {
    const isFolder = await stat(input).then(
      (info) => info.isDirectory(),
      () => false,
    );
    const file = isFolder ? join(input, 'questions.jsonl') : input;
    for await (const batch of await readRows(file)) {
      for (const item of batch) {
        const place = { file, ...(item.line === undefined ? {} : { line: item.line }) };
        if ('fault' in item) throw new CrossThinkError('ERR_PARSE', item.fault.detail, place);
        const parsed = questionSchema.safeParse(item.value);
        if (!parsed.success) {
          const [issue] = parsed.error.issues;
          const field = issue?.path.join('.') ?? '';
          throw new CrossThinkError('ERR_SCHEMA', `not a curated question: ${field}: ${issue?.message ?? ''}`, {
            ...place,
            field,
          });
        }
        yield parsed.data as Question;
      }
    }
  }
}
