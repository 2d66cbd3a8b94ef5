import { appendFile, readFile, truncate } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { CrossThinkError } from '../errors.js';
import type { BatchRequest } from './requests.js';
import { type BatchResponse, responseContent } from './responses.js';

export interface EndpointOptions {
  /** For example `http://localhost:8000`; the requests' own paths follow. */
  readonly baseUrl: string;
  /** Sent as a bearer token; never written anywhere. */
  readonly apiKey?: string;
  /** Requests under way at once; default 8. */
  readonly concurrency?: number;
  /** Tries for each request, with growing pauses; default 4. */
  readonly tries?: number;
  /** First pause, in milliseconds; default 1000. */
  readonly pauseMs?: number;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Sends requests to an OpenAI-compatible endpoint and appends each answer to `file` as it comes. Ids that the file already
 * holds are not asked again, so that an interrupted batch is gone on with; a half line at its end is cut off. Returns how
 * many were answered and how many failed after all tries (these are asked again next time).
 */
export async function runRequests(
  requests: readonly BatchRequest[],
  file: string,
  options: EndpointOptions,
): Promise<{ answered: number; held: number; failed: number }> {
  const held = await answeredIds(file);
  const waiting = requests.filter(({ custom_id: id }) => !held.has(id));
  const counts = { answered: 0, held: requests.length - waiting.length, failed: 0 };
  let next = 0;
  const work = async (): Promise<void> => {
    for (let request = waiting[next++]; request !== undefined; request = waiting[next++]) {
      const content = await ask(request, options);
      if (content === undefined) counts.failed++;
      else {
        const response: BatchResponse = { custom_id: request.custom_id, content };
        await appendFile(file, `${JSON.stringify(response)}\n`);
        counts.answered++;
      }
      options.onProgress?.(counts.held + counts.answered + counts.failed, requests.length);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency ?? 8 }, work));
  return counts;
}

/** Answers read back, in the order of the file; lines that are none are left out. */
export async function readResponses(file: string): Promise<BatchResponse[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    if (line.trim() === '') return [];
    try {
      const row = JSON.parse(line) as Partial<BatchResponse>;
      const content = row.content ?? responseContent(row);
      return typeof row.custom_id === 'string' && content !== undefined ? [{ custom_id: row.custom_id, content }] : [];
    } catch {
      return [];
    }
  });
}

async function answeredIds(file: string): Promise<Set<string>> {
  const bytes = await readFile(file).catch(() => Buffer.alloc(0));
  const whole = bytes.lastIndexOf(0x0a) + 1;
  if (whole < bytes.length) await truncate(file, whole);
  return new Set((await readResponses(file)).map(({ custom_id: id }) => id));
}

/** Asks once, and again after errors that may pass (429, 5xx, broken connections); undefined where all tries failed. */
async function ask(request: BatchRequest, options: EndpointOptions): Promise<string | undefined> {
  const { tries = 4, pauseMs = 1000, apiKey, baseUrl } = options;
  const url = `${baseUrl.replace(/\/(?:v1\/?)?$/, '')}${request.url}`;
  const authorization: Record<string, string> = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  const headers = { 'content-type': 'application/json', ...authorization };
  for (let attempt = 0; attempt < tries; attempt++) {
    if (attempt > 0) await sleep(pauseMs * 2 ** (attempt - 1));
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(request.body) }).catch(
      () => undefined,
    );
    if (response?.ok === true) return responseContent(await response.json());
    if (response !== undefined && response.status < 500 && response.status !== 429) {
      const said = (await response.text()).slice(0, 200);
      throw new CrossThinkError('ERR_INVALID_ARG_VALUE', `${url} answered ${response.status}: ${said}`, {
        field: 'request',
      });
    }
  }
  return undefined;
}
