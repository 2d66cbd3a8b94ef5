import { numericAnswer, typedAnswer } from '../data/answer.js';
import { isRowObject } from '../data/fields.js';
import { lastBoxed } from '../data/latex.js';
import { type Drop, drop, isDrop, type LedgerEntry } from '../data/ledger.js';
import { comparableText, labelled } from '../data/options.js';
import { type Answer, type Domain, type Question, questionId } from '../data/question.js';
import type { Candidate } from './requests.js';

/** One line of a batch's answers: what was asked, and the text that came back. */
export interface BatchResponse {
  readonly custom_id: string;
  readonly content: string;
}

/** The text of an OpenAI-compatible answer, of a batch file or of the endpoint itself. */
export function responseContent(row: unknown): string | undefined {
  const response = isRowObject(row) && isRowObject(row['response']) ? row['response'] : row;
  const body = isRowObject(response) && isRowObject(response['body']) ? response['body'] : response;
  const choices = isRowObject(body) ? body['choices'] : undefined;
  const first: unknown = Array.isArray(choices) ? choices[0] : undefined;
  const message = isRowObject(first) ? first['message'] : undefined;
  const content = isRowObject(message) ? message['content'] : undefined;
  return typeof content === 'string' ? content : undefined;
}

/** The question that a teacher wrote, out of the JSON object in its answer; reasons `invalid-json`, `missing-field`. */
export function parseCandidate({ custom_id: id, content }: BatchResponse): Candidate | Drop {
  const text = content.replace(/<think>[\s\S]*?<\/think>/g, '');
  const found = text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1);
  let row: unknown;
  try {
    row = JSON.parse(found);
  } catch {
    return drop('invalid-json', 'the answer holds no JSON object');
  }
  if (!isRowObject(row) || typeof row['question'] !== 'string' || row['question'].trim() === '') {
    return drop('missing-field', 'the object has no text under question');
  }
  const { topic, options } = row;
  const base = { id, question: row['question'].trim(), ...(typeof topic === 'string' ? { topic } : {}) };
  if (options === undefined) return base;
  const texts = Array.isArray(options) ? options.filter((option) => typeof option === 'string') : [];
  if (texts.length < 2 || new Set(texts.map(comparableText)).size < texts.length) {
    return drop('too-few-options', 'the options are no list of two or more different texts');
  }
  return { ...base, options: labelled(texts) };
}

export interface VoteOptions {
  /** Share of the solutions that must agree; default 0.5. */
  readonly minShare?: number;
  readonly source?: string;
  readonly domain?: Domain;
  readonly licence?: string;
}

/**
 * The question with the gold that most solutions agree on, as the paper makes golds for its synthetic questions: the last
 * box of each solution counts as one vote. Dropped as `no-majority` where too few agree or two answers tie.
 */
export function majorityVote(
  candidate: Candidate,
  solutions: readonly string[],
  options: VoteOptions = {},
): Question | Drop {
  const { minShare = 0.5, source = 'synthetic', domain = 'general', licence = 'see teacher model' } = options;
  const votes = new Map<string, { answer: Answer; count: number }>();
  for (const solution of solutions) {
    const answer = votedAnswer(candidate, solution, domain);
    if (answer === undefined) continue;
    const key = comparableText(answer.value);
    const held = votes.get(key);
    if (held === undefined) votes.set(key, { answer, count: 1 });
    else held.count++;
  }
  const [first, second] = [...votes.values()].sort((a, b) => b.count - a.count);
  if (first === undefined) return drop('no-majority', 'no solution gives an answer in a box');
  if (first.count === second?.count) return drop('no-majority', `two answers have ${first.count} votes each`);
  if (first.count / solutions.length < minShare) {
    return drop(
      'no-majority',
      `${first.count} of ${solutions.length} solutions agree; at least ${minShare * 100} % must`,
    );
  }
  const { question, options: choices, topic } = candidate;
  const { answer } = first;
  return {
    id: questionId({ source, question, answer, ...(choices === undefined ? {} : { options: choices }) }),
    source,
    domain,
    ...(topic === undefined ? {} : { subject: topic }),
    form: choices === undefined ? 'open-ended' : 'multiple-choice',
    question,
    ...(choices === undefined ? {} : { options: choices }),
    answer,
    provenance: {
      dataset: source,
      licence,
      steps: [`synthetic:${candidate.id}`, `majority:${first.count}/${solutions.length}`],
    },
  };
}

function votedAnswer(candidate: Candidate, solution: string, domain: Domain): Answer | undefined {
  const boxed = lastBoxed(solution);
  if (boxed === undefined || boxed === '') return undefined;
  if (candidate.options === undefined) return numericAnswer(boxed) ?? typedAnswer(boxed, domain);
  const label = /^(?:\\text\{)?\(?([A-Z])\)?(?:[.:)}]|$)/.exec(boxed)?.[1];
  return candidate.options.some((option) => option.label === label) && label !== undefined
    ? { type: 'option', value: label }
    : undefined;
}

/** Votes over a whole batch of solutions (`<candidate>#<sample>`): questions, and a ledger of the rest. */
export function voteAll(
  candidates: readonly Candidate[],
  responses: readonly BatchResponse[],
  options: VoteOptions = {},
): { accepted: Question[]; ledger: LedgerEntry[] } {
  const solutions = new Map<string, string[]>();
  for (const { custom_id: id, content } of responses) {
    const candidate = id.slice(0, id.lastIndexOf('#'));
    solutions.set(candidate, [...(solutions.get(candidate) ?? []), content]);
  }
  const accepted: Question[] = [];
  const ledger: LedgerEntry[] = [];
  for (const candidate of candidates) {
    const result = majorityVote(candidate, solutions.get(candidate.id) ?? [], options);
    if (isDrop(result)) ledger.push({ id: candidate.id, source: options.source ?? 'synthetic', ...result });
    else accepted.push(result);
  }
  return { accepted, ledger };
}
