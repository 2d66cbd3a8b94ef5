import { verifyLine, type RowError, type RowVerdict } from '../row.js';
import { verifyBatch, type BatchInput, type BatchVerdicts } from './batch.js';
import type { LinesTask } from './pool.js';

/** Entry points of a worker thread, by the name of the task. */
export function batch(input: BatchInput): BatchVerdicts {
  return verifyBatch(input);
}

export function lines({ lines: texts, first, defaults }: LinesTask): (RowVerdict | RowError)[] {
  return texts.flatMap((text, i) => (text.trim() === '' ? [] : [verifyLine(text, first + i, defaults)]));
}
