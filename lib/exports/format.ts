import type { Question } from '../data/question.js';
import type { ParquetType } from '../data/writers/parquet.js';
import type { PromptOptions } from '../templates/prompt.js';

/** How questions are exported. */
export interface ExportOptions extends PromptOptions {
  /** Name of the split, where the format has one; default `train`. */
  readonly split?: string;
}

/** One trainer's row format. */
export interface ExportFormat {
  readonly name: string;
  /** The project and version whose documented fields the rows follow. */
  readonly follows: string;
  readonly container: 'jsonl' | 'parquet';
  /** Columns of a Parquet file, the same for every source: trainers concatenate files. */
  readonly columns?: Readonly<Record<string, ParquetType>>;
  /** The row of the question at a place, counted from 0 over the whole file. */
  readonly row: (question: Question, index: number, options: ExportOptions) => Readonly<Record<string, unknown>>;
}

/** What a trainer compares an answer with, always text: the label of a choice, or the answer. */
export function goldText({ answer }: Question): string {
  return answer.value;
}

/** The typed answer as text, so that coming back loses nothing: type, alternatives, unit, tolerance. */
export function answerJson({ answer }: Question): string {
  return JSON.stringify(answer);
}
