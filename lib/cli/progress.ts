import { SingleBar } from 'cli-progress';

/** Progress of work on stderr: a bar on a terminal, a plain line every few seconds elsewhere, nothing when quiet. */
export interface Progress {
  /** Units done so far. */
  update(done: number): void;
  stop(): void;
}

const PLAIN_INTERVAL_MS = 5000;

/** Starts showing progress. `total` may be unknown (undefined): then only counts and the rate are shown. */
export function startProgress(what: string, unit: string, total: number | undefined, quiet = false): Progress {
  if (quiet) return { update: () => undefined, stop: () => undefined };
  if (process.stderr.isTTY && total !== undefined) {
    const format = `${what} {bar} {percentage} % | {value}/{total} ${unit} | ETA {eta_formatted}`;
    const bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true, hideCursor: true });
    bar.start(total, 0);
    return {
      update: (done) => {
        bar.update(done);
      },
      stop: () => {
        bar.stop();
      },
    };
  }
  const started = Date.now();
  let shown = started;
  return {
    update(done) {
      const now = Date.now();
      if (now - shown < PLAIN_INTERVAL_MS) return;
      shown = now;
      const rate = done / ((now - started) / 1000);
      const left = total === undefined || rate === 0 ? '' : `, about ${Math.ceil((total - done) / rate)} s left`;
      process.stderr.write(
        `${what}: ${done}${total === undefined ? '' : `/${total}`} ${unit}, ${Math.round(rate)} a second${left}\n`,
      );
    },
    stop: () => undefined,
  };
}
