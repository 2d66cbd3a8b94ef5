import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CrossThinkError } from '../errors.js';
import { isDrop, type LedgerEntry } from '../data/ledger.js';
import { writeAtomically } from '../data/writers/atomic.js';
import { type EndpointOptions, readResponses, runRequests } from './endpoint.js';
import { type BatchRequest, type Candidate, generationRequests, solutionRequests } from './requests.js';
import { parseCandidate, voteAll } from './responses.js';
import type { SynthesisSpec } from './spec.js';

/** Files of a synthesis folder: what came back, kept for going on, and the result. */
export const SYNTHESIS_FILES = {
  candidates: 'candidates.answers.jsonl',
  solutions: 'solutions.answers.jsonl',
  questions: 'questions.jsonl',
  ledger: 'ledger.jsonl',
} as const;

export interface SynthesisSummary {
  /** Answers of the teacher, and those of them that hold a question. */
  readonly answers: number;
  readonly candidates: number;
  readonly solutions: number;
  readonly accepted: number;
  readonly dropped: number;
  readonly reasons: Record<string, number>;
}

/** Requests of the first stage (questions) or, given the teacher's answers, of the second (solutions). */
export async function synthesisRequests(spec: SynthesisSpec, candidateAnswers?: string): Promise<BatchRequest[]> {
  if (candidateAnswers === undefined) return generationRequests(spec);
  const { candidates } = await readCandidates(spec, candidateAnswers);
  return solutionRequests(candidates, spec.samples, solverOf(spec));
}

/** Writes requests as a file of the OpenAI batch format; the file appears only when it is whole. */
export async function writeRequests(requests: readonly BatchRequest[], file: string): Promise<void> {
  await writeAtomically([file], async ([out]) => {
    for (const request of requests) await out?.writeJson(request);
  });
}

/**
 * Answers of both stages → `questions.jsonl` and `ledger.jsonl` in `out`. Every answer of the teacher ends up in one of
 * them. Throws where a file of answers holds none.
 */
export async function importSynthesis(
  spec: SynthesisSpec,
  files: { readonly candidates: string; readonly solutions: string },
  out: string,
): Promise<SynthesisSummary> {
  const { candidates, ledger, answers } = await readCandidates(spec, files.candidates);
  const solutions = await requireResponses(files.solutions);
  const { minShare, source, domain, licence } = spec;
  const voted = voteAll(candidates, solutions, { minShare, source, domain, licence });
  const dropped = [...ledger, ...voted.ledger];
  await mkdir(out, { recursive: true });
  const paths = [join(out, SYNTHESIS_FILES.questions), join(out, SYNTHESIS_FILES.ledger)];
  await writeAtomically(paths, async ([questionsFile, ledgerFile]) => {
    for (const question of voted.accepted) await questionsFile?.writeJson(question);
    for (const entry of dropped) await ledgerFile?.writeJson(entry);
  });
  const reasons: Record<string, number> = {};
  for (const { reason } of dropped) reasons[reason] = (reasons[reason] ?? 0) + 1;
  return {
    answers,
    candidates: candidates.length,
    solutions: solutions.length,
    accepted: voted.accepted.length,
    dropped: dropped.length,
    reasons,
  };
}

/**
 * Both stages against an endpoint, then the vote. What `out` already holds is not asked again: give the same call again
 * after an interruption. Throws `ERR_INCOMPLETE` where requests failed after all their tries.
 */
export async function runSynthesis(
  spec: SynthesisSpec,
  out: string,
  endpoint: EndpointOptions,
): Promise<SynthesisSummary> {
  await mkdir(out, { recursive: true });
  const files = { candidates: join(out, SYNTHESIS_FILES.candidates), solutions: join(out, SYNTHESIS_FILES.solutions) };
  await runStage(await synthesisRequests(spec), files.candidates, endpoint);
  await runStage(await synthesisRequests(spec, files.candidates), files.solutions, endpoint);
  return importSynthesis(spec, files, out);
}

async function runStage(requests: readonly BatchRequest[], file: string, endpoint: EndpointOptions): Promise<void> {
  const { failed } = await runRequests(requests, file, endpoint);
  if (failed === 0) return;
  const message = `${failed} of ${requests.length} requests failed after all tries; the answers so far are kept, give the same command again to go on`;
  throw new CrossThinkError('ERR_INCOMPLETE', message, { file });
}

function solverOf({ model, solver }: SynthesisSpec): { model: string; temperature: number; maxTokens: number } {
  return { ...solver, model: solver.model ?? model };
}

async function readCandidates(
  { source }: SynthesisSpec,
  file: string,
): Promise<{ candidates: Candidate[]; ledger: LedgerEntry[]; answers: number }> {
  const responses = await requireResponses(file);
  const candidates: Candidate[] = [];
  const ledger: LedgerEntry[] = [];
  for (const response of responses) {
    const candidate = parseCandidate(response);
    if (isDrop(candidate)) ledger.push({ id: response.custom_id, source, ...candidate });
    else candidates.push(candidate);
  }
  return { candidates, ledger, answers: responses.length };
}

async function requireResponses(file: string): ReturnType<typeof readResponses> {
  const responses = new Map((await readResponses(file)).map((response) => [response.custom_id, response]));
  // Answers come in the order in which they were ready: by id, the result does not depend on it.
  if (responses.size > 0) return [...responses.values()].sort((a, b) => (a.custom_id < b.custom_id ? -1 : 1));
  const message = `${file} holds no answers: expected lines with custom_id and content, or of the OpenAI batch output format`;
  throw new CrossThinkError('ERR_FILE_NOT_FOUND', message, { file });
}
