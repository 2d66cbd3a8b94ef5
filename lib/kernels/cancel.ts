import { CrossThinkError } from '../errors.js';

export interface Abortable {
  /** Stops the work between two pieces of it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs native work that can be stopped: `start` gets the flag that an abort sets, and promises whether the work ran to
 * its end.
 *
 * @throws the signal's reason where it was aborted before the end.
 */
export async function cancellable(
  name: string,
  signal: AbortSignal | undefined,
  start: (flag: Int32Array) => Promise<boolean>,
): Promise<void> {
  signal?.throwIfAborted();
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
