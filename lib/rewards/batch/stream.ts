import { verifyLine, type RowError, type RowVerdict } from '../row.js';
import type { VerifySettings } from '../settings.js';
import { withPool, type VerifierPool } from './pool.js';

/** Lines a task carries: enough to hide the hand-over, few enough to keep memory flat. */
const chunk = 256;

/**
 * Judges JSONL lines as they come, in order, in constant memory. `threads` above 1 judges on worker threads; at most two
 * tasks per thread are under way. Lines that cannot be read give error rows; blank lines give nothing.
 */
export async function* verifyLines(
  lines: AsyncIterable<string>,
  defaults: VerifySettings = {},
  { threads = 1 } = {},
): AsyncGenerator<RowVerdict | RowError> {
  if (threads < 2) {
    let line = 0;
    for await (const text of lines) {
      line++;
      if (text.trim() !== '') yield verifyLine(text, line, defaults);
    }
    return;
  }
  const queue = new AsyncQueue<RowVerdict | RowError>();
  const done = withPool(threads, (pool) => feed(lines, defaults, pool, threads * 2, queue)).then(
    () => {
      queue.close();
    },
    (error: unknown) => {
      queue.fail(error);
    },
  );
  try {
    yield* queue;
  } finally {
    queue.abandon();
    await done;
  }
}

async function feed(
  lines: AsyncIterable<string>,
  defaults: VerifySettings,
  pool: VerifierPool,
  limit: number,
  queue: AsyncQueue<RowVerdict | RowError>,
): Promise<void> {
  const pending: Promise<(RowVerdict | RowError)[]>[] = [];
  let part: string[] = [];
  let first = 1;
  const flushOne = async (): Promise<void> => {
    const rows = await pending.shift();
    if (rows !== undefined) await queue.push(rows);
  };
  const send = async (): Promise<void> => {
    pending.push(pool.lines({ lines: part, first, defaults }));
    first += part.length;
    part = [];
    if (pending.length >= limit) await flushOne();
  };
  try {
    for await (const text of lines) {
      part.push(text);
      if (part.length >= chunk) await send();
    }
    if (part.length > 0) await send();
    while (pending.length > 0) await flushOne();
  } finally {
    // Tasks under way when the consumer leaves are waited for: the pool must not end below them.
    await Promise.allSettled(pending);
  }
}

/** Hands values from a producer to one consumer; the producer waits while the consumer has some left. */
class AsyncQueue<T> implements AsyncIterable<T> {
  private values: readonly T[] = [];
  private ended = false;
  private abandoned = false;
  private error: Error | null = null;
  private wakeConsumer: (() => void) | null = null;
  private wakeProducer: (() => void) | null = null;

  async push(values: readonly T[]): Promise<void> {
    while (this.values.length > 0 && !this.abandoned)
      await new Promise<void>((resolve) => (this.wakeProducer = resolve));
    if (this.abandoned) throw new Error('the consumer has left');
    this.values = values;
    this.wakeConsumer?.();
  }

  /** The consumer takes no more: the next push fails, which ends the producer. */
  abandon(): void {
    this.abandoned = true;
    this.wakeProducer?.();
  }

  close(): void {
    this.ended = true;
    this.wakeConsumer?.();
  }

  fail(error: unknown): void {
    this.error = error instanceof Error ? error : new Error(String(error));
    this.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const { values } = this;
      if (values.length > 0) {
        yield* values;
        this.values = [];
        this.wakeProducer?.();
      } else if (this.ended) {
        if (this.error !== null) throw this.error;
        return;
      } else await new Promise<void>((resolve) => (this.wakeConsumer = resolve));
    }
  }
}
