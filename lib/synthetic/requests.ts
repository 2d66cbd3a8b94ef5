import { hash } from 'node:crypto';
import { invalidValue } from '../errors.js';
import type { Form } from '../data/question.js';
import { type Message, renderPrompt } from '../templates/prompt.js';

/** One request of an OpenAI-compatible batch file. */
export interface BatchRequest {
  readonly custom_id: string;
  readonly method: 'POST';
  readonly url: '/v1/chat/completions';
  readonly body: {
    readonly model: string;
    readonly messages: readonly Message[];
    readonly temperature: number;
    readonly max_tokens: number;
  };
}

export interface ModelOptions {
  readonly model: string;
  /** Default 1. */
  readonly temperature?: number;
  /** Default 4096. */
  readonly maxTokens?: number;
}

/** What to ask a teacher model for: each combination of subtopic and difficulty, several times. */
export interface GenerationSpec extends ModelOptions {
  readonly topics: Readonly<Record<string, readonly string[]>>;
  /** For example `high school`, `undergraduate`, `graduate`. */
  readonly difficulties: readonly string[];
  /** Questions for each combination. */
  readonly count: number;
  readonly form: Form;
  /** Options of a multiple-choice question; default 10, as in Nemotron-CrossThink. */
  readonly options?: number;
}

/** Requests for questions by topic, subtopic and difficulty, as the paper describes its synthetic sources; the words are ours. */
export function generationRequests(spec: GenerationSpec): BatchRequest[] {
  if (!Number.isInteger(spec.count) || spec.count < 1)
    throw invalidValue('count', 'a whole number, 1 or more', spec.count);
  return Object.entries(spec.topics).flatMap(([topic, subtopics]) =>
    subtopics.flatMap((subtopic) =>
      spec.difficulties.flatMap((difficulty) =>
        Array.from({ length: spec.count }, (_, i) => {
          const key = hash('sha256', JSON.stringify([topic, subtopic, difficulty, spec.form, i]), 'hex').slice(0, 16);
          return request(
            `generate-${key}`,
            [{ role: 'user', content: generationPrompt(spec, topic, subtopic, difficulty, i) }],
            spec,
          );
        }),
      ),
    ),
  );
}

function generationPrompt(
  spec: GenerationSpec,
  topic: string,
  subtopic: string,
  difficulty: string,
  index: number,
): string {
  const { form, options = 10, count } = spec;
  const shape =
    form === 'multiple-choice'
      ? `a multiple-choice question with ${options} options of which exactly one is right`
      : 'a question whose answer is a number, an expression, or at most ten words';
  const fields = form === 'multiple-choice' ? '"question", "options" (a list of texts without letters)' : '"question"';
  return [
    `Write ${shape}. Topic: ${topic}; subtopic: ${subtopic}; difficulty: ${difficulty}.`,
    'The question must be understandable alone: no figures, no passages, no "which of the following".',
    count > 1 ? `This is number ${index + 1} of ${count} on the subject: make it different from the obvious one.` : '',
    `Do not solve it. Answer with one JSON object with the fields ${fields}, "topic", "subtopic", "difficulty", and nothing else.`,
  ]
    .filter((line) => line !== '')
    .join('\n');
}

/** A question without a gold, as a teacher wrote it. */
export interface Candidate {
  readonly id: string;
  readonly question: string;
  readonly options?: readonly { readonly label: string; readonly text: string }[];
  readonly topic?: string;
}

/** Several independent solutions of each candidate, to vote on; ids are `<candidate>#<sample>`. */
export function solutionRequests(
  candidates: readonly Candidate[],
  samples: number,
  options: ModelOptions,
): BatchRequest[] {
  if (!Number.isInteger(samples) || samples < 1) throw invalidValue('samples', 'a whole number, 1 or more', samples);
  return candidates.flatMap((candidate) => {
    const form: Form = candidate.options === undefined ? 'open-ended' : 'multiple-choice';
    const messages = renderPrompt({ ...candidate, form });
    return Array.from({ length: samples }, (_, i) => request(`${candidate.id}#${i}`, messages, options));
  });
}

function request(
  id: string,
  messages: readonly Message[],
  { model, temperature = 1, maxTokens = 4096 }: ModelOptions,
): BatchRequest {
  return {
    custom_id: id,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model, messages, temperature, max_tokens: maxTokens },
  };
}
