import { availableParallelism } from 'node:os';
import { invalidValue } from '../../errors.js';
import { resolveSettings, type VerifySettings } from '../settings.js';
import { readTarget, type VerifyQuestion } from '../target.js';
import { reasons, type Reason } from '../verdict.js';
import { verifyTarget } from '../verify.js';
import { withPool } from './pool.js';

/** Responses and their questions, as columns. */
export interface BatchInput {
  readonly responses: readonly string[];
  /** One per response, or one for `responses.length / questions.length` responses in a row (a group of rollouts). */
  readonly questions: readonly VerifyQuestion[];
  readonly settings?: VerifySettings;
}

/** Verdicts as columns, in the order of the responses. */
export interface BatchVerdicts {
  /** float32; NaN where the gold cannot be scored. */
  readonly reward: Float32Array;
  readonly accuracy: Float32Array;
  readonly format: Uint8Array;
  /** Index into `reasonCodes`. */
  readonly reason: Uint8Array;
  readonly extracted: readonly (string | null)[];
}

/** Reason codes by index; the order is stable within a version. */
export const reasonCodes = Object.keys(reasons) as readonly Reason[];

const indexOfReason = new Map(reasonCodes.map((code, i) => [code, i]));

/**
 * Judges a batch in this thread. Gold answers are read once per question. Throws CrossThinkError ERR_INVALID_ARG_VALUE
 * where the responses do not divide among the questions.
 */
export function verifyBatch({ responses, questions, settings }: BatchInput): BatchVerdicts {
  const group = groupSize(responses.length, questions.length);
  const resolved = resolveSettings(settings);
  const n = responses.length;
  const reward = new Float32Array(n);
  const accuracy = new Float32Array(n);
  const format = new Uint8Array(n);
  const reason = new Uint8Array(n);
  const extracted: (string | null)[] = [];
  let target = null;
  for (const [i, response] of responses.entries()) {
    const question = questions[Math.floor(i / group)];
    if (question === undefined) break;
    if (target === null || i % group === 0) target = readTarget(question);
    const verdict = verifyTarget(response, target, resolved);
    reward[i] = verdict.reward;
    accuracy[i] = verdict.accuracy;
    format[i] = verdict.format;
    reason[i] = indexOfReason.get(verdict.reason) ?? 0;
    extracted.push(verdict.extracted);
  }
  return { reward, accuracy, format, reason, extracted };
}

function groupSize(responses: number, questions: number): number {
  if (questions === 0 && responses === 0) return 1;
  if (questions === 0 || responses % questions !== 0) {
    throw invalidValue(
      'questions',
      `an array that ${responses} responses divide among`,
      questions,
      'Give one question per response or per group of responses.',
    );
  }
  return responses / questions;
}

/** As `verifyBatch`, on worker threads: `threads` of them (default: all cores). The verdicts are the same bit for bit. */
export async function verifyBatchAsync(
  input: BatchInput,
  { threads = availableParallelism() } = {},
): Promise<BatchVerdicts> {
  const { responses, questions } = input;
  const group = groupSize(responses.length, questions.length);
  // Whole groups per task, some tasks per thread, so that no thread waits long for the last.
  const perTask = Math.max(1, Math.ceil(questions.length / (threads * 4)));
  if (threads < 2 || responses.length < 64) return verifyBatch(input);
  const tasks: BatchInput[] = [];
  for (let from = 0; from < questions.length; from += perTask) {
    const part = {
      responses: responses.slice(from * group, (from + perTask) * group),
      questions: questions.slice(from, from + perTask),
    };
    tasks.push(input.settings === undefined ? part : { ...part, settings: input.settings });
  }
  const parts = await withPool(threads, (pool) => Promise.all(tasks.map((task) => pool.batch(task))));
  return join(parts, responses.length);
}

function join(parts: readonly BatchVerdicts[], n: number): BatchVerdicts {
  const all = {
    reward: new Float32Array(n),
    accuracy: new Float32Array(n),
    format: new Uint8Array(n),
    reason: new Uint8Array(n),
  };
  let at = 0;
  for (const part of parts) {
    all.reward.set(part.reward, at);
    all.accuracy.set(part.accuracy, at);
    all.format.set(part.format, at);
    all.reason.set(part.reason, at);
    at += part.reward.length;
  }
  return { ...all, extracted: parts.flatMap(({ extracted }) => extracted) };
}
