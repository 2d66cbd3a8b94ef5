import { SingleBar } from 'cli-progress';

/** Progress of work on stderr: a bar on a terminal, a plain line every few seconds elsewhere, nothing when quiet. */
export interface Progress {
  /** Units done so far, and what else to say. */
  update(done: number, note?: string): void;
  stop(): void;
}

const PLAIN_INTERVAL_MS = 5000;

/** Starts showing progress of `total` units. */
export function startProgress(what: string, unit: string, total: number, quiet = false): Progress {
  if (quiet) return { update: () => undefined, stop: () => undefined };
  if (process.stderr.isTTY) {
    const format = `${what} {bar} {percentage} % | {note} | ETA {eta_formatted}`;
    const bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true, hideCursor: true });
    bar.start(total, 0, { note: '' });
    return {
      update: (done, note = `${done}/${total} ${unit}`) => {
        bar.update(done, { note });
      },
      stop: () => {
        bar.stop();
      },
    };
  }
  const started = Date.now();
  let shown = started;
  return {
    update(done, note) {
      const now = Date.now();
      if (now - shown < PLAIN_INTERVAL_MS) return;
      shown = now;
      const rate = done / ((now - started) / 1000);
      const left = rate === 0 ? '' : `, about ${Math.ceil((total - done) / rate)} s left`;
      const said = note === undefined ? '' : `, ${note}`;
      process.stderr.write(`${what}: ${done}/${total} ${unit}${said}, ${Math.round(rate)} ${unit} a second${left}\n`);
    },
    stop: () => undefined,
  };
}
