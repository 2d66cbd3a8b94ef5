import { writeAtomically } from '../data/writers/atomic.js';
import { join } from 'node:path';
import { z } from 'zod';
import { CURATED_FILES, curateFiles, type CurateSummary } from '../curation/curate.js';
import { generateRows, proceduralPhrases } from '../data/procedural/generate.js';
import { type Question, questionSchema } from '../data/question.js';
import { readRows } from '../data/readers/index.js';
import { CrossThinkError } from '../errors.js';
import { answerText, buildTokenizer, promptText } from './format.js';
import { type QuestionSplit, splitQuestions } from './questions.js';
import type { CompactTokenizer } from './tokenizer.js';

/** Questions to train and test on, with their tokenizer. */
export interface TrainingData {
  readonly tokenizer: CompactTokenizer;
  readonly split: QuestionSplit;
  /** What curation kept and dropped, where it was done here. */
  readonly curation?: CurateSummary;
}

/** Names of the files the embedded questions leave in the output folder. */
export const EMBEDDED_FILES = { rows: 'embedded-rows.jsonl', curated: 'curated' } as const;

/**
 * The embedded questions (lib/data/procedural) through the whole data path: rows to a file, curation of that file into
 * questions and a ledger, then tokenizer and split. `perForm` is the number of rows per family and form.
 */
export async function embeddedData(
  out: string,
  options: { seed?: number; perForm?: number } = {},
): Promise<TrainingData> {
  const rows = generateRows(options);
  const file = join(out, EMBEDDED_FILES.rows);
  await writeAtomically([file], async (files) => {
    for (const row of rows) await files[0]?.writeJson(row);
  });
  const curated = join(out, EMBEDDED_FILES.curated);
  const curation = await curateFiles([file], curated, { adapter: 'procedural' });
  const questions = await readQuestions(join(curated, CURATED_FILES.questions));
  // A question's provenance says which row it was; the steps stay with the row.
  const solutions = new Map(
    questions.map(({ id, provenance }) => [id, rows[(provenance.row ?? 0) - 1]?.steps ?? ''] as const),
  );
  return { ...prepare(questions, solutions, proceduralPhrases(), 0), curation };
}

const solutionSchema = z.object({ id: z.string(), steps: z.string() });

/**
 * Curated questions of the caller, and worked steps for the warm start as JSONL rows `{id, steps}`. Throws with file and
 * line for a row that is neither.
 */
export async function fileData(questionsFile: string, solutionsFile?: string): Promise<TrainingData> {
  const questions = await readQuestions(questionsFile);
  const solutions = new Map<string, string>();
  if (solutionsFile !== undefined) {
    for (const { id, steps } of await readValidated(solutionsFile, solutionSchema, '{id, steps}'))
      solutions.set(id, steps);
  }
  return prepare(questions, solutions, [], 1024);
}

function prepare(
  questions: readonly Question[],
  solutions: ReadonlyMap<string, string>,
  phrases: readonly string[],
  size: number,
): TrainingData {
  const texts = questions.map(
    (question) => promptText(question) + answerText(solutions.get(question.id) ?? '', question.answer.value),
  );
  const tokenizer = buildTokenizer(texts, phrases, size);
  return { tokenizer, split: splitQuestions(questions, tokenizer, solutions) };
}

async function readQuestions(file: string): Promise<Question[]> {
  return (await readValidated(file, questionSchema, 'a question, as crossthink curate writes it')) as Question[];
}

async function readValidated<T>(file: string, schema: z.ZodType<T>, expected: string): Promise<T[]> {
  const rows: T[] = [];
  for await (const batch of await readRows(file)) {
    for (const item of batch) {
      const parsed = 'fault' in item ? undefined : schema.safeParse(item.value);
      if (parsed?.success !== true) {
        const issue = parsed?.error.issues[0];
        const why = 'fault' in item ? item.fault.detail : `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
        throw new CrossThinkError('ERR_SCHEMA', `expected ${expected}; ${why}`, { file, line: item.line ?? item.row });
      }
      rows.push(parsed.data);
    }
  }
  return rows;
}
