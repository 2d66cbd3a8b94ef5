import type { Question } from '../data/question.js';
import { type Estimate, meanEstimate, passAtK, proportionEstimate } from './estimate.js';

/** One answer to a question, judged. */
export interface JudgedAnswer {
  readonly question: Question;
  /** 1 where answer and format are right, else 0. */
  readonly reward: number;
  /** 1 where the final answer is right, whatever the format. */
  readonly accuracy: number;
  readonly format: number;
  /** Length of the answer. */
  readonly tokens: number;
}

/** What a set of judged answers comes to. Shares are of 1. */
export interface EvaluationStats {
  readonly questions: number;
  /** Answers per question. */
  readonly samples: number;
  /** Mean reward: answer and format right. Interval: Wilson's for one answer a question, else over the questions' means. */
  readonly passAt1: Estimate;
  /** Share of questions that a draw of `k` answers solves; absent with fewer than `k` answers. */
  readonly passAtK?: Estimate & { readonly k: number };
  /** Share of right final answers, whatever the format. */
  readonly accuracy: number;
  readonly format: number;
  readonly meanTokens: number;
  /** Mean length of the rewarded answers; null where there are none. */
  readonly tokensCorrect: number | null;
}

/** Statistics of all answers and of each part of them. */
export interface EvaluationSummary {
  readonly all: EvaluationStats;
  readonly domain: Readonly<Record<string, EvaluationStats>>;
  readonly form: Readonly<Record<string, EvaluationStats>>;
  readonly subject: Readonly<Record<string, EvaluationStats>>;
}

/** Statistics of answers, at least one; questions may have several answers each, all of them equally many. */
export function summariseAnswers(answers: readonly JudgedAnswer[], k = 8): EvaluationSummary {
  const parts = (key: (question: Question) => string): Record<string, EvaluationStats> =>
    Object.fromEntries(
      [...groupBy(answers, ({ question }) => key(question))].map(([name, group]) => [name, stats(group, k)]),
    );
  return {
    all: stats(answers, k),
    domain: parts(({ domain }) => domain),
    form: parts(({ form }) => form),
    subject: parts(({ subject }) => subject ?? 'other'),
  };
}

function stats(answers: readonly JudgedAnswer[], k: number): EvaluationStats {
  const questions = [...groupBy(answers, ({ question }) => question.id).values()];
  const correct = answers.filter(({ reward }) => reward === 1);
  const share = (of: (answer: JudgedAnswer) => number): number =>
    answers.reduce((sum, answer) => sum + of(answer), 0) / answers.length;
  const samples = Math.min(...questions.map(({ length }) => length));
  const hits = questions.map((group) => group.reduce((sum, { reward }) => sum + reward, 0));
  const solved = questions.map(({ length }, i) => (samples < k ? 0 : passAtK(length, hits[i] ?? 0, k)));
  return {
    questions: questions.length,
    samples,
    passAt1:
      answers.length === questions.length
        ? proportionEstimate(correct.length, answers.length)
        : meanEstimate(questions.map(({ length }, i) => (hits[i] ?? 0) / length)),
    ...(samples < k || k === 1 ? {} : { passAtK: { ...meanEstimate(solved), k } }),
    accuracy: share(({ accuracy }) => accuracy),
    format: share(({ format }) => format),
    meanTokens: share(({ tokens }) => tokens),
    tokensCorrect: correct.length === 0 ? null : correct.reduce((sum, { tokens }) => sum + tokens, 0) / correct.length,
  };
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = key(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return groups;
}
