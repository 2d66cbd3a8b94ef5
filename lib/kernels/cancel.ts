import { CrossThinkError } from '../errors.js';
import { type Operation } from './host.js';

export interface Abortable {
  /** Stops the work between two pieces of it. */
  readonly signal?: AbortSignal | undefined;
}

/** A call of an operation: its checked arguments, and what to return once it has run. */
export interface Prepared<A extends readonly unknown[], R> {
  readonly call: A;
  readonly result: () => R;
}

/**
 * Prepares an operation and runs it so that the event loop goes on: on the CPU on the worker pool, on a GPU, whose work is over
 * in microseconds, at once.
 *
 * @throws the signal's reason where it was aborted before the end.
 */
export async function runAsync<A extends readonly unknown[], R>(
  name: string,
  signal: AbortSignal | undefined,
  operation: Operation<A>,
  prepare: () => Prepared<A, R>,
): Promise<R> {
  signal?.throwIfAborted();
  const { call, result } = prepare();
  const { later } = operation;
  if (later === undefined) operation(...call);
  else await cancellable(name, signal, (flag) => later(flag, ...call));
  return result();
}

async function cancellable(
  name: string,
  signal: AbortSignal | undefined,
  start: (flag: Int32Array) => Promise<boolean>,
): Promise<void> {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const abort = (): void => {
    Atomics.store(flag, 0, 1);
  };
  signal?.addEventListener('abort', abort, { once: true });
  try {
    if (await start(flag)) return;
    signal?.throwIfAborted();
    throw new CrossThinkError('ERR_NATIVE', `${name} was stopped: its environment is shutting down`);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
