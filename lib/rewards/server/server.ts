import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { ZodError } from 'zod';
import { CrossThinkError } from '../../errors.js';
import { parseRow, verifyRow } from '../row.js';
import type { VerifySettings } from '../settings.js';
import { Metrics } from './metrics.js';
import { aggregate, judgeRequest, parseVerifyRequest } from './nemo-gym.js';

export interface ServerOptions {
  /** Settings under which rows are judged that bring none of their own. */
  readonly settings?: VerifySettings;
  /** Largest request body in bytes; larger ones are answered 413. Default 8 MiB. */
  readonly maximumBody?: number;
  /** Requests answered at once; more are answered 503 with Retry-After. Default 256. */
  readonly maximumInFlight?: number;
  /** Milliseconds in which a request must have arrived whole, else 408. Default 30,000. */
  readonly requestTimeout?: number;
}

/** A failure with its HTTP status. */
class HttpError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

type Handler = (body: unknown, request: IncomingMessage, response: ServerResponse) => unknown;

/**
 * An HTTP server that speaks the resource-server protocol of NeMo Gym (`/seed_session`, `/verify`, `/aggregate_metrics`,
 * `/reverify_mode`) and plain JSON (`/v1/verify`: one row of `crossthink verify`, or `{"rows": […]}`), with `/health` and
 * `/metrics` (Prometheus). It is not listening yet; `close()` finishes the requests under way. A verdict never fails: a
 * row that cannot be read is answered 422 with the field at fault.
 */
export function createRewardServer(options: ServerOptions = {}): Server {
  const { settings = {}, maximumBody = 8 * 2 ** 20, maximumInFlight = 256, requestTimeout = 30_000 } = options;
  const metrics = new Metrics();
  const routes = routesOf(settings, metrics);
  const server = createServer({ requestTimeout, headersTimeout: requestTimeout }, (request, response) => {
    const started = process.hrtime.bigint();
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const route = routes[`${request.method ?? ''} ${path}`];
    metrics.inFlight++;
    response.on('close', () => {
      metrics.inFlight--;
      const seconds = Number(process.hrtime.bigint() - started) / 1e9;
      metrics.request(route === undefined ? 'other' : path, response.statusCode, seconds);
    });
    const answered = answer(request, response, route, {
      known: Object.keys(routes).some((key) => key.endsWith(` ${path}`)),
      // Health and metrics answer even when the server is full.
      full: metrics.inFlight > maximumInFlight && request.method !== 'GET',
      maximumBody,
      isClosing: () => !server.listening,
    });
    answered.catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  return server;
}

interface Limits {
  readonly known: boolean;
  readonly full: boolean;
  readonly maximumBody: number;
  readonly isClosing: () => boolean;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  route: Handler | undefined,
  limits: Limits,
): Promise<void> {
  try {
    if (route === undefined)
      throw new HttpError(limits.known ? 405 : 404, limits.known ? 'method not allowed' : 'no such path');
    if (limits.full) throw new HttpError(503, 'too many requests at once; try again');
    const body = request.method === 'POST' ? await readJson(request, limits.maximumBody) : undefined;
    const result = route(body, request, response);
    // While the server is closing, a connection ends with its answer.
    if (limits.isClosing()) response.setHeader('connection', 'close');
    if (typeof result === 'string') send(response, 200, result, 'text/plain; version=0.0.4; charset=utf-8');
    else send(response, 200, JSON.stringify(result));
  } catch (error) {
    const { status, message } = describeFailure(error);
    if (status === 503) response.setHeader('retry-after', '1');
    // What was not read of a body too large is not waited for.
    if (status === 413) response.setHeader('connection', 'close');
    send(response, status, JSON.stringify({ error: message }));
  }
}

function describeFailure(error: unknown): { status: number; message: string } {
  if (error instanceof HttpError) return error;
  if (error instanceof CrossThinkError) return { status: 422, message: error.message };
  if (error instanceof ZodError) {
    const [issue] = error.issues;
    return { status: 422, message: `${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'invalid'}` };
  }
  return { status: 500, message: error instanceof Error ? error.message : String(error) };
}

function send(response: ServerResponse, status: number, body: string, type = 'application/json'): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

async function readJson(request: IncomingMessage, maximum: number): Promise<unknown> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > maximum) throw new HttpError(413, `the body is larger than ${maximum} bytes`);
    parts.push(part);
  }
  if (size === 0) return {};
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8')) as unknown;
  } catch (error) {
    throw new HttpError(400, `the body is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function routesOf(settings: VerifySettings, metrics: Metrics): Readonly<Record<string, Handler>> {
  const judgeRow = (row: unknown): object => {
    const verdict = verifyRow(parseRow(row), settings);
    metrics.verdict(verdict.reason);
    return verdict;
  };
  return {
    'GET /health': () => ({ status: 'ok' }),
    'GET /metrics': () => metrics.text(),
    'GET /reverify_mode': () => 'stateless',
    'POST /seed_session': (_body, _request, response) => {
      response.setHeader('set-cookie', `session=${randomUUID()}; Path=/; HttpOnly; SameSite=Lax`);
      return {};
    },
    'POST /verify': (body) => {
      const request = parseVerifyRequest(body);
      const result = judgeRequest(request, settings);
      metrics.verdict(result.reason);
      return { ...request, ...result };
    },
    'POST /aggregate_metrics': (body) => aggregate(body),
    'POST /v1/verify': (body) => {
      const rows = (body as { rows?: unknown }).rows;
      if (!Array.isArray(rows)) return judgeRow(body);
      return { rows: rows.map((row) => tolerant(() => judgeRow(row))) };
    },
  };
}

/** One bad row of a batch gives an error in its place and does not stop the others. */
function tolerant(judge: () => object): object {
  try {
    return judge();
  } catch (error) {
    return {
      reward: null,
      accuracy: null,
      format: null,
      extracted: null,
      reason: 'bad_row',
      error: describeFailure(error).message,
    };
  }
}
